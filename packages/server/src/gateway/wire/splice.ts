/** Splices: the only way in which the bytes of a request change. */

export interface Splice {
  /** Replaces the bytes from `start` up to `end`; an insertion has `start` equal to `end`. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Applies splices, which do not overlap; every byte outside of them stays as it is. */
export function applySplices(bytes: Buffer, splices: readonly Splice[]): Buffer {
  return splices.length === 0 ? bytes : Buffer.concat(spliceParts(bytes, splices));
}

/** The same as parts, without a copy of the bytes. */
export function spliceParts(bytes: Buffer, splices: readonly Splice[]): Buffer[] {
  const parts: Buffer[] = [];
  let at = 0;
  for (const splice of inOrder(splices)) {
    parts.push(bytes.subarray(at, splice.start), Buffer.from(splice.text));
    at = splice.end;
  }
  parts.push(bytes.subarray(at));
  return parts;
}

/** They are few, and nearly all stand in their order already. */
function inOrder(splices: readonly Splice[]): readonly Splice[] {
  const sorted: Splice[] = [];
  for (const splice of splices) {
    let at = sorted.length;
    for (let last = sorted[at - 1]; last !== undefined && last.start > splice.start;) {
      sorted[at] = last;
      at -= 1;
      last = sorted[at - 1];
    }
    sorted[at] = splice;
  }
  return sorted;
}
