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

  /** The position, and how many bytes lie before it, when a document begins with them. */
  find(
    bytes: Uint8Array,
    start: number,
    end: number,
  ): { readonly length: number; readonly position: JsonPosition } | undefined {
    const length = this.#length;
    const position = this.#position;
    if (length === 0 || position === undefined || end - start < length) return undefined;
    const isSame = this.#bytes.compare(bytes, start, start + length, 0, length) === 0;
    return isSame ? { length, position } : undefined;
  }

  clear(): void {
    this.#length = 0;
  }
}
