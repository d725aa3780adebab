/** What the simulated provider says: words drawn from a seed, or arguments made from a tool's schema. No language model. */

import { createHash } from "node:crypto";

import { type Random, seededRandom } from "#kernel/index.ts";

import type { Behaviour } from "./behaviour.ts";
import type { SimulatedRequest } from "./request.ts";

/** Pieces of text are as a stream sends them; each counts as one token. */
export interface Answer {
  /** Of the same request and seed always the same; surfaces put their prefix before it. */
  readonly id: string;
  readonly reasoning: readonly string[];
  /** The text; empty when tools are called. */
  readonly tokens: readonly string[];
  readonly calls: readonly SimulatedCall[];
  readonly finishReason: "stop" | "length" | "tool_calls";
  readonly inputTokens: number;
}

export interface SimulatedCall {
  readonly id: string;
  readonly name: string;
  /** The arguments. */
  readonly tokens: readonly string[];
}

/** All pieces of an answer count. */
export function outputTokensOf({ reasoning, tokens, calls }: Answer): number {
  return calls.reduce((sum, call) => sum + call.tokens.length, reasoning.length + tokens.length);
}

const words = (
  "a the of to in and is that it for on with as be at by this from or an are was has had not but they which one we all " +
  "boundary trace span service queue stream token model prompt request reply signal limit order cause proof record state " +
  "holds breaks waits flows opens closes starts ends slow fast small large first last"
).split(" ");
const label = "[simulated]";
const sentenceLength = 9;
const reasoningCountDefault = 8;
const tokenCountMin = 24;
const tokenCountSpread = 40;
const charactersPerToken = 4;
const schemaDepthMax = 8;
const schemaItemCountMax = 64;

/** The same request and seed give the same answer. */
export function composeAnswer(
  request: SimulatedRequest,
  behaviour: Pick<Behaviour, "seed" | "tokenCount" | "reasoningCount" | "callCount">,
): Answer {
  const digest = createHash("sha256")
    .update(`${behaviour.seed}\u0000${request.model}\u0000${request.seed}\u0000${request.prompt}`)
    .digest("hex");
  const random = seededRandom(digest);
  const reasoningCount = behaviour.reasoningCount ?? (request.reasons ? reasoningCountDefault : 0);
  const base = {
    id: digest.slice(0, 24),
    reasoning:
      reasoningCount === 0 ? [] : speak(seededRandom(`${digest} reasoning`), reasoningCount),
    inputTokens: countTokens(request.prompt),
  };
  const { tool } = request;
  if (tool !== undefined) {
    const calls = Array.from({ length: behaviour.callCount }, (_, index) => ({
      id: index === 0 ? digest.slice(24, 48) : `${digest.slice(24, 46)}${index}`,
      name: tool.name,
      tokens: split(JSON.stringify(exampleOf(tool.parameters, random, 0))),
    }));
    return { ...base, tokens: [], calls, finishReason: "tool_calls" };
  }
  const tokens =
    request.schema === undefined
      ? speak(random, behaviour.tokenCount ?? tokenCountMin + random.integer(tokenCountSpread))
      : split(JSON.stringify(exampleOf(request.schema, random, 0)));
  const room = Math.max(0, request.maxTokens - reasoningCount);
  const cut = tokens.length > room;
  return {
    ...base,
    reasoning: base.reasoning.slice(0, request.maxTokens),
    tokens: cut ? tokens.slice(0, room) : tokens,
    calls: [],
    finishReason: cut ? "length" : "stop",
  };
}

/** About as many as a tokenizer would find. */
export function countTokens(text: string): number {
  return Math.max(1, Math.ceil(text.length / charactersPerToken));
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
