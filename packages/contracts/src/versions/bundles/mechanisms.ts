/** Which changes of a bundle could make a call fail, slow or dear in the way that is seen: a mechanism, not a coincidence. */

import { isFields } from "../../model/fields.ts";
import type { Unit } from "../canary/units.ts";
import type { BundleChange } from "./bundle-diff.ts";

/** How calls fail, as far as their spans tell. */
export type FailureKind =
  | "timeout"
  | "refused"
  | "invalid"
  | "prompt value"
  | "limited"
  | "denied"
  | "provider"
  | "unknown";

/** What gets worse: how calls fail, or a figure. */
export type Symptom =
  | { readonly kind: "failures"; readonly of: FailureKind }
  | { readonly kind: "time" | "first token" | "input" | "output" | "cost" };

const failureKinds: readonly (readonly [FailureKind, RegExp])[] = [
  ["prompt value", /prompt needs|prompt takes/i],
  ["timeout", /time[_ -]?out|timed out|deadline/i],
  ["refused", /content[_-]?(?:refused|filter)|policy|safety|guardrail|refused by/i],
  ["limited", /\b429\b|provider_status_429|rate.?limit|quota|overloaded/i],
  ["denied", /\b40[13]\b|status_40[13]|unauthori[sz]ed|forbidden|permission/i],
  [
    "invalid",
    /\b4(?:00|04|13|22)\b|status_4(?:00|04|13|22)|invalid|not[_ ]found|unsupported|context.?length|too (?:long|large)/i,
  ],
  ["provider", /\b5\d\d\b|status_5\d\d|provider_|upstream|unreachable|connection/i],
];

