/** How many tokens a call is charged with before it is made; what it really used settles that. */

import { gatewayLimits } from "../limits.ts";
import type { RequestFacts } from "./request-reader.ts";
import type { Surface } from "./surface.ts";

/** About what a tokenizer makes of text. */
const bytesPerToken = 4;

/** Input as its length suggests, and output as far as the caller lets it go. */
export function expectedTokens(surface: Surface, facts: RequestFacts): number {
  if (surface.name === "count-tokens") return 0;
  const input = expectedInputTokens(facts);
  if (surface.name === "embeddings") return input;
  const output = Math.max(0, Math.ceil(facts.maxTokens ?? gatewayLimits.outputTokensExpected));
  return input + output * choiceCountOf(facts);
}

/** Each choice that is made may be as long as the limit allows. */
function choiceCountOf({ places }: RequestFacts): number {
  const [given, made] = [Number(places.choiceCount?.text ?? 1), Number(places.bestOf?.text ?? 1)];
  return Math.max(1, Math.ceil(given), Math.ceil(made));
}

/** What the model is given to read: text by its length as JSON writes it, images by their number. */
export function expectedInputTokens(facts: RequestFacts): number {
  const { messages, system, tools } = facts.places;
  const bytes = [messages, system, tools].reduce(
    (sum, place) => sum + (place === undefined ? 0 : place.end - place.start),
    0,
  );
  return (
    Math.ceil(Math.max(0, bytes - facts.imageBytes) / bytesPerToken) +
    facts.imageCount * gatewayLimits.imageTokensExpected
  );
}
