/** What the simulated provider says: words drawn from a seed, or arguments made from a tool's schema. No language model. */

import { createHash } from "node:crypto";

import { type Random, seededRandom } from "#kernel/index.ts";

import type { SimulatedRequest } from "./request.ts";

export interface Answer {
  readonly id: string;
  /** Pieces of text as a stream sends them; each counts as one token. */
  readonly tokens: readonly string[];
  readonly toolCall: { readonly id: string; readonly name: string } | undefined;
  readonly finishReason: "stop" | "length" | "tool_calls";
  readonly inputTokens: number;
}

const words = (
  "a the of to in and is that it for on with as be at by this from or an are was has had not but they which one we all " +
  "boundary trace span service queue stream token model prompt request reply signal limit order cause proof record state " +
  "holds breaks waits flows opens closes starts ends slow fast small large first last"
).split(" ");
const label = "[simulated]";
const sentenceLength = 9;
const tokenCountMin = 24;
const tokenCountSpread = 40;
const charactersPerToken = 4;
const schemaDepthMax = 8;
const schemaItemCountMax = 64;

/** The same request and seed give the same answer. */
export function composeAnswer(
  request: SimulatedRequest,
  seed: string,
  tokenCount: number | undefined,
): Answer {
  const digest = createHash("sha256")
    .update(`${seed}\u0000${request.model}\u0000${request.seed}\u0000${request.prompt}`)
    .digest("hex");
  const random = seededRandom(digest);
  const base = {
    id: `chatcmpl-simulated-${digest.slice(0, 24)}`,
    inputTokens: Math.max(1, Math.ceil(request.prompt.length / charactersPerToken)),
  };
  const tool = request.tool;
  if (tool !== undefined) {
    const text = JSON.stringify(exampleOf(tool.parameters, random, 0));
    return {
      ...base,
      tokens: split(text),
      toolCall: { id: `call_${digest.slice(24, 48)}`, name: tool.name },
      finishReason: "tool_calls",
    };
  }
  const tokens =
    request.schema === undefined
      ? speak(random, tokenCount ?? tokenCountMin + random.integer(tokenCountSpread))
      : split(JSON.stringify(exampleOf(request.schema, random, 0)));
  const cut = tokens.length > request.maxTokens;
  return {
    ...base,
    tokens: cut ? tokens.slice(0, request.maxTokens) : tokens,
    toolCall: undefined,
    finishReason: cut ? "length" : "stop",
  };
}

function speak(random: Random, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    if (index === 0) return label;
    const word = words[random.integer(words.length)] ?? label;
    const place = (index - 1) % sentenceLength;
    const spelled = place === 0 ? word.charAt(0).toUpperCase() + word.slice(1) : word;
    return ` ${spelled}${place === sentenceLength - 1 || index === count - 1 ? "." : ""}`;
  });
}

/** Cuts text into pieces of a token's size. */
function split(text: string): string[] {
  return text.match(new RegExp(`[^]{1,${charactersPerToken * 2}}`, "gu")) ?? [text];
}

/** A value that a JSON Schema describes, as far as its commonest keywords tell. */
function exampleOf(schema: unknown, random: Random, depth: number): unknown {
  if (typeof schema !== "object" || schema === null || depth > schemaDepthMax) return {};
  const known = schema as Readonly<Record<string, unknown>>;
  if ("const" in known) return known["const"];
  const choices = known["enum"] ?? known["anyOf"] ?? known["oneOf"];
  if (Array.isArray(choices) && choices.length > 0) {
    const choice: unknown = choices[random.integer(choices.length)];
    return known["enum"] === choices ? choice : exampleOf(choice, random, depth + 1);
  }
  const declared = known["type"];
  const type: unknown = Array.isArray(declared) ? declared[0] : declared;
  switch (type) {
    case "string":
      return words[random.integer(words.length)] ?? label;
    case "integer":
    case "number":
      return exampleNumber(known, random);
    case "boolean":
      return random.integer(2) === 1;
    case "array":
      return [exampleOf(known["items"], random, depth + 1)];
    case "null":
      return null;
    default:
      return exampleObject(known["properties"], random, depth);
  }
}

function exampleNumber(schema: Readonly<Record<string, unknown>>, random: Random): number {
  const minimum = typeof schema["minimum"] === "number" ? Math.ceil(schema["minimum"]) : 0;
  const maximum = typeof schema["maximum"] === "number" ? schema["maximum"] : minimum + 100;
  const span = Math.floor(maximum) - minimum;
  return span < 1 ? minimum : minimum + random.integer(Math.min(span, 1_000) + 1);
}

function exampleObject(properties: unknown, random: Random, depth: number): unknown {
  if (typeof properties !== "object" || properties === null) return {};
  return Object.fromEntries(
    Object.entries(properties)
      .slice(0, schemaItemCountMax)
      .map(([name, schema]) => [name, exampleOf(schema, random, depth + 1)]),
  );
}
