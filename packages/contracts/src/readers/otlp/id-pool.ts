/** Identifiers made from bytes, each once: what comes again is the same string, so it costs neither decoding nor memory. */

import { mixed } from "./text-pool.ts";
import { mixWord } from "./words.ts";

const countMin = 1_024;
const placeBits = 16;
const placeMask = 0xffff;
const countMax = placeMask + 1;
/** Slots for each identifier, so that few of them share one. */
const slotsPerId = 2;

/**
 * A bounded pool of identifiers of one length, which lie in the order in which they were met first. When there are too many,
 * the oldest are forgotten.
 */
export class IdPool {
  readonly #wordCount: number;
  readonly #make: (bytes: Uint8Array, from: number) => string;
  #countMax = countMin;
  #texts: string[] = [];
  /** The bytes of each identifier, four in a word. */
  #words: Int32Array;
  /** For each hash the place of the identifier that was met last of those that have it, and above it the rest of its hash. */
  #slots = new Int32Array(countMin * slotsPerId);
  #nextPlace = 0;

  /** `make` gives the text of an identifier of so many bytes, a multiple of four. */
  constructor(byteCount: number, make: (bytes: Uint8Array, from: number) => string) {
    this.#wordCount = byteCount / 4;
    this.#make = make;
    this.#words = new Int32Array(countMin * this.#wordCount);
  }

  /** Whether the identifier at a place is the one that begins at `from`. */
  isAt(place: number, view: DataView, from: number): boolean {
    const count = this.#wordCount;
    const words = this.#words;
    for (let index = 0; index < count; index += 1) {
      if (words[place * count + index] !== view.getInt32(from + index * 4, true)) return false;
    }
    // What lies behind the last place is all zero, as an identifier may be too.
    return place < this.#texts.length;
  }

  /** The text at a place that `isAt` or `placeOf` told. */
  textAt(place: number): string {
    return this.#texts[place] ?? "";
  }

  /** The place of the identifier that begins at `from`, which has one from then on. */
  placeOf(bytes: Uint8Array, view: DataView, from: number): number {
    const hash = mixed(this.#hashOf(view, from));
    const known = this.#slots[hash & (this.#slots.length - 1)] ?? 0;
    // What differs in the rest of its hash needs no look at its words, which lie far away.
    const isLikely = known >>> placeBits === hash >>> placeBits;
    if (isLikely && this.isAt(known & placeMask, view, from)) return known & placeMask;
    const text = this.#make(bytes, from);
    if (this.#nextPlace === this.#countMax) this.#startAnew();
    const place = this.#nextPlace;
    this.#nextPlace += 1;
    this.#texts[place] = text;
    const count = this.#wordCount;
    for (let index = 0; index < count; index += 1) {
      this.#words[place * count + index] = view.getInt32(from + index * 4, true);
    }
    this.#slots[hash & (this.#slots.length - 1)] = (hash & ~placeMask) | place;
    return place;
  }

  #hashOf(view: DataView, from: number): number {
    const count = this.#wordCount;
    let hash = 0;
    for (let index = 0; index < count; index += 1) {
      hash = mixWord(hash, view.getInt32(from + index * 4, true));
    }
    return hash;
  }

  /** Goes on at the first place. A pool that was filled has more room from then on: what is in use comes again soon. */
  #startAnew(): void {
    this.#nextPlace = 0;
    if (this.#countMax === countMax) return;
    this.#countMax *= 4;
    this.#texts = [];
    this.#words = new Int32Array(this.#countMax * this.#wordCount);
    this.#slots = new Int32Array(this.#countMax * slotsPerId);
  }
}

/**
 * Looks up the identifiers of one role, such as parents. Exporters write the spans of a trace together, or trace after trace in
 * the same order again and again: mostly the one that was met last comes, or the one behind it, which lies near in memory
 * where a hash leads anywhere.
 */
export class IdTrail {
  readonly #pool: IdPool;
  #place = 0;

  constructor(pool: IdPool) {
    this.#pool = pool;
  }

  /** The identifier that begins at `from` in these bytes, of which `view` is a view. */
  take(bytes: Uint8Array, view: DataView, from: number): string {
    const pool = this.#pool;
    if (!pool.isAt(this.#place, view, from)) {
      this.#place += 1;
      if (!pool.isAt(this.#place, view, from)) this.#place = pool.placeOf(bytes, view, from);
    }
    return pool.textAt(this.#place);
  }
}
