/** Cuts a stream of server-sent events into whole events, on bytes and for every kind of line end. */

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** Takes one event. A line put in at `blankAt` is its last one, and so wins over the same field before it. */
export type TakeFrame = (frame: Buffer, blankAt: number) => void;

/**
 * Every byte belongs to exactly one event, in order. Empty lines before an event belong to it; one that ends in a carriage
 * return waits for the next byte where a line feed may still come.
 */
export class FrameSplitter {
  readonly #take: TakeFrame;
  /** The begun event at the end of earlier parts. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #lineEmpty = true;
  #frameEmpty = true;
  /** The byte before was a carriage return: a line feed right after it ends the same line. */
  #afterReturn = false;
  /** The line before ended in a carriage return alone: so will the empty one. */
  #endsInReturn = false;
  /** The empty line has come, but perhaps not its line feed. */
  #closing = false;
  #blankAt = 0;

  constructor(take: TakeFrame) {
    this.#take = take;
  }

  write(bytes: Buffer): void {
    let start = 0;
    let at = 0;
    while (at < bytes.length) {
      const byte = bytes[at];
      if (this.#closing) {
        const end = byte === lineFeed ? at + 1 : at;
        this.#emit(bytes.subarray(start, end));
        start = end;
        at = end;
      } else if (byte === lineFeed && this.#afterReturn) {
        this.#afterReturn = false;
        this.#endsInReturn = false;
        at += 1;
      } else if (byte === lineFeed || byte === carriageReturn) {
        at += 1;
        if (this.#endLine(byte, this.#heldBytes + at - 1 - start)) {
          this.#emit(bytes.subarray(start, at));
          start = at;
        }
      } else {
        this.#lineEmpty = false;
        this.#frameEmpty = false;
        this.#afterReturn = false;
        while (at < bytes.length && bytes[at] !== lineFeed && bytes[at] !== carriageReturn) at += 1;
      }
    }
    if (start < bytes.length) {
      this.#held.push(bytes.subarray(start));
      this.#heldBytes += bytes.length - start;
    }
  }

  /** Gives out what is left. */
  end(): void {
    if (this.#heldBytes === 0) return;
    const rest = Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    if (!this.#closing) {
      const lineEndBytes = rest.at(-1) === lineFeed && rest.at(-2) === carriageReturn ? 2 : 1;
      this.#blankAt = this.#frameEmpty ? rest.length - lineEndBytes : rest.length;
    }
    this.#emit(rest);
  }

  /** Whether the event is whole; `at` is where in it the line's end stands. */
  #endLine(byte: number, at: number): boolean {
    const isBlank = this.#lineEmpty && !this.#frameEmpty;
    const endedInReturn = this.#endsInReturn;
    this.#lineEmpty = true;
    this.#afterReturn = byte === carriageReturn;
    this.#endsInReturn = this.#afterReturn;
    if (!isBlank) return false;
    this.#blankAt = at;
    this.#closing = this.#afterReturn && !endedInReturn;
    return !this.#closing;
  }

  #emit(last: Buffer): void {
    const frame = this.#heldBytes === 0 ? last : Buffer.concat([...this.#held, last]);
    if (this.#closing) this.#afterReturn = false;
    this.#held = [];
    this.#heldBytes = 0;
    this.#frameEmpty = true;
    this.#lineEmpty = true;
    this.#endsInReturn = false;
    this.#closing = false;
    this.#take(frame, this.#blankAt);
  }
}
