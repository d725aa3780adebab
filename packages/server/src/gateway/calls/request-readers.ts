/** One reader of requests for each surface: a request is read in one go, so that a reader serves one after another. */

import { RequestReader } from "./request-reader.ts";
import type { Surface } from "./surface.ts";

export class RequestReaders {
  readonly #bySurface = new Map<Surface, RequestReader>();

  of(surface: Surface): RequestReader {
    let reader = this.#bySurface.get(surface);
    if (reader === undefined) {
      reader = new RequestReader(surface.request);
      this.#bySurface.set(surface, reader);
    }
    return reader;
  }
}
