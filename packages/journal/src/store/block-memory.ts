/** The memory of a block, which is given back by hand: it lies outside the heap and is no work for the collector. */

export class BlockMemory {
  readonly bytes: Buffer;
  readonly offsets: Uint32Array;
  /** Since which base it is read. */
  firstGeneration = 0;

  /** Both arrays lie alone in their buffers. `offsets` says where each entry of `bytes` starts. */
  constructor(bytes: Buffer, offsets: Uint32Array) {
    this.bytes = bytes;
    this.offsets = offsets;
  }

  get byteLength(): number {
    return this.bytes.byteLength + this.offsets.byteLength;
  }

  /** Gives the memory back at once. Whoever reads it afterwards finds nothing there. */
  release(): void {
    for (const { buffer } of [this.bytes, this.offsets]) {
      if (buffer instanceof ArrayBuffer) buffer.transfer(0);
    }
  }
}
