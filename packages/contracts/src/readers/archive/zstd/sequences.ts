/** Sequences of a block: how many literals come next, and what is taken again from before (RFC 8878, section 3.1.1.3.2). */

import { BackwardBits, ZstdFault } from "./backward-bits.ts";
import {
  FiniteState,
  type FiniteStateTable,
  readTable,
  singleTable,
  tableOf,
} from "./finite-state-table.ts";

/** The tables of one block, which the next may use again. */
export interface SequenceTables {
  readonly literalLengths: FiniteStateTable;
  readonly offsets: FiniteStateTable;
  readonly matchLengths: FiniteStateTable;
}

/** Literals to copy, then so many bytes from so far back; an offset up to 3 is one that was used before. */
export type TakeSequence = (literalLength: number, offset: number, matchLength: number) => void;

interface Code {
  readonly accuracyMax: number;
  readonly symbolMax: number;
  readonly usual: FiniteStateTable;
}

const few = (count: number, length: number): number[] => Array.from({ length }, () => count);
const literalCode: Code = {
  accuracyMax: 9,
  symbolMax: 35,
  usual: tableOf(
    [4, 3, ...few(2, 11), 1, 1, 1, ...few(2, 9), 3, 2, ...few(1, 5), ...few(-1, 4)],
    6,
  ),
};
const offsetCode: Code = {
  accuracyMax: 8,
  // Farther back than any entry that is expanded.
  symbolMax: 30,
  usual: tableOf([...few(1, 6), 2, 2, 2, ...few(1, 15), ...few(-1, 5)], 5),
};
const matchCode: Code = {
  accuracyMax: 9,
  symbolMax: 52,
  usual: tableOf([1, 4, 3, ...few(2, 6), ...few(1, 37), ...few(-1, 7)], 6),
};

/** Bits beyond a code, by code, and from them the least length of each. */
const literalBits = [
  ...few(0, 16),
  1,
  1,
  1,
  1,
  2,
  2,
  3,
  3,
  4,
  6,
  7,
  8,
  9,
  10,
  11,
  12,
  13,
  14,
  15,
  16,
];
const matchBits = [
  ...few(0, 32),
  1,
  1,
  1,
  1,
  2,
  2,
  3,
  3,
  4,
  4,
  5,
  7,
  8,
  9,
  10,
  11,
  12,
  13,
  14,
  15,
  16,
];
const literalBases = basesOf(literalBits, 0);
const matchBases = basesOf(matchBits, 3);

function basesOf(bits: readonly number[], first: number): number[] {
  let base = first;
  return bits.map((count) => {
    const own = base;
    base += 2 ** count;
    return own;
  });
}

/** Reads the sequences that lie from `from` to `to`, and gives the tables for the next block. */
export function readSequences(
  bytes: Uint8Array,
  { from, to }: { readonly from: number; readonly to: number },
  { known, take }: { readonly known: SequenceTables | undefined; readonly take: TakeSequence },
): SequenceTables | undefined {
  const { count, start } = countOf(bytes, from);
  if (count === 0) return known;
  const modes = bytes[start] ?? 0;
  let at = start + 1;
  const tableFor = (mode: number, code: Code, before: FiniteStateTable | undefined) => {
    const read = readMode(bytes, at, { mode, code, before });
    at = read.end;
    return read.table;
  };
  const tables = {
    literalLengths: tableFor(modes >> 6, literalCode, known?.literalLengths),
    offsets: tableFor((modes >> 4) & 3, offsetCode, known?.offsets),
    matchLengths: tableFor((modes >> 2) & 3, matchCode, known?.matchLengths),
  };
  const bits = new BackwardBits(bytes, at, to);
  const literal = new FiniteState(tables.literalLengths, bits);
  const offset = new FiniteState(tables.offsets, bits);
  const match = new FiniteState(tables.matchLengths, bits);
  for (let left = count; left > 0; left -= 1) {
    const distance = 2 ** offset.symbol + bits.read(offset.symbol);
    const matchLength = (matchBases[match.symbol] ?? 0) + bits.read(matchBits[match.symbol] ?? 0);
    const literalLength =
      (literalBases[literal.symbol] ?? 0) + bits.read(literalBits[literal.symbol] ?? 0);
    if (bits.left < 0) throw new ZstdFault("Sequences are cut.");
    take(literalLength, distance, matchLength);
    if (left === 1) break;
    literal.advance();
    match.advance();
    offset.advance();
  }
  if (bits.left !== 0) throw new ZstdFault("Sequences do not end where their bits do.");
  return tables;
}

function countOf(
  bytes: Uint8Array,
  from: number,
): { readonly count: number; readonly start: number } {
  const [first = 0, second = 0, third = 0] = bytes.subarray(from, from + 3);
  if (first < 128) return { count: first, start: from + 1 };
  if (first < 255) return { count: ((first - 128) << 8) + second, start: from + 2 };
  return { count: second + (third << 8) + 0x7f00, start: from + 3 };
}

function readMode(
  bytes: Uint8Array,
  from: number,
  told: {
    readonly mode: number;
    readonly code: Code;
    readonly before: FiniteStateTable | undefined;
  },
): { readonly table: FiniteStateTable; readonly end: number } {
  const { mode, code, before } = told;
  if (mode === 0) return { table: code.usual, end: from };
  if (mode === 3) {
    if (before === undefined) throw new ZstdFault("A block uses a table that was not told.");
    return { table: before, end: from };
  }
  const read =
    mode === 1
      ? { table: singleTable(bytes[from] ?? 0), end: from + 1 }
      : readTable(bytes, from, code.accuracyMax);
  if (read.table.symbols.some((symbol) => symbol > code.symbolMax)) {
    throw new ZstdFault("A table has a code that there is not.");
  }
  return read;
}
