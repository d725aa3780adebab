/** Agents that run a tool, or embed a text, once for each item of a list. */

import type { FindingParts } from "../../model/make-finding.ts";
import type { Snapshot } from "../../model/snapshot.ts";
import { compareText } from "../../text/compare-text.ts";
import { shorten } from "../../text/cut-text.ts";
import { plural } from "../../text/plural.ts";
import { numberOf, textOf } from "../../traces/call.ts";
import { coveredTime } from "../../traces/intervals.ts";
import { mark } from "../../traces/marks.ts";
import { operationOf } from "../../traces/name-operation.ts";
import { type Trace, tracesOf } from "../../traces/trace.ts";
import { isPageParameter, looksLikeId } from "../../traces/url-template.ts";
import {
  agentWorkOf,
  embeddedCountOf,
  offeredToolsOf,
  ownerOf,
  toolArgumentsOf,
  toolNameOf,
} from "./agent-spans.ts";
import { type BatchArgument, batchArgumentFor } from "./batch-tool.ts";
import { millis } from "../handlers.ts";

interface AgentLoopOptions {
  readonly countMin: number;
  readonly listLengthMin: number;
}

/** Runs of one tool, or embeddings by one model, for one agent or request. */
interface Group {
  readonly trace: Trace;
  readonly owner: number;
  readonly kind: "tool" | "embeddings";
  readonly name: string;
  readonly indices: number[];
}

/** The findings about agents, one for each agent and tool, sorted by name. */
export function judgeAgents(snapshot: Snapshot, options: AgentLoopOptions): FindingParts[] {
  const worst = new Map<string, { readonly weight: number; readonly parts: FindingParts }>();
  for (const trace of tracesOf(snapshot)) {
    for (const group of groupsOf(trace)) {
      const parts =
        group.kind === "tool" ? judgeTool(group, options) : judgeEmbeddings(group, options);
      if (parts === undefined) continue;
      const weight = weightOf(parts);
      const { name } = parts.subject;
      if (weight > (worst.get(name)?.weight ?? -1)) worst.set(name, { weight, parts });
    }
  }
  return [...worst]
    .sort(([left], [right]) => compareText(left, right))
    .map(([, { parts }]) => parts);
}

const verdictWeights = { violated: 2_000_000, inconclusive: 1_000_000, holds: 0 } as const;

function weightOf({ verdict, evidence }: FindingParts): number {
  return verdictWeights[verdict] + (evidence?.length ?? 0);
}

function groupsOf(trace: Trace): Iterable<Group> {
  if (!trace.hasMarks(mark.genAi | mark.vendor)) return [];
  const groups = new Map<string, Group>();
  for (let index = 0; index < trace.spans.length; index += 1) {
    if ((trace.marksOf(index) & (mark.genAi | mark.vendor)) === 0) continue;
    const span = trace.span(index);
    const kind = agentWorkOf(span, trace.marksOf(index));
    // What failed is tried again, and its repeats are no items of a list.
    if ((kind !== "tool" && kind !== "embeddings") || span.status.code === "error") continue;
    const name =
      kind === "tool"
        ? toolNameOf(span)
        : (textOf(span.attributes, "gen_ai.request.model", "embedding.model_name", "ai.model.id") ??
          "embeddings");
    const owner = ownerOf(trace, index);
    const key = `${owner}\n${kind}\n${name}`;
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { trace, owner, kind, name, indices: [index] });
    else known.indices.push(index);
  }
  return groups.values();
}

/** Arguments that are alike but for one that names another thing each time. */
interface ItemArgument {
  readonly key: string;
  readonly indices: readonly number[];
}

