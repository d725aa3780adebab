/** A place in a document from which the next one is read on, when it begins with the same bytes: the events of a stream do. */

import type { JsonWatch } from "./json-watch.ts";

/** Longer beginnings are read anew. */
const bytesMax = 1_024;

/** What a scanner knows at the beginning of a text. */
export interface JsonPosition {
  readonly depth: number;
  readonly containers: Uint8Array;
  readonly filled: Uint8Array;
  readonly starts: Float64Array;
  readonly watches: readonly (JsonWatch | undefined)[];
  readonly watch: JsonWatch | undefined;
}

export class JsonBookmark {
  readonly #bytes = Buffer.allocUnsafe(bytesMax);
  #length = 0;
  #position: JsonPosition | undefined;

  /** Remembers a position behind so many bytes, which begin at `start`. */
  set(bytes: Uint8Array, start: number, at: { length: number; position: JsonPosition }): void {
    this.#length = 0;
    if (at.length > bytesMax) return;
    const { depth, containers, filled, starts, watches, watch } = at.position;
    this.#bytes.set(bytes.subarray(start, start + at.length));
    this.#length = at.length;
    this.#position = {
      depth,
      containers: containers.slice(0, depth + 1),
      filled: filled.slice(0, depth + 1),
      starts: starts.slice(0, depth + 1),
      watches: watches.slice(0, depth + 1),
      watch,
    };
  }

  /** How many bytes lie before the position. */
  get length(): number {
    return this.#length;
  }

  /** The position, when a document begins with the bytes before it. */
  find(bytes: Uint8Array, start: number, end: number): JsonPosition | undefined {
    const length = this.#length;
    if (length === 0 || end - start < length) return undefined;
    const isSame = this.#bytes.compare(bytes, start, start + length, 0, length) === 0;
    return isSame ? this.#position : undefined;
  }

  clear(): void {
    this.#length = 0;
  }
}
