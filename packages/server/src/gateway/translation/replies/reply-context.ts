/** What the writers of a reply know of its request. */

import type { JsonObject } from "../../wire/json-values.ts";
import type { Surface } from "../surface.ts";

/** Made with the request, needed for its reply. Plain data. */
export interface TranslationContext {
  /** The caller's surface. */
  readonly from: Surface;
  /** The provider's surface. */
  readonly to: Surface;
  readonly stream: boolean;
  /** Whether the caller asked for usage at the end of a stream; only chat completions lets one choose. */
  readonly asksForUsage: boolean;
  /** The caller's names of tools whose names had to be changed, by the changed name. */
  readonly toolNames: ReadonlyMap<string, string>;
  readonly createdSeconds: number;
  /** Fields of the request that a reply of the responses surface repeats. */
  readonly echo: JsonObject;
}

/** Writes the stream of the caller's surface. */
export interface StreamWriter<Event> {
  /** The events of the caller's stream for one event of the reply, possibly none. */
  write(event: Event): string;
}