function judgeTool(group: Group, options: AgentLoopOptions): FindingParts | undefined {
  const item = itemArgumentOf(group);
  if (item === undefined || item.indices.length < options.countMin)
    return batchedTool(group, options);
  const { trace, name } = group;
  const batch = offeredBatch(group, item.key);
  const subject = subjectOf(group, name);
  const time = coveredTime(item.indices.map((index) => trace.span(index)));
  const turns = modelCallsBetween(group, item.indices);
  const count = item.indices.length;
  const common = {
    subject,
    boundary: "model-tool" as const,
    expected: `fewer than ${options.countMin} runs of ${name} for a list, when many can be asked for at once`,
    actual: `${count} runs of ${name} that differ only in ${item.key}, ${millis(time.unionMicros)} ms in all, ${plural(turns, "model call")} between them`,
    measures: {
      callKind: "tool",
      countMax: count,
      argument: item.key,
      modelCallCount: turns,
      unionMillis: millis(time.unionMicros),
      isParallel: time.overlaps,
    },
    evidence: item.indices.map((index) =>
      trace.reference(index, shorten(JSON.stringify(toolArgumentsOf(trace.span(index))), 2_048)),
    ),
  };
  if (batch === undefined) {
    return {
      ...common,
      verdict: "inconclusive",
      title: `${subject.name} ran ${count} times, once for each ${item.key}, but nothing shows that it could take many`,
      missing: [
        `whether ${name}, or another tool, takes many values of ${item.key} at once (gen_ai.tool.definitions)`,
      ],
      nextChecks: [
        `Look for an operation behind ${name} that takes a list, and offer it to the model.`,
      ],
    };
  }
  return {
    ...common,
    verdict: "violated",
    causeKind: "change",
    title: `${subject.name} ran ${count} times, once for each ${item.key}, although ${batch.tool} takes ${batch.argument}`,
    fixes: [
      {
        description: `Tell the model in the tool's description to collect the values and call ${batch.tool} once with ${batch.argument}.`,
        cost: 1,
      },
    ],
    nextChecks: [
      "After the repair, record the same task and check it: one run must take the list.",
    ],
  };
}

/** Whether a run took a list itself. */
function batchedTool(
  { trace, indices, name, ...group }: Group,
  options: AgentLoopOptions,
): FindingParts | undefined {
  if (indices.length >= options.countMin) return undefined;
  let longest = 0;
  let widest: number | undefined;
  for (const index of indices) {
    for (const value of Object.values(toolArgumentsOf(trace.span(index)) ?? {})) {
      if (Array.isArray(value) && value.length > longest) [longest, widest] = [value.length, index];
    }
  }
  if (widest === undefined || longest < options.listLengthMin) return undefined;
  const subject = subjectOf({ trace, indices, name, ...group }, name);
  return {
    verdict: "holds",
    boundary: "model-tool",
    subject,
    title: `${subject.name} took a list of ${longest} at once`,
    actual: `${plural(indices.length, "run")} for a list of ${longest}`,
    measures: { callKind: "tool", countMax: indices.length, listLengthMax: longest },
    evidence: [trace.reference(widest)],
  };
}

function itemArgumentOf({ trace, indices }: Group): ItemArgument | undefined {
  const [first, ...others] = indices.flatMap((index) => {
    const values = toolArgumentsOf(trace.span(index));
    return values === undefined ? [] : [{ index, values }];
  });
  if (first === undefined || others.length === 0) return undefined;
  for (const [key, value] of Object.entries(first.values)) {
    if (!isItem(key, value)) continue;
    const rest = restOf(first.values, key);
    const alike = others.filter(
      ({ values }) => isItem(key, values[key]) && restOf(values, key) === rest,
    );
    const distinct = new Map([[String(value), first.index]]);
    for (const { index, values } of alike) {
      const text = String(values[key]);
      if (!distinct.has(text)) distinct.set(text, index);
    }
    if (distinct.size > 1) return { key, indices: [...distinct.values()] };
  }
  return undefined;
}

function restOf(values: Readonly<Record<string, unknown>>, key: string): string {
  const others = Object.entries(values).filter(([name]) => name !== key);
  return JSON.stringify(others.sort(([left], [right]) => compareText(left, right)));
}

/** Whether an argument names a thing of a list: an id or a short name, but no page, question, path or command. */
function isItem(key: string, value: unknown): boolean {
  if (isPageParameter(key)) return false;
  if (
    /page|offset|cursor|query|question|prompt|text|path|file|url|command|code_?block|content|message|step|thought/i.test(
      key,
    )
  ) {
    return false;
  }
  if (typeof value === "number") return Number.isInteger(value);
  if (typeof value !== "string" || value.length > 128) return false;
  return looksLikeId(value) || (isNameOfThing.test(key) && value.split(/\s+/).length <= 3);
}

