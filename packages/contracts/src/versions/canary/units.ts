/** The requests and calls of models of a snapshot, in groups that do the same work. */

import type { Snapshot } from "../../model/snapshot.ts";
import type { Attributes, Span } from "../../model/span.ts";
import { concernsModels, toolOfSpan } from "../../readers/transcript/span-messages.ts";
import { isModelCall } from "../../tool-call/conversation/from-trace.ts";
import { mark } from "../../traces/marks.ts";
import { operationOf, stableName } from "../../traces/name-operation.ts";
import { type Trace, tracesOf } from "../../traces/trace.ts";
import { flagPrefix, valueText } from "./components.ts";
import { wasHeldBack } from "./measures.ts";

/** One request, or one call of a model. */
export interface Unit {
  readonly lead: Span;
  /** The calls of models that were made for it; of a call, itself. */
  readonly models: readonly Span[];
  readonly trace: Trace;
  /** The index of `lead` in its trace. */
  readonly index: number;
  /** Flags that were evaluated anywhere in the trace. */
  readonly flags: ReadonlyMap<string, string> | undefined;
}

/** Units of one service that do the same. */
export interface UnitGroup {
  readonly of: "service" | "call";
  readonly service: string;
  readonly environment: string;
  readonly operation: string;
  readonly units: Unit[];
}

/** What units there are: a sample of traces tells what they are like, before all of them are gathered. */
export interface UnitSource {
  /** Groups in one order, with the units of evenly chosen traces. */
  readonly sample: readonly UnitGroup[];
  /** How many traces each chosen one stands for. */
  readonly stride: number;
  /** The groups of these names with the units of all traces, or of so many that they are enough. */
  gather(wanted: readonly UnitGroup[]): readonly UnitGroup[];
}

const limits = {
  /** Groups that are told apart; what comes beyond them is not compared. */
  groupCountMax: 2_000,
  flagCountMax: 64,
  /** Traces that are looked at first, and about how many spans they may have together. */
  sampledTraceCountMax: 4_000,
  sampledTraceCountMin: 400,
  sampledSpanCountMax: 40_000,
  /** Units that are compared, about. */
  gatheredCountMax: 100_000,
} as const;

/** The units of a snapshot, looked at once for all contracts that compare versions. */
export function unitSourceOf(snapshot: Snapshot): UnitSource {
  const known = sourcesBySnapshot.get(snapshot);
  if (known !== undefined) return known;
  const source = makeSource(snapshot);
  sourcesBySnapshot.set(snapshot, source);
  return source;
}

/** A memory and no state: the same snapshot always has the same units. */
const sourcesBySnapshot = new WeakMap<Snapshot, UnitSource>();

function makeSource(snapshot: Snapshot): UnitSource {
  const traces = tracesOf(snapshot);
  const stride = strideOf(traces);
  const sample = groupsOf(traces, stride, undefined);
  return {
    sample,
    stride,
    gather: (wanted) => {
      if (stride === 1) return wanted;
      const count = wanted.reduce((sum, { units }) => sum + units.length, 0) * stride;
      return groupsOf(traces, Math.max(1, Math.ceil(count / limits.gatheredCountMax)), wanted);
    },
  };
}

/** Every so manyth trace is looked at. Traces are sorted by their ids, which say nothing of what is in them. */
function strideOf(traces: readonly Trace[]): number {
  const step = Math.max(1, Math.floor(traces.length / 64));
  let spanCount = 0;
  let traceCount = 0;
  for (let at = 0; at < traces.length; at += step) {
    spanCount += traces[at]?.spans.length ?? 0;
    traceCount += 1;
  }
  const fitting = Math.floor((limits.sampledSpanCountMax * traceCount) / Math.max(1, spanCount));
  const most = Math.min(
    limits.sampledTraceCountMax,
    Math.max(limits.sampledTraceCountMin, fitting),
  );
  return Math.max(1, Math.ceil(traces.length / most));
}

function groupsOf(
  traces: readonly Trace[],
  stride: number,
  wanted: readonly UnitGroup[] | undefined,
): readonly UnitGroup[] {
  const groups = new Groups(wanted);
  for (let at = 0; at < traces.length; at += stride) {
    const trace = traces[at];
    if (trace !== undefined) addTrace(trace, groups);
  }
  return groups.all();
}

const modelMarks = mark.genAi | mark.toolName;
const flagMarks = mark.version | mark.event;

function addTrace(trace: Trace, groups: Groups): void {
  const calls = trace.hasMarks(modelMarks) ? modelCallsOf(trace) : none;
  const flags = trace.hasMarks(flagMarks) ? flagsOf(trace) : undefined;
  for (const index of calls) {
    const span = trace.span(index);
    if (wasHeldBack(span)) continue;
    const units = groups.unitsOf("call", span, () => callOperation(trace, index));
    units?.push({ lead: span, models: [span], trace, index, flags });
  }
  if (groups.isWithRequests) addRequests(trace, { calls, flags, groups });
}

const none: readonly number[] = [];

/** Gathers groups: all, or those that are wanted. */
class Groups {
  readonly #groups = new Map<string, UnitGroup>();
  readonly #isClosed: boolean;
  /** Environments of resources, of which there are few. */
  readonly #environments = new Map<Attributes, string>();
  readonly #services: ReadonlySet<string>;
  /** Requests may be wanted, and not calls of models alone. */
  readonly isWithRequests: boolean;

  constructor(wanted: readonly UnitGroup[] | undefined) {
    this.#isClosed = wanted !== undefined;
    this.isWithRequests = wanted?.some(({ of }) => of === "service") ?? true;
    this.#services = new Set(wanted?.map(({ of, service }) => `${of} ${service}`));
    for (const group of wanted ?? []) this.#groups.set(keyOf(group), { ...group, units: [] });
  }

