/** What became of a request or of a call of a model: whether it failed, what it took and what it cost. */

import type { Attributes, Span } from "../../model/span.ts";

export type MeasureName = "duration" | "first token" | "input tokens" | "output tokens" | "cost";

export interface Measure {
  readonly name: MeasureName;
  /** `ms`, `tokens`, `micros`. */
  readonly unit: string;
  /** More of it is slower, or dearer. */
  readonly isTime: boolean;
}

export const measures: readonly Measure[] = [
  { name: "duration", unit: "ms", isTime: true },
  { name: "first token", unit: "ms", isTime: true },
  { name: "input tokens", unit: "tokens", isTime: false },
  { name: "output tokens", unit: "tokens", isTime: false },
  { name: "cost", unit: "micros", isTime: false },
];

/** In the order of `measures`; not a number where the spans do not tell. */
export interface Outcome {
  readonly hasFailed: boolean;
  readonly values: readonly number[];
}

/** The outcome of a span together with the calls of models that were made for it. */
export function outcomeOf(lead: Span, models: readonly Span[]): Outcome {
  const failed = hasFailed(lead);
  const isCached = models.some(({ attributes }) => attributes["faultline.cache"] === "hit");
  // What failed or came from a cache took another way, and its time and tokens say nothing of this one.
  if (failed || isCached) return { hasFailed: failed, values: noValues };
  const [first] = models;
  const duration = lead.durationNanos > 0 ? lead.durationNanos / 1e6 : Number.NaN;
  return {
    hasFailed: false,
    values: [
      duration,
      first === undefined ? Number.NaN : firstTokenMs(first.attributes),
      sumOf(models, inputTokens),
      sumOf(models, outputTokens),
      sumOf(models, costMicros),
    ],
  };
}

const noValues: readonly number[] = measures.map(() => Number.NaN);

function hasFailed({ status, attributes }: Span): boolean {
  if (status.code === "error") return true;
  const code = attributes["http.response.status_code"] ?? attributes["http.status_code"];
  return typeof code === "number" && code >= 500;
}

/** Whether a limit or a budget held a call back before it reached a model: no version is to blame for that. */
export function wasHeldBack({ attributes }: Span): boolean {
  return attributes["faultline.limit"] !== undefined;
}

function sumOf(spans: readonly Span[], read: (attributes: Attributes) => number): number {
  let sum = Number.NaN;
  for (const { attributes } of spans) {
    const value = read(attributes);
    if (value >= 0) sum = Number.isNaN(sum) ? value : sum + value;
  }
  return sum;
}

function firstTokenMs(attributes: Attributes): number {
  const seconds = numberAt(attributes, [
    "gen_ai.server.time_to_first_token",
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.client.time_to_first_chunk",
    "gen_ai.time_to_first_token",
    "llm.time_to_first_token",
  ]);
  if (!Number.isNaN(seconds)) return seconds * 1_000;
  return numberAt(attributes, [
    "ai.response.msToFirstChunk",
    "llm.latency.first_token_ms",
    "time_to_first_token_ms",
  ]);
}

function inputTokens(attributes: Attributes): number {
  return numberAt(attributes, [
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "llm.token_count.prompt",
    "llm.usage.prompt_tokens",
    "ai.usage.promptTokens",
  ]);
}

function outputTokens(attributes: Attributes): number {
  return numberAt(attributes, [
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.token_count.completion",
    "llm.usage.completion_tokens",
    "ai.usage.completionTokens",
  ]);
}

function costMicros(attributes: Attributes): number {
  const micros = numberAt(attributes, ["faultline.cost.micros"]);
  if (!Number.isNaN(micros)) return micros;
  return (
    1e6 *
    numberAt(attributes, [
      "gen_ai.usage.cost",
      "gen_ai.usage.total_cost",
      "llm.cost.total",
      "llm.usage.cost",
      "gen_ai.cost.total",
    ])
  );
}

function numberAt(attributes: Attributes, names: readonly string[]): number {
  for (const name of names) {
    const value = attributes[name];
    if (typeof value === "number" && Number.isFinite(value)) return value;
    if (typeof value === "string" && /^\d{1,18}(?:\.\d{1,9})?$/.test(value)) return Number(value);
  }
  return Number.NaN;
}
