/** The requests and calls of models of a snapshot, in groups that do the same work, as far as there may be versions to compare. */

import type { Snapshot } from "../../model/snapshot.ts";
import type { Attributes, Span } from "../../model/span.ts";
import { toolOfSpan } from "../../readers/transcript/span-messages.ts";
import { isModelCall } from "../../tool-call/conversation/from-trace.ts";
import { modelSpansOf } from "../../tool-call/model-spans.ts";
import { mark } from "../../traces/marks.ts";
import { operationOf, stableName } from "../../traces/name-operation.ts";
import { type Trace, tracesOf } from "../../traces/trace.ts";
import { componentKeys, flagPrefix, valueText } from "./components.ts";
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

/** Groups that are told apart; what comes beyond them is not compared. */
const groupCountMax = 2_000;
const flagCountMax = 64;

/** The groups of a snapshot, made once for all contracts that compare versions. */
export function unitGroupsOf(snapshot: Snapshot): readonly UnitGroup[] {
  const known = groupsBySnapshot.get(snapshot);
  if (known !== undefined) return known;
  const groups = gather(snapshot);
  groupsBySnapshot.set(snapshot, groups);
  return groups;
}

/** A memory and no state: the same snapshot always has the same groups. */
const groupsBySnapshot = new WeakMap<Snapshot, readonly UnitGroup[]>();

function gather(snapshot: Snapshot): readonly UnitGroup[] {
  const traces = tracesOf(snapshot);
  const emitters = new Emitters();
  for (const trace of traces) emitters.see(trace);
  const { hasModels, hasVersions, services } = emitters;
  if (!hasModels && !hasVersions && services.size === 0) return [];
  const groups = new Groups();
  for (const trace of traces) {
    const calls = trace.hasMarks(modelMarks) ? modelCallsOf(trace) : [];
    const flags = trace.hasMarks(flagMarks) ? flagsOf(trace) : undefined;
    for (const index of calls) {
      const span = trace.span(index);
      if (wasHeldBack(span)) continue;
      const operation = callOperation(trace, index);
      const unit = { lead: span, models: [span], trace, index, flags };
      groups.add({ of: "call", span, operation }, unit);
    }
    if (hasVersions || services.size > 0)
      addRequests({ trace, calls, flags, services, groups, hasVersions });
  }
  return groups.all();
}

const modelMarks = mark.genAi | mark.toolName;
const flagMarks = mark.version | mark.event;

/** A first, cheap look: which services have resources of more than one version, and whether spans tell of others. */
class Emitters {
  readonly services = new Set<string>();
  hasModels = false;
  hasVersions = false;
  readonly #seen = new Set<Attributes>();
  readonly #values = new Map<string, string>();

  see(trace: Trace): void {
    this.hasModels ||= trace.hasMarks(modelMarks);
    this.hasVersions ||= trace.hasMarks(mark.version);
    if (!this.hasVersions && trace.hasMarks(mark.event))
      this.hasVersions = flagsOf(trace) !== undefined;
    let last: Attributes | undefined;
    for (const { resource, service } of trace.spans) {
      if (resource === last) continue;
      last = resource;
      if (this.#seen.has(resource)) continue;
      if (this.#seen.size < resourceCountMax) this.#seen.add(resource);
      this.#seeResource(service, resource);
    }
  }

  #seeResource(service: string, resource: Attributes): void {
    if (this.services.has(service)) return;
    for (const key of serviceKeys) {
      const value = valueText(resource[key]);
      if (value === undefined) continue;
      const name = `${service}\n${environmentOf(resource)}\n${key}`;
      const known = this.#values.get(name);
      if (known === undefined) this.#values.set(name, value);
      else if (known !== value) this.services.add(service);
    }
  }
}

const resourceCountMax = 100_000;
const serviceKeys = componentKeys
  .filter(({ of, leads }) => of === "service" && leads === "always")
  .map(({ key }) => key);

function environmentOf(resource: Attributes): string {
  return (
    valueText(resource["deployment.environment.name"]) ??
    valueText(resource["deployment.environment"]) ??
    ""
  );
}

class Groups {
  readonly #groups = new Map<string, UnitGroup>();

  add(
    { of, span, operation }: { of: UnitGroup["of"]; span: Span; operation: string },
    unit: Unit,
  ): void {
    const { service, resource } = span;
    const environment = environmentOf(resource);
    const key = `${of}\n${service}\n${environment}\n${operation}`;
    const known = this.#groups.get(key);
    if (known !== undefined) known.units.push(unit);
    else if (this.#groups.size < groupCountMax) {
      this.#groups.set(key, { of, service, environment, operation, units: [unit] });
    }
  }

  all(): readonly UnitGroup[] {
    return [...this.#groups]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([, group]) => group);
  }
}

/** Calls of models; of one that stands within another of its service, the inner one. */
function modelCallsOf(trace: Trace): number[] {
  const calls = modelSpansOf(trace).filter((index) => {
    const span = trace.span(index);
    return isModelCall(span) && toolOfSpan(span) === undefined;
  });
  if (calls.length < 2) return calls;
  const outer = new Set(
    calls.map((index) => trace.parents[index] ?? -1).filter((parent) => parent >= 0),
  );
  return calls.filter((index) => {
    if (!outer.has(index)) return true;
    const { service } = trace.span(index);
    return !calls.some(
      (inner) => trace.parents[inner] === index && trace.span(inner).service === service,
    );
  });
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
  const bundle = valueText(attributes["faultline.bundle.name"])?.split("@", 1)[0];
  let name = kind;
  let isNamed = false;
  for (const key of purposeKeys) {
    const purpose = valueText(attributes[key]);
    if (purpose === undefined) continue;
    name += ` ${purpose}`;
    isNamed = true;
  }
  if (!isNamed && bundle !== undefined) return `${name} ${bundle}`;
  const parent = trace.parents[index] ?? -1;
  if (parent < 0) return name;
  const around = trace.span(parent);
  return around.service === service ? `${name} in ${stableName(around.name)}` : name;
}

function addRequests({
  trace,
  calls,
  flags,
  services,
  groups,
  hasVersions,
}: {
  readonly trace: Trace;
  readonly calls: readonly number[];
  readonly flags: Unit["flags"];
  readonly services: ReadonlySet<string>;
  readonly groups: Groups;
  readonly hasVersions: boolean;
}): void {
  const { spans, parents } = trace;
  const isCall = new Set(calls);
  for (let index = 0; index < spans.length; index += 1) {
    const span = spans[index];
    if (span === undefined || (!hasVersions && !services.has(span.service))) continue;
    const parent = parents[index] ?? -1;
    const isEntry =
      parent < 0
        ? span.kind !== "client" || span.parentSpanId === undefined
        : spans[parent]?.service !== span.service && span.kind !== "client";
    if (!isEntry || isCall.has(index)) continue;
    const models = calls
      .filter((call) => isWithin(trace, call, index))
      .map((call) => trace.span(call));
    groups.add(
      { of: "service", span, operation: operationOf(span) },
      { lead: span, models, trace, index, flags },
    );
  }
}

const depthMax = 1_000;

function isWithin({ parents }: Trace, index: number, ancestor: number): boolean {
  let at = index;
  for (let depth = 0; depth < depthMax && at >= 0; depth += 1) {
    if (at === ancestor) return true;
    at = parents[at] ?? -1;
  }
  return false;
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
    if (value !== undefined && flags.size < flagCountMax) flags.set(`${flagPrefix}${key}`, value);
  };
  for (const { attributes, events } of trace.spans) {
    add(attributes);
    for (const event of events) add(event.attributes);
  }
  return flags;
}