  /** Where the units like a span are kept; nothing where they are not wanted. */
  unitsOf(of: UnitGroup["of"], span: Span, operationOfSpan: () => string): Unit[] | undefined {
    const { service, resource } = span;
    if (this.#isClosed && !this.#services.has(`${of} ${service}`)) return undefined;
    const environment = this.#environmentOf(resource);
    const operation = operationOfSpan();
    const key = keyOf({ of, service, environment, operation });
    const known = this.#groups.get(key);
    if (known !== undefined) return known.units;
    if (this.#isClosed || this.#groups.size >= limits.groupCountMax) return undefined;
    const units: Unit[] = [];
    this.#groups.set(key, { of, service, environment, operation, units });
    return units;
  }

  #environmentOf(resource: Attributes): string {
    const known = this.#environments.get(resource);
    if (known !== undefined) return known;
    const environment =
      valueText(resource["deployment.environment.name"]) ??
      valueText(resource["deployment.environment"]) ??
      "";
    if (this.#environments.size < limits.groupCountMax)
      this.#environments.set(resource, environment);
    return environment;
  }

  all(): readonly UnitGroup[] {
    return [...this.#groups]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([, group]) => group);
  }
}

function keyOf(group: Pick<UnitGroup, "of" | "service" | "environment" | "operation">): string {
  return `${group.of}\n${group.service}\n${group.environment}\n${group.operation}`;
}

/** Calls of models; of one that stands within another of its service, the inner one. */
function modelCallsOf(trace: Trace): readonly number[] {
  const calls: number[] = [];
  for (let index = 0; index < trace.spans.length; index += 1) {
    if ((trace.marksOf(index) & modelMarks) === 0) continue;
    const span = trace.span(index);
    if (concernsModels(span) && isModelCall(span) && toolOfSpan(span) === undefined) {
      calls.push(index);
    }
  }
  if (calls.length < 2) return calls;
  const { parents } = trace;
  const outer = new Set<number>();
  for (const inner of calls) {
    const parent = parents[inner] ?? -1;
    if (parent >= 0 && trace.span(parent).service === trace.span(inner).service) outer.add(parent);
  }
  return outer.size === 0 ? calls : calls.filter((index) => !outer.has(index));
}

const purposeKeys = [
  "faultline.alias",
  "gen_ai.agent.name",
  "gen_ai.prompt.name",
  "prompt.name",
  "langfuse.observation.prompt.name",
  "traceloop.prompt.key",
] as const;

/** What a call is made for: the kind of call, what asks for it by name, and the work around it. */
function callOperation(trace: Trace, index: number): string {
  const { attributes, service } = trace.span(index);
  const kind =
    valueText(attributes["gen_ai.operation.name"]) ??
    valueText(attributes["llm.request.type"]) ??
    "call";
  let name = kind;
  let isNamed = false;
  for (const key of purposeKeys) {
    const purpose = attributes[key];
    if (typeof purpose !== "string") continue;
    name += ` ${purpose}`;
    isNamed = true;
  }
  const bundle = isNamed ? undefined : attributes["faultline.bundle.name"];
  if (typeof bundle === "string") return `${name} ${bundle.split("@", 1)[0] ?? ""}`;
  const parent = trace.parents[index] ?? -1;
  if (parent < 0) return name;
  const around = trace.span(parent);
  return around.service === service ? `${name} in ${stableName(around.name)}` : name;
}

function addRequests(
  trace: Trace,
  {
    calls,
    flags,
    groups,
  }: {
    readonly calls: readonly number[];
    readonly flags: Unit["flags"];
    readonly groups: Groups;
  },
): void {
  const { spans, parents } = trace;
  const modelsWithin = modelsByAncestor(trace, calls);
  for (let index = 0; index < spans.length; index += 1) {
    const span = spans[index];
    if (span === undefined) continue;
    const parent = parents[index] ?? -1;
    const isEntry =
      parent < 0
        ? span.kind !== "client" || span.parentSpanId === undefined
        : span.kind !== "client" && spans[parent]?.service !== span.service;
    if (!isEntry || calls.includes(index)) continue;
    const units = groups.unitsOf("service", span, () => operationOf(span));
    if (units === undefined) continue;
    units.push({ lead: span, models: modelsWithin.get(index) ?? [], trace, index, flags });
  }
}

const depthMax = 1_000;

/** The calls of models below each span that has any, themselves included. */
function modelsByAncestor(trace: Trace, calls: readonly number[]): ReadonlyMap<number, Span[]> {
  const models = new Map<number, Span[]>();
  for (const call of calls) {
    let at = call;
    for (let depth = 0; depth < depthMax && at >= 0; depth += 1) {
      const known = models.get(at);
      if (known === undefined) models.set(at, [trace.span(call)]);
      else known.push(trace.span(call));
      at = trace.parents[at] ?? -1;
    }
  }
  return models;
}

/** Flags by their names, as spans and their events tell of them. */
function flagsOf(trace: Trace): ReadonlyMap<string, string> | undefined {
  let flags: Map<string, string> | undefined;
  const add = (attributes: Attributes): void => {
    const key = attributes["feature_flag.key"];
    if (typeof key !== "string") return;
    const value =
      valueText(attributes["feature_flag.result.variant"]) ??
      valueText(attributes["feature_flag.variant"]) ??
      valueText(attributes["feature_flag.result.value"]);
    flags ??= new Map();
    if (value !== undefined && flags.size < limits.flagCountMax) {
      flags.set(`${flagPrefix}${key}`, value);
    }
  };
  for (const { attributes, events } of trace.spans) {
    add(attributes);
    for (const event of events) add(event.attributes);
  }
  return flags;
}
