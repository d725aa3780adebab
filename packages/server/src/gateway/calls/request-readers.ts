/** One reader of requests for each surface: a request is read in one go, so that a reader serves one after another. */

import { RequestReader } from "./request-reader.ts";
import type { Surface } from "./surface.ts";

export class RequestReaders {
  readonly #bySurface = new Map<Surface, RequestReader>();
  #depthMax: number;

  constructor(depthMax: number) {
    this.#depthMax = depthMax;
  }

  /** Works by another bound of nesting. */
  apply(depthMax: number): void {
    if (depthMax === this.#depthMax) return;
    this.#depthMax = depthMax;
    this.#bySurface.clear();
  }

  of(surface: Surface): RequestReader {
    let reader = this.#bySurface.get(surface);
    if (reader === undefined) {
      reader = new RequestReader(surface.request, this.#depthMax);
      this.#bySurface.set(surface, reader);
    }
    return reader;
  }
}
