/** Bits of a stream of zstd that is read from its end (RFC 8878, section 4.1). */

/** Thrown for what is no zstd; whoever expands an archive names the entry. */
export class ZstdFault extends Error {
  override readonly name = "ZstdFault";
}

/** So many bits lie in four bytes, wherever in the first they begin. */
const bitsAtOnce = 25;

/** Reads bits from the last to the first. Behind the first there are zeros, and `left` tells how many were taken. */
export class BackwardBits {
  readonly #bytes: Uint8Array;
  readonly #from: number;
  /** Bits that were not read, below 0 where more were than there are. */
  left: number;

  /** The highest bit that is set in the last byte ends the stream. */
  constructor(bytes: Uint8Array, from: number, to: number) {
    const last = to > from ? bytes[to - 1] : undefined;
    if (last === undefined || last === 0) throw new ZstdFault("A stream of bits has no end.");
    this.#bytes = bytes;
    this.#from = from;
    this.left = (to - from) * 8 - Math.clz32(last) + 23;
  }

  /** At most 31 bits as one number. */
  read(count: number): number {
    this.left -= count;
    if (this.left >= 0 && count <= bitsAtOnce) {
      const bytes = this.#bytes;
      const place = this.#from + (this.left >>> 3);
      const word =
        (bytes[place] ?? 0) |
        ((bytes[place + 1] ?? 0) << 8) |
        ((bytes[place + 2] ?? 0) << 16) |
        ((bytes[place + 3] ?? 0) << 24);
      return (word >>> (this.left & 7)) & ((1 << count) - 1);
    }
    return this.#readSlowly(count);
  }

  /** Where there are fewer bits left, or more are asked for than one word holds. */
  #readSlowly(count: number): number {
    let value = 0;
    // The lowest bit of the number is the first in the order of the bytes.
    let [at, missing] = [this.left, count];
    if (at < 0) {
      missing += at;
      at = 0;
    }
    if (missing <= 0) return 0;
    let [scale, byteAt, shift] = [count - missing, this.#from + (at >>> 3), at & 7];
    while (missing > 0) {
      const taken = Math.min(8 - shift, missing);
      const bits = ((this.#bytes[byteAt] ?? 0) >>> shift) & ((1 << taken) - 1);
      value += bits * 2 ** scale;
      scale += taken;
      missing -= taken;
      byteAt += 1;
      shift = 0;
    }
    return value;
  }
}

/** The place of the highest bit of a number that is set. */
export function highestBit(value: number): number {
  return 31 - Math.clz32(value);
}
