/** Parameters of a request as OpenTelemetry's GenAI conventions name them; those that the gateway itself reads stand in the record. */

import { parseForeignJson } from "@faultline/contracts/json";
import type { Attributes } from "@faultline/contracts/model";

import type { Place, RequestFacts } from "../calls/request-reader.ts";

/** A list of stop sequences is short; a longer one is no news to anybody. */
const listBytesMax = 1_024;

type Notable = keyof RequestFacts["places"];

/** The parameters that are numbers, and the names of their attributes. */
const numbers = [
  ["seed", "gen_ai.request.seed"],
  ["frequencyPenalty", "gen_ai.request.frequency_penalty"],
  ["presencePenalty", "gen_ai.request.presence_penalty"],
  ["topK", "gen_ai.request.top_k"],
  ["choiceCount", "gen_ai.request.choice.count"],
  ["dimensions", "gen_ai.embeddings.dimension.count"],
] as const satisfies readonly (readonly [Notable, string])[];

/** Those that are texts, or lists of them. */
const texts = [
  ["encodingFormat", "gen_ai.request.encoding_formats"],
  ["stop", "gen_ai.request.stop_sequences"],
] as const satisfies readonly (readonly [Notable, string])[];

/** `undefined` for the many requests that have none of them. */
export function requestParameters(
  { places, wantsJsonSchema }: RequestFacts,
  body: Buffer,
): Attributes | undefined {
  let attributes: Attributes | undefined;
  for (const [place, name] of numbers) {
    const value = places[place] === undefined ? undefined : numberOf(places[place]);
    if (value !== undefined) (attributes ??= {})[name] = value;
  }
  for (const [place, name] of texts) {
    const value = places[place] === undefined ? undefined : textsOf(places[place], body);
    if (value !== undefined) (attributes ??= {})[name] = value;
  }
  const format = places.format?.text;
  if (format !== undefined) {
    const isJson = wantsJsonSchema || format === "json_object";
    (attributes ??= {})["gen_ai.output.type"] = isJson ? "json" : "text";
  }
  return attributes;
}

function numberOf(place: Place | undefined): number | undefined {
  if (place?.kind !== "number" || place.text === undefined) return undefined;
  const value = Number(place.text);
  return Number.isFinite(value) ? value : undefined;
}

/** A text, or a list of texts, as a list. */
function textsOf(place: Place | undefined, body: Buffer): string[] | undefined {
  if (place === undefined || place.end - place.start > listBytesMax) return undefined;
  if (place.kind !== "string" && place.kind !== "array") return undefined;
  // The reader has checked that this is JSON.
  const value: unknown = parseForeignJson(body.toString("utf8", place.start, place.end));
  const texts = (Array.isArray(value) ? value : [value]).filter((text) => typeof text === "string");
  return texts.length === 0 ? undefined : texts;
}
