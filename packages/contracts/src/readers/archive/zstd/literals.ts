/** Literals of a block: bytes that stand for themselves (RFC 8878, section 3.1.1.3.1). */

import { BackwardBits, ZstdFault } from "./backward-bits.ts";
import { decodeHuffman, type HuffmanTable, readHuffmanTable } from "./huffman-table.ts";

export interface Literals {
  readonly bytes: Uint8Array;
  /** Where the sequences begin. */
  readonly end: number;
  /** Of this block, or the one before that it uses again. */
  readonly table: HuffmanTable | undefined;
}

const literalBytesMax = 131_072;

/** Reads the literals of the block that lies from `from` to `to`. */
export function readLiterals(
  bytes: Uint8Array,
  { from, to }: { readonly from: number; readonly to: number },
  known: HuffmanTable | undefined,
): Literals {
  const head = bytes[from] ?? 0;
  const kind = head & 3;
  const form = (head >> 2) & 3;
  const { size, packedSize, start, streamCount } =
    kind < 2 ? plainSizes(bytes, from, form) : packedSizes(bytes, from, form);
  if (size > literalBytesMax) throw new ZstdFault("A block has too many literals.");
  const end = start + (kind === 1 ? 1 : kind === 0 ? size : packedSize);
  if (end > to) throw new ZstdFault("Literals are cut.");
  if (kind === 0) return { bytes: bytes.subarray(start, end), end, table: known };
  if (kind === 1) {
    return { bytes: new Uint8Array(size).fill(bytes[start] ?? 0), end, table: known };
  }
  const told = kind === 2 ? readHuffmanTable(bytes, start, end) : undefined;
  const table = told?.table ?? known;
  if (table === undefined) throw new ZstdFault("Literals use a code that was not told.");
  const place = { from: told?.end ?? start, to: end };
  return { bytes: unpacked(bytes, place, { table, size, streamCount }), end, table };
}

interface Sizes {
  readonly size: number;
  readonly packedSize: number;
  readonly start: number;
  readonly streamCount: number;
}

function plainSizes(bytes: Uint8Array, from: number, form: number): Sizes {
  const [first = 0, second = 0, third = 0] = bytes.subarray(from, from + 3);
  const length = form === 3 ? 3 : form === 1 ? 2 : 1;
  const size =
    length === 1 ? first >> 3 : (first >> 4) + (second << 4) + (length === 3 ? third << 12 : 0);
  return { size, packedSize: size, start: from + length, streamCount: 1 };
}

function packedSizes(bytes: Uint8Array, from: number, form: number): Sizes {
  const width = [10, 10, 14, 18][form] ?? 10;
  const length = (4 + 2 * width) / 8;
  let value = 0;
  for (let at = length - 1; at >= 0; at -= 1) value = value * 256 + (bytes[from + at] ?? 0);
  const sizes = Math.floor(value / 16);
  return {
    size: sizes % 2 ** width,
    packedSize: Math.floor(sizes / 2 ** width),
    start: from + Math.ceil(length),
    streamCount: form === 0 ? 1 : 4,
  };
}

const jumpBytes = 6;

function unpacked(
  bytes: Uint8Array,
  { from, to }: { readonly from: number; readonly to: number },
  coded: { readonly table: HuffmanTable; readonly size: number; readonly streamCount: number },
): Uint8Array {
  const { table, size, streamCount } = coded;
  const literals = new Uint8Array(size);
  if (streamCount === 1) {
    decodeHuffman(table, new BackwardBits(bytes, from, to), literals);
    return literals;
  }
  const part = (size + 3) >> 2;
  if (from + jumpBytes > to || 3 * part > size) throw new ZstdFault("Literals are cut.");
  let at = from + jumpBytes;
  for (let stream = 0; stream < 4; stream += 1) {
    const low = bytes[from + 2 * stream] ?? 0;
    const end = stream === 3 ? to : at + low + ((bytes[from + 2 * stream + 1] ?? 0) << 8);
    if (end > to) throw new ZstdFault("Literals are cut.");
    const own = literals.subarray(stream * part, stream === 3 ? size : (stream + 1) * part);
    decodeHuffman(table, new BackwardBits(bytes, at, end), own);
    at = end;
  }
  return literals;
}
