/** The bytes of a stream that are not read yet, in one piece. */

/** Bytes come in by `append`; who reads moves `pos`. The array may change with each `append`. */
export class ByteWindow {
  bytes = new Uint8Array(0);
  /** Where the unread bytes begin and end within `bytes`. */
  pos = 0;
  end = 0;
  /** The offset of `bytes[0]` in the stream. */
  base = 0;
  #store = new Uint8Array(0);

  /** Adds a chunk behind what is unread. The chunk itself may be read until `settle`. */
  append(chunk: Uint8Array): void {
    const left = this.end - this.pos;
    this.base += this.pos;
    if (left === 0) {
      this.bytes = chunk as Uint8Array<ArrayBuffer>;
      this.end = chunk.length;
    } else {
      this.#reserve(left + chunk.length);
      this.#store.set(chunk, left);
      this.end = left + chunk.length;
    }
    this.pos = 0;
  }

  /** Copies what is unread, so that the chunk belongs to its sender again. */
  settle(): void {
    if (this.bytes === this.#store) return;
    const left = this.end - this.pos;
    this.base += this.pos;
    if (left > 0) this.#reserve(left);
    else this.bytes = this.#store;
    this.pos = 0;
    this.end = left;
  }

  /** Moves what is unread to the beginning of a store of at least this size. Grows by doubling. */
  #reserve(size: number): void {
    const unread = this.bytes.subarray(this.pos, this.end);
    if (this.#store.length < size) {
      this.#store = new Uint8Array(Math.max(size, this.#store.length * 2));
    }
    if (this.bytes !== this.#store || this.pos > 0) this.#store.set(unread);
    this.bytes = this.#store;
  }
}