/** How most of the calls that failed did so. */
export function failureKindOf(units: readonly Unit[]): FailureKind {
  const counts = new Map<FailureKind, number>();
  for (const { lead } of units) {
    const { attributes, status } = lead;
    const told = [
      attributes["error.type"],
      attributes["http.response.status_code"],
      status.message,
      attributes["faultline.policy.refused_by"] === undefined ? "" : "refused by policy",
    ];
    const text = told
      .filter((item) => item !== undefined)
      .map(String)
      .join(" ")
      .slice(0, 1_000);
    const kind = failureKinds.find(([, pattern]) => pattern.test(text))?.[0] ?? "unknown";
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const [most] = [...counts].sort(
    ([left, count], [right, other]) => other - count || (left < right ? -1 : 1),
  );
  return most?.[0] ?? "unknown";
}

/** How a change could bring a symptom about, in a few words; nothing where it could not. */
export function mechanismOf(change: BundleChange, symptom: Symptom): string | undefined {
  for (const [pattern, judge] of mechanisms) {
    if (pattern.test(change.pointer)) return judge(change, symptom);
  }
  return undefined;
}

type Judge = (change: BundleChange, symptom: Symptom) => string | undefined;

const mechanisms: readonly (readonly [RegExp, Judge])[] = [
  [/^\/deadlines\//, deadlineEffect],
  [/^\/targets(?:\/|$)/, targetEffect],
  [/^\/parameters\//, parameterEffect],
  [/^\/systemPrompt\/variables/, variableEffect],
  [/^\/systemPrompt/, promptEffect],
  [/^\/tools(?:\/|$)/, toolEffect],
  [/^\/retrieval/, retrievalEffect],
  [/^\/safety/, safetyEffect],
  [/^\/stream\/cache/, cacheEffect],
];

function fails(symptom: Symptom, ...kinds: readonly FailureKind[]): boolean {
  return symptom.kind === "failures" && (symptom.of === "unknown" || kinds.includes(symptom.of));
}

function deadlineEffect({ before, after }: BundleChange, symptom: Symptom): string | undefined {
  const isShorter = after !== undefined && (before === undefined || Number(after) < Number(before));
  return isShorter && fails(symptom, "timeout") ? "a shorter deadline ends calls" : undefined;
}

function targetEffect({ pointer }: BundleChange, symptom: Symptom): string | undefined {
  if (symptom.kind !== "failures")
    return "another model or route has its own speed, length and price";
  // What is declared of a target decides only which fallback may be taken.
  if (/\/supports(?:\/|$)/.test(pointer))
    return fails(symptom, "invalid", "provider")
      ? "a target is chosen or passed over by what it declares"
      : undefined;
  return fails(symptom, "timeout", "refused", "invalid", "limited", "denied", "provider")
    ? "another model or route fails in its own way"
    : undefined;
}

function parameterEffect(
  { pointer, before, after }: BundleChange,
  symptom: Symptom,
): string | undefined {
  const name = pointer.slice(pointer.lastIndexOf("/") + 1);
  if (fails(symptom, "invalid")) return `a model may refuse ${name}`;
  const isOutput = ["output", "time", "cost"].includes(symptom.kind);
  if (name === "reasoningEffort") {
    return isOutput || symptom.kind === "first token"
      ? "more thinking takes time and tokens"
      : undefined;
  }
  if (name === "maxTokens") {
    const isMore = after === undefined || Number(after) > Number(before ?? Infinity);
    if (isMore && (isOutput || fails(symptom, "timeout"))) return "answers may be longer";
    return undefined;
  }
  if (name === "parallelToolCalls")
    return symptom.kind === "time" || symptom.kind === "input"
      ? "tools are called one after the other"
      : undefined;
  return isOutput ? "answers may be of another length" : undefined;
}

function variableEffect({ before, after }: BundleChange, symptom: Symptom): string | undefined {
  if (after === undefined || !fails(symptom, "prompt value")) return undefined;
  const isNeeded = isFields(after)
    ? after["default"] === undefined
    : before !== undefined || Array.isArray(after);
  return isNeeded ? "requests without the value are refused" : undefined;
}

function promptEffect({ before, after }: BundleChange, symptom: Symptom): string | undefined {
  const [was, is] = [lengthOf(before), lengthOf(after)];
  const isLonger = is > was * 1.02;
  switch (symptom.kind) {
    case "input":
      return isLonger ? `the prompt has ${is} characters instead of ${was}` : undefined;
    case "first token":
      return isLonger ? "a longer prompt is read longer" : undefined;
    case "failures":
      return fails(symptom, "refused") || (isLonger && fails(symptom, "invalid"))
        ? "the model is told other things"
        : undefined;
    default:
      return "the model is told other things, and answers otherwise";
  }
}

function toolEffect({ before, after }: BundleChange, symptom: Symptom): string | undefined {
  const isMore = lengthOf(after) > lengthOf(before);
  switch (symptom.kind) {
    case "input":
      return isMore ? "definitions of tools are part of the input" : undefined;
    case "first token":
      return isMore ? "more definitions are read longer" : undefined;
    case "failures":
      return fails(symptom, "invalid") ? "a provider may refuse the schema of a tool" : undefined;
    default:
      return "other tools are called";
  }
}

function retrievalEffect(
  { pointer, before, after }: BundleChange,
  symptom: Symptom,
): string | undefined {
  if (symptom.kind === "failures")
    return fails(symptom, "invalid", "timeout")
      ? "other documents are put into the prompt"
      : undefined;
  const isFewer = pointer.endsWith("topK") && Number(after) < Number(before);
  return isFewer || symptom.kind === "output"
    ? undefined
    : "more documents are put into the prompt";
}

function safetyEffect({ pointer, after }: BundleChange, symptom: Symptom): string | undefined {
  if (after === undefined) return undefined;
  if (fails(symptom, "refused")) return "a rule refuses what passed before";
  const isOutput = pointer.startsWith("/safety/output") || pointer === "/safety";
  return isOutput && (symptom.kind === "first token" || symptom.kind === "time")
    ? "text is held back while a rule could still match"
    : undefined;
}

function cacheEffect({ after, before }: BundleChange, symptom: Symptom): string | undefined {
  const isLess = after === undefined || Number(after) < Number(before);
  return isLess && (symptom.kind === "time" || symptom.kind === "cost")
    ? "fewer answers come from the cache"
    : undefined;
}

function lengthOf(value: unknown): number {
  if (value === undefined) return 0;
  return typeof value === "string" ? value.length : JSON.stringify(value).length;
}
