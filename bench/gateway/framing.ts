/** Where a message of HTTP/1.1 ends: just enough for a benchmark, where one message is on its way at a time. */

const headEnd = Buffer.from("\r\n\r\n");
const lengthHeader = "\r\ncontent-length:";
/** Nothing that is sent here has a line break of HTTP within it, so that only the last chunk looks so. */
const chunkedEnd = Buffer.from("\r\n0\r\n\r\n");
const messageBytesMax = 64 * 1_024 * 1_024;

/** Gathers the parts of one message after the other. */
export class MessageFraming {
  #parts: Buffer[] = [];
  #bytes = 0;
  /** Of the whole message; below 0 where only its last chunk tells. */
  #length: number | undefined;

  /** Takes a part; gives the message when this part ended it. */
  take(part: Buffer): Buffer | undefined {
    this.#parts.push(part);
    this.#bytes += part.length;
    if (this.#bytes > messageBytesMax) throw new Error("A message of the benchmark is too long.");
    this.#length ??= this.#readHead();
    if (this.#length === undefined) return undefined;
    const isWhole = this.#length < 0 ? this.#endsChunked() : this.#bytes >= this.#length;
    return isWhole ? this.#flush() : undefined;
  }

  #readHead(): number | undefined {
    const whole = this.#whole();
    const endAt = whole.indexOf(headEnd);
    if (endAt < 0) return undefined;
    const head = whole.toString("latin1", 0, endAt).toLowerCase();
    const lengthAt = head.indexOf(lengthHeader);
    if (lengthAt >= 0) {
      return (
        endAt + headEnd.length + Number.parseInt(head.slice(lengthAt + lengthHeader.length), 10)
      );
    }
    return head.includes("\r\ntransfer-encoding: chunked") ? -1 : endAt + headEnd.length;
  }

  #endsChunked(): boolean {
    const last = this.#parts.at(-1);
    const tail = last !== undefined && last.length >= chunkedEnd.length ? last : this.#whole();
    return (
      tail.length >= chunkedEnd.length &&
      tail.subarray(tail.length - chunkedEnd.length).equals(chunkedEnd)
    );
  }

  #whole(): Buffer {
    const [first] = this.#parts;
    if (first !== undefined && this.#parts.length === 1) return first;
    const whole = Buffer.concat(this.#parts);
    this.#parts = [whole];
    return whole;
  }

  #flush(): Buffer {
    const whole = this.#whole();
    this.#parts = [];
    this.#bytes = 0;
    this.#length = undefined;
    return whole;
  }
}
