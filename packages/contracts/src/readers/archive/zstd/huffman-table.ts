/** Huffman codes of literals (RFC 8878, section 4.2). */

import { BackwardBits, highestBit, ZstdFault } from "./backward-bits.ts";
import { FiniteState, readTable } from "./finite-state-table.ts";

/** What each run of bits stands for. */
export interface HuffmanTable {
  readonly bitCountMax: number;
  readonly symbols: Uint8Array;
  readonly bitCounts: Uint8Array;
}

const bitCountLimit = 11;
const weightAccuracyMax = 6;
const symbolCountMax = 256;

/** Reads the description of a code; `end` is where what follows begins. */
export function readHuffmanTable(
  bytes: Uint8Array,
  from: number,
  to: number,
): { readonly table: HuffmanTable; readonly end: number } {
  const head = bytes[from] ?? 0;
  if (head < 128) {
    const end = from + 1 + head;
    if (head === 0 || end > to) throw new ZstdFault("A code is cut.");
    return { table: codeOf(packedWeights(bytes, from + 1, end)), end };
  }
  const count = head - 127;
  const end = from + 1 + ((count + 1) >> 1);
  if (end > to) throw new ZstdFault("A code is cut.");
  const weights = Array.from({ length: count }, (_, index) => {
    const byte = bytes[from + 1 + (index >> 1)] ?? 0;
    return index % 2 === 0 ? byte >> 4 : byte & 15;
  });
  return { table: codeOf(weights), end };
}

/** Weights that two states tell in turn, until the bits are over. */
function packedWeights(bytes: Uint8Array, from: number, to: number): number[] {
  const { table, end } = readTable(bytes, from, weightAccuracyMax);
  const bits = new BackwardBits(bytes, end, to);
  let [state, other] = [new FiniteState(table, bits), new FiniteState(table, bits)];
  const weights: number[] = [];
  while (weights.length < symbolCountMax) {
    weights.push(state.symbol);
    state.advance();
    if (bits.left < 0) {
      weights.push(other.symbol);
      return weights;
    }
    [state, other] = [other, state];
  }
  throw new ZstdFault("A code has too many symbols.");
}

/** The last weight is what is missing to a power of two. */
function codeOf(weights: readonly number[]): HuffmanTable {
  const sum = weights.reduce((total, weight) => total + (weight > 0 ? 2 ** (weight - 1) : 0), 0);
  if (sum === 0 || weights.length >= symbolCountMax) throw new ZstdFault("A code has no symbols.");
  const bitCountMax = sum < 2 ** bitCountLimit ? highestBit(sum) + 1 : bitCountLimit + 1;
  const left = 2 ** bitCountMax - sum;
  if (bitCountMax > bitCountLimit || (left & (left - 1)) !== 0) {
    throw new ZstdFault("The weights of a code do not add up.");
  }
  const lengths = [...weights, highestBit(left) + 1].map((weight) =>
    weight > 0 ? bitCountMax + 1 - weight : 0,
  );
  const symbols = new Uint8Array(1 << bitCountMax);
  const bitCounts = new Uint8Array(1 << bitCountMax);
  let at = 0;
  // The longest codes come first, and of one length the lowest symbols.
  for (let length = bitCountMax; length >= 1; length -= 1) {
    for (const [symbol, own] of lengths.entries()) {
      if (own !== length) continue;
      const end = at + (1 << (bitCountMax - length));
      symbols.fill(symbol, at, end);
      bitCounts.fill(length, at, end);
      at = end;
    }
  }
  return { bitCountMax, symbols, bitCounts };
}

/** Decodes one stream into `literals`, which it fills from its beginning to its end. */
export function decodeHuffman(
  { bitCountMax, symbols, bitCounts }: HuffmanTable,
  bits: BackwardBits,
  literals: Uint8Array,
): void {
  const mask = (1 << bitCountMax) - 1;
  let state = bits.read(bitCountMax);
  for (let at = 0; at < literals.length; at += 1) {
    if (bits.left <= -bitCountMax) throw new ZstdFault("Literals are cut.");
    literals[at] = symbols[state] ?? 0;
    const count = bitCounts[state] ?? 0;
    state = ((state << count) & mask) + bits.read(count);
  }
  if (bits.left !== -bitCountMax) throw new ZstdFault("Literals do not end where their bits do.");
}