const isNameOfThing =
  /(?:id|key|sku|name|email|symbol|ticker|city|code|slug|number|country|user|customer|product|item)$/i;

function offeredBatch({ trace, owner, name }: Group, key: string): BatchArgument | undefined {
  if (owner < 0) return undefined;
  const candidates = [owner, ...trace.children(owner)];
  for (const index of candidates) {
    const batch = batchArgumentFor(offeredToolsOf(trace.span(index)), name, key);
    if (batch !== undefined) return batch;
  }
  return undefined;
}

function modelCallsBetween({ trace, owner }: Group, indices: readonly number[]): number {
  const [first, last] = [indices[0], indices.at(-1)];
  if (owner < 0 || first === undefined || last === undefined) return 0;
  let count = 0;
  for (const child of trace.children(owner)) {
    if (child <= first || child >= last) continue;
    if (agentWorkOf(trace.span(child), trace.marksOf(child)) === "model") count += 1;
  }
  return count;
}

/** Texts of up to this many tokens are single ones, not batches. */
const singleTokensMax = 512;

function judgeEmbeddings(group: Group, options: AgentLoopOptions): FindingParts | undefined {
  const { trace, indices, name } = group;
  const counts = indices.map((index) => embeddedCountOf(trace.span(index)));
  const many = counts.find((count) => (count ?? 0) >= options.listLengthMin);
  const subject = subjectOf(group, `embeddings ${name}`);
  if (indices.length < options.countMin) {
    if (many === undefined) return undefined;
    return {
      verdict: "holds",
      boundary: "service-service",
      subject,
      title: `${subject.name} took ${many} texts at once`,
      actual: `${plural(indices.length, "call")} for ${many} texts`,
      measures: { callKind: "embeddings", countMax: indices.length, listLengthMax: many },
      evidence: indices.map((index) => trace.reference(index)),
    };
  }
  if (counts.some((count) => (count ?? 1) > 1)) return undefined;
  const areSingle = indices.every((index, at) => counts[at] === 1 || hasFewTokens(trace, index));
  const time = coveredTime(indices.map((index) => trace.span(index)));
  const common = {
    subject,
    boundary: "service-service" as const,
    expected: `fewer than ${options.countMin} calls for a list of texts: embedding models take many at once`,
    actual: `${indices.length} calls, ${millis(time.unionMicros)} ms in all`,
    measures: {
      callKind: "embeddings",
      countMax: indices.length,
      unionMillis: millis(time.unionMicros),
      isParallel: time.overlaps,
    },
    evidence: indices.map((index) => trace.reference(index, trace.span(index).name)),
  };
  if (!areSingle) {
    return {
      ...common,
      verdict: "inconclusive",
      title: `${subject.name} was called ${indices.length} times, and how many texts each call took is not recorded`,
      missing: ["how many texts each call embedded, or its input tokens"],
      nextChecks: ["Look whether the code embeds one text at a time."],
    };
  }
  return {
    ...common,
    verdict: "violated",
    causeKind: "change",
    title: `${subject.name} was called ${indices.length} times for one text each`,
    fixes: [
      {
        description:
          "Give the texts of a list to the model at once, in batches as large as it allows.",
        cost: 1,
      },
    ],
    nextChecks: [
      "After the repair, record the same request and check it: few calls must take all texts.",
    ],
  };
}

function hasFewTokens(trace: Trace, index: number): boolean {
  const tokens = numberOf(
    trace.span(index).attributes,
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "llm.token_count.prompt",
    "ai.usage.tokens",
  );
  return tokens !== undefined && tokens <= singleTokensMax;
}

function subjectOf({ trace, owner }: Group, what: string): { kind: string; name: string } {
  const span = owner < 0 ? undefined : trace.span(owner);
  const agent =
    span === undefined
      ? "unknown"
      : (textOf(span.attributes, "gen_ai.agent.name", "agent.name") ?? operationOf(span));
  return {
    kind: "agent",
    name: shorten(`${span?.service ?? "unknown_service"} ${agent} ${what}`, 1_024),
  };
}
