/** Bytes four at a time: what makes looking at them cheap. */

/** A view that is made anew only when the bytes are others. */
export class WordView {
  #view = new DataView(new ArrayBuffer(0)) as DataView;
  #bytes: Uint8Array | undefined;

  /** Looks at these bytes from now on; offsets are theirs. */
  of(bytes: Uint8Array): DataView {
    if (this.#bytes !== bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    return this.#view;
  }
}

/** Whether one of the four bytes of a word is the byte that `pattern` repeats four times. */
export function hasByte(word: number, pattern: number): boolean {
  // A byte that is equal becomes 0, from which the subtraction borrows (Hacker's Delight, 6-1).
  const rest = word ^ pattern;
  return ((rest - 0x0101_0101) & ~rest & 0x8080_8080) !== 0;
}

/** Takes a word into a hash. */
export function mixWord(hash: number, word: number): number {
  const product = Math.imul(hash ^ word, 0x9e37_79b1);
  return product ^ (product >>> 15);
}

/** The hash of these bytes, of which there are at least four. */
export function hashOfBytes(view: DataView, from: number, to: number): number {
  let hash = 0;
  const last = to - 4;
  for (let at = from; at < last; at += 4) hash = mixWord(hash, view.getInt32(at, true));
  return mixWord(hash, view.getInt32(last, true));
}

/** Whether a view holds the bytes of another one, of which there are at least four, from `from` to `to`. */
export function isSameBytes(
  known: DataView,
  view: DataView,
  { from, to }: { readonly from: number; readonly to: number },
): boolean {
  const last = to - from - 4;
  // What differs mostly does so at its end.
  if (known.getInt32(last, true) !== view.getInt32(from + last, true)) return false;
  for (let at = 0; at < last; at += 4) {
    if (known.getInt32(at, true) !== view.getInt32(from + at, true)) return false;
  }
  return true;
}
