/** Tables of finite state entropy, by which numbers are coded in parts of bits (RFC 8878, section 4.1.1). */

import { type BackwardBits, highestBit, ZstdFault } from "./backward-bits.ts";

/** What each state stands for, and how it leads to the next. */
export interface FiniteStateTable {
  readonly accuracyBits: number;
  readonly symbols: Uint8Array;
  readonly bitCounts: Uint8Array;
  readonly bases: Uint16Array;
}

const symbolCountMax = 256;

/** A table in which one symbol is all there is. */
export function singleTable(symbol: number): FiniteStateTable {
  return {
    accuracyBits: 0,
    symbols: Uint8Array.of(symbol),
    bitCounts: Uint8Array.of(0),
    bases: Uint16Array.of(0),
  };
}

/** Spreads symbols over the states by how frequent they are; -1 stands for less than one state. */
export function tableOf(counts: readonly number[], accuracyBits: number): FiniteStateTable {
  const size = 1 << accuracyBits;
  const symbols = new Uint8Array(size);
  const next = new Uint16Array(counts.length);
  let high = size;
  for (const [symbol, count] of counts.entries()) {
    if (count !== -1) continue;
    high -= 1;
    symbols[high] = symbol;
    next[symbol] = 1;
  }
  const step = (size >> 1) + (size >> 3) + 3;
  let place = 0;
  for (const [symbol, count] of counts.entries()) {
    if (count <= 0) continue;
    next[symbol] = count;
    for (let done = 0; done < count; done += 1) {
      symbols[place] = symbol;
      do place = (place + step) & (size - 1);
      while (place >= high);
    }
  }
  if (place !== 0) throw new ZstdFault("The states of a table do not add up.");
  const bitCounts = new Uint8Array(size);
  const bases = new Uint16Array(size);
  for (let state = 0; state < size; state += 1) {
    const symbol = symbols[state] ?? 0;
    const value = next[symbol] ?? 0;
    next[symbol] = value + 1;
    const bitCount = accuracyBits - highestBit(value);
    bitCounts[state] = bitCount;
    bases[state] = (value << bitCount) - size;
  }
  return { accuracyBits, symbols, bitCounts, bases };
}

/** Reads the description of a table; `end` is where what follows begins. */
export function readTable(
  bytes: Uint8Array,
  from: number,
  accuracyBitsMax: number,
): { readonly table: FiniteStateTable; readonly end: number } {
  let at = from * 8;
  const read = (count: number): number => {
    let value = 0;
    for (let bit = 0; bit < count; bit += 1, at += 1) {
      const byte = bytes[at >>> 3];
      if (byte === undefined) throw new ZstdFault("A table is cut.");
      value |= ((byte >>> (at & 7)) & 1) << bit;
    }
    return value;
  };
  const accuracyBits = read(4) + 5;
  if (accuracyBits > accuracyBitsMax) throw new ZstdFault("A table is too large.");
  const counts: number[] = [];
  let left = 1 << accuracyBits;
  while (left > 0 && counts.length < symbolCountMax) {
    const bitCount = highestBit(left + 1) + 1;
    const lowMask = (1 << (bitCount - 1)) - 1;
    const threshold = (1 << bitCount) - 1 - (left + 1);
    let value = read(bitCount);
    if ((value & lowMask) < threshold) {
      at -= 1;
      value &= lowMask;
    } else if (value > lowMask) value -= threshold;
    const count = value - 1;
    left -= Math.abs(count);
    counts.push(count);
    for (let more = count === 0 ? 3 : 0; more === 3;) {
      more = read(2);
      for (let done = 0; done < more; done += 1) counts.push(0);
    }
  }
  if (left !== 0 || counts.length > symbolCountMax) {
    throw new ZstdFault("The shares of a table do not add up.");
  }
  return { table: tableOf(counts, accuracyBits), end: (at + 7) >>> 3 };
}

/** A place in a table while a stream is read. */
export class FiniteState {
  readonly #table: FiniteStateTable;
  readonly #bits: BackwardBits;
  #state: number;

  constructor(table: FiniteStateTable, bits: BackwardBits) {
    this.#table = table;
    this.#bits = bits;
    this.#state = bits.read(table.accuracyBits);
  }

  get symbol(): number {
    return this.#table.symbols[this.#state] ?? 0;
  }

  advance(): void {
    const { bases, bitCounts } = this.#table;
    this.#state = (bases[this.#state] ?? 0) + this.#bits.read(bitCounts[this.#state] ?? 0);
  }
}
