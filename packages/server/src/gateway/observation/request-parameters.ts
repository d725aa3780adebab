/** Parameters of a request as OpenTelemetry's GenAI conventions name them; those that the gateway itself reads stand in the record. */

import type { Attributes } from "@faultline/contracts/model";

import type { Place, RequestFacts } from "../calls/request-reader.ts";

/** A list of stop sequences is short; a longer one is no news to anybody. */
const listBytesMax = 1_024;

/** `undefined` for the many requests that have none of them. */
export function requestParameters(
  { places, wantsJsonSchema }: RequestFacts,
  body: Buffer,
): Attributes | undefined {
  const { seed, frequencyPenalty, presencePenalty, topK, choiceCount, dimensions } = places;
  const attributes: Attributes = {};
  const note = (name: string, value: Attributes[string] | undefined): void => {
    if (value !== undefined) attributes[name] = value;
  };
  note("gen_ai.request.seed", numberOf(seed));
  note("gen_ai.request.frequency_penalty", numberOf(frequencyPenalty));
  note("gen_ai.request.presence_penalty", numberOf(presencePenalty));
  note("gen_ai.request.top_k", numberOf(topK));
  note("gen_ai.request.choice.count", numberOf(choiceCount));
  note("gen_ai.embeddings.dimension.count", numberOf(dimensions));
  note("gen_ai.request.encoding_formats", textsOf(places.encodingFormat, body));
  note("gen_ai.request.stop_sequences", textsOf(places.stop, body));
  const format = places.format?.text;
  if (format !== undefined) {
    const isJson = wantsJsonSchema || format === "json_object";
    note("gen_ai.output.type", isJson ? "json" : "text");
  }
  return Object.keys(attributes).length === 0 ? undefined : attributes;
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
  const value: unknown = JSON.parse(body.toString("utf8", place.start, place.end));
  const texts = (Array.isArray(value) ? value : [value]).filter((text) => typeof text === "string");
  return texts.length === 0 ? undefined : texts;
}
