/** What calls of models are like, one figure or word for each conversation. */

import { isFields } from "../../model/fields.ts";
import type { Attributes, Span } from "../../model/span.ts";
import { concernsModels, toolOfSpan } from "../../readers/transcript/span-messages.ts";
import { mark } from "../../traces/marks.ts";
import type { Trace } from "../../traces/trace.ts";
import { valueText } from "../canary/components.ts";
import { measures, outcomeOf } from "../canary/measures.ts";
import type { Unit } from "../canary/units.ts";
import { parsedJson } from "../../text/json-text.ts";

export type FeatureName =
  | "input tokens"
  | "output tokens"
  | "tools"
  | "finish reasons"
  | "refusals";

/** What is compared, with the value of a unit: a number, a word, or nothing where the evidence does not say. */
export interface Feature {
  readonly name: FeatureName;
  valueOf(unit: Unit): number | string | undefined;
}

const inputTokens = measures.findIndex(({ name }) => name === "input tokens");
const outputTokens = measures.findIndex(({ name }) => name === "output tokens");

export const features: readonly Feature[] = [
  { name: "input tokens", valueOf: (unit) => figureOf(unit, inputTokens) },
  { name: "output tokens", valueOf: (unit) => figureOf(unit, outputTokens) },
  { name: "tools", valueOf: (unit) => toolsOf(unit.trace) },
  { name: "finish reasons", valueOf: ({ lead }) => finishReasonOf(lead.attributes) },
  { name: "refusals", valueOf: ({ lead }) => refusalOf(lead) },
];

function figureOf({ lead, models }: Unit, measure: number): number | undefined {
  const value = outcomeOf(lead, models).values[measure] ?? Number.NaN;
  return Number.isNaN(value) ? undefined : value;
}

const toolCountMax = 6;

/** The tools that were used in a trace: `fetch search`, or `none`. */
function toolsOf(trace: Trace): string {
  const known = toolsByTrace.get(trace);
  if (known !== undefined) return known;
  const names = new Set<string>();
  if (trace.hasMarks(mark.genAi | mark.toolName)) {
    for (let index = 0; index < trace.spans.length; index += 1) {
      if ((trace.marksOf(index) & (mark.genAi | mark.toolName)) === 0) continue;
      const span = trace.span(index);
      const ran = concernsModels(span) ? toolOfSpan(span)?.name : undefined;
      if (ran !== undefined) names.add(ran);
      for (const name of namesCalled(span.attributes)) names.add(name);
    }
  }
  const text = names.size === 0 ? "none" : [...names].sort().slice(0, toolCountMax).join(" ");
  toolsByTrace.set(trace, text);
  return text;
}

/** A memory and no state: the same trace always has the same tools. */
const toolsByTrace = new WeakMap<Trace, string>();

/** The tools that an answer calls, where it was recorded. */
function namesCalled(attributes: Attributes): string[] {
  const messages = attributes["gen_ai.output.messages"];
  if (typeof messages !== "string" || !messages.includes("tool_call")) return [];
  const list = parsedJson(messages);
  if (!Array.isArray(list)) return [];
  return list.flatMap((message: unknown) => {
    const parts = isFields(message) ? message["parts"] : undefined;
    if (!Array.isArray(parts)) return [];
    return parts.flatMap((part: unknown) =>
      isFields(part) && part["type"] === "tool_call" && typeof part["name"] === "string"
        ? [part["name"]]
        : [],
    );
  });
}

function finishReasonOf(attributes: Attributes): string | undefined {
  const reasons = attributes["gen_ai.response.finish_reasons"];
  const listed = Array.isArray(reasons) ? reasons[0] : parsedList(reasons);
  const reason =
    valueText(listed) ??
    valueText(attributes["gen_ai.response.finish_reason"]) ??
    valueText(attributes["llm.finish_reason"]) ??
    valueText(attributes["llm.response.finish_reason"]) ??
    valueText(attributes["ai.response.finishReason"]);
  return reason?.toLowerCase();
}

/** A list that an exporter wrote as JSON, or one word. */
function parsedList(value: Attributes[string] | undefined): Attributes[string] | undefined {
  if (typeof value !== "string" || !value.startsWith("[")) return value;
  const list = parsedJson(value);
  const first: unknown = Array.isArray(list) ? list[0] : undefined;
  return typeof first === "string" ? first : undefined;
}

const refusals = /content[_-]?filter|refus|safety|blocked|prohibited|guardrail|recitation/;

function refusalOf({ attributes }: Span): string | undefined {
  if (attributes["faultline.policy.refused_by"] !== undefined) return "refused";
  if (valueText(attributes["gen_ai.response.refusal"]) !== undefined) return "refused";
  const reason = finishReasonOf(attributes);
  if (reason === undefined) return undefined;
  return refusals.test(reason) ? "refused" : "answered";
}
