/**
 * The bytes of a long request to a provider. A client of HTTP keeps its request until the reply has ended, which of a
 * stream may take an hour; these can be let go of before.
 */

/** Shorter requests are given to the client whole: handing them over in parts would cost more than keeping them. */
const releasableBytesMin = 16_384;

export class RequestBytes implements Iterable<Buffer> {
  readonly length: number;
  #parts: readonly Buffer[];

  private constructor(parts: readonly Buffer[], length: number) {
    this.#parts = parts;
    this.length = length;
  }

  /** The parts in a form that a client takes: together, or as an iterable that can be released. */
  static of(parts: readonly Buffer[]): Buffer | RequestBytes {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const [only] = parts;
    if (length >= releasableBytesMin) return new RequestBytes(parts, length);
    return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, length);
  }

  /** Who iterates already gets all of them. */
  release(): void {
    this.#parts = [];
  }

  [Symbol.iterator](): Iterator<Buffer> {
    return this.#parts.values();
  }
}
