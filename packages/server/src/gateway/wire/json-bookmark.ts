/** Places in a document from which the next one is read on, when it begins with the same bytes: the events of a stream do. */

import type { JsonWatch } from "./json-watch.ts";

/** Longer beginnings, and deeper places, are read anew. */
const bytesMax = 1_024;
const depthMax = 16;
/** What nearly all events of a stream share, and what those share that say a text. */
const placeCountMax = 2;

/** What a scanner knows at a place. */
export interface JsonPosition {
  readonly state: number;
  readonly depth: number;
  /** By depth, from 1 on. */
  readonly containers: ArrayLike<number>;
  readonly filled: ArrayLike<number>;
  readonly starts: ArrayLike<number>;
  readonly watches: readonly (JsonWatch | undefined)[];
  readonly watch: JsonWatch | undefined;
}

/** A position of its own, behind so many bytes. */
class JsonPlace implements JsonPosition {
  length = 0;
  state = 0;
  depth = 0;
  readonly containers: number[] = [0];
  readonly filled: number[] = [0];
  readonly starts: number[] = [0];
  readonly watches: (JsonWatch | undefined)[] = [undefined];
  watch: JsonWatch | undefined;

  take(length: number, position: JsonPosition): void {
    this.length = length;
    this.state = position.state;
    this.depth = position.depth;
    this.watch = position.watch;
    for (let index = 1; index <= position.depth; index += 1) {
      this.containers[index] = position.containers[index] ?? 0;
      this.filled[index] = position.filled[index] ?? 0;
      this.starts[index] = position.starts[index] ?? 0;
      this.watches[index] = position.watches[index];
    }
  }
}

export class JsonBookmark {
  readonly #bytes = Buffer.allocUnsafe(bytesMax);
  /** In their order, all behind the same bytes. */
  readonly #places: JsonPlace[] = [];
  #count = 0;
  /** How many of them the current document shares. */
  #sharedCount = 0;

  /** Remembers a place of the current document, which begins at `start`: behind those that it shares with earlier ones. */
  set(bytes: Uint8Array, start: number, at: { length: number; position: JsonPosition }): void {
    const index = this.#sharedCount;
    const { length, position } = at;
    if (index === placeCountMax || length > bytesMax || position.depth > depthMax) return;
    this.#bytes.set(bytes.subarray(start, start + length));
    (this.#places[index] ??= new JsonPlace()).take(length, position);
    this.#sharedCount += 1;
    this.#count = this.#sharedCount;
  }

  /** The last place before which a new document has the same bytes, and how many they are. */
  find(
    bytes: Uint8Array,
    start: number,
    end: number,
  ): (JsonPosition & { readonly length: number }) | undefined {
    for (let index = this.#count - 1; index >= 0; index -= 1) {
      const place = this.#places[index];
      if (place === undefined || end - start < place.length) continue;
      const { length } = place;
      if (this.#bytes.compare(bytes, start, start + length, 0, length) !== 0) continue;
      this.#sharedCount = index + 1;
      return place;
    }
    this.#sharedCount = 0;
    return undefined;
  }

  clear(): void {
    this.#count = 0;
    this.#sharedCount = 0;
  }
}
