/** The lines of logs that are read: objects as long as they are few, and bytes when they are many. */

import type { LogLine } from "../../model/evidence.ts";
import { type LastBlock, LineStore } from "./line-store.ts";
import { logLimits } from "./limits.ts";

/** How much is kept as objects. */
interface PlainLimits {
  readonly plainLineCountMax: number;
  readonly plainCharacterCountMax: number;
}

/** What the logs of one file share. */
export class LineRoom {
  readonly lastBlock: LastBlock = { read: undefined };
  readonly #limits: PlainLimits;
  #lineCount = 0;
  #characterCount = 0;

  constructor(limits: PlainLimits = logLimits) {
    this.#limits = limits;
  }

  /** Counts a line in; whether so much was read that lines are kept as bytes. */
  isFullWith(line: LogLine): boolean {
    this.#lineCount += 1;
    this.#characterCount += line.text.length;
    return (
      this.#lineCount > this.#limits.plainLineCountMax ||
      this.#characterCount > this.#limits.plainCharacterCountMax
    );
  }
}

/** The lines of one log, in their order. */
export class KeptLines {
  readonly #room: LineRoom;
  #plain: LogLine[] = [];
  #packed: { readonly store: LineStore; readonly places: number[] } | undefined;

  constructor(room: LineRoom) {
    this.#room = room;
  }

  push(line: LogLine): void {
    const isFull = this.#room.isFullWith(line);
    if (!isFull) this.#plain.push(line);
    else if (this.#packed !== undefined) this.#packed.places.push(this.#packed.store.add(line));
    else {
      const store = new LineStore(this.#room.lastBlock);
      this.#plain.push(line);
      this.#packed = { store, places: this.#plain.map((kept) => store.add(kept)) };
      this.#plain = [];
    }
  }

  /** All lines. Of a large log it is a list that makes each line when it is asked for, and cannot be changed. */
  list(): LogLine[] {
    return this.#packed === undefined
      ? this.#plain
      : listOf(this.#packed.places, this.#packed.store);
  }
}

const indexPattern = /^(?:0|[1-9]\d{0,9})$/;

function listOf(places: readonly number[], store: LineStore): LogLine[] {
  const target: LogLine[] = [];
  target.length = places.length;
  // Most who look at a line look at it several times before they go on.
  let lastPlace = -1;
  let lastLine: LogLine | undefined;
  const placeOf = (key: string | symbol): number | undefined =>
    typeof key === "string" && indexPattern.test(key) ? places[Number(key)] : undefined;
  const lineAt = (place: number): LogLine => {
    if (lastLine === undefined || place !== lastPlace) lastLine = store.at(place);
    lastPlace = place;
    return lastLine;
  };
  return new Proxy(target, {
    get: (of, key, receiver): unknown => {
      const place = placeOf(key);
      return place === undefined ? Reflect.get(of, key, receiver) : lineAt(place);
    },
    has: (of, key) => placeOf(key) !== undefined || Reflect.has(of, key),
    ownKeys: (of) => [...places.map((_, index) => String(index)), ...Reflect.ownKeys(of)],
    getOwnPropertyDescriptor: (of, key) => {
      const place = placeOf(key);
      if (place === undefined) return Reflect.getOwnPropertyDescriptor(of, key);
      return { value: lineAt(place), writable: true, enumerable: true, configurable: true };
    },
    set: () => false,
    defineProperty: () => false,
    deleteProperty: () => false,
    preventExtensions: () => false,
  });
}
