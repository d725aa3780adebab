/** Calls that add something and say for what: the same thing twice, and keys that were used again. */

import type { Attributes } from "../model/span.ts";
import { noParent, type Trace } from "../traces/trace.ts";
import { mark } from "../traces/marks.ts";
import { kindOf } from "../traces/vendor-span.ts";
import { operationOf } from "../traces/name-operation.ts";
import { plural } from "../text/plural.ts";
import { type Edge, edgeOf, isCall } from "./edge.ts";
import { type EffectKeys, effectKeysOf, effectKeysOfCall } from "./effect-keys.ts";
import { groupBy } from "./group-by.ts";
import type { IdempotencyCase } from "./idempotency-case.ts";
import { outcomeAt } from "./failures.ts";
import { haveSameArguments } from "./same-arguments.ts";

export interface KeyedCall {
  readonly trace: Trace;
  readonly index: number;
  readonly edge: Pick<Edge, "name" | "isDatabase" | "operation" | "callee" | "caller" | "effect">;
  readonly keys: EffectKeys;
  readonly hasFailed: boolean;
  /** The callee refused it because of its key or as a conflict. */
  readonly isRefused: boolean;
}

/** The calls of a trace that carry a key, a hash or the id of a thing; a callee's span stands in for a missing caller's. */
export function keyedCallsOf(trace: Trace): KeyedCall[] {
  const calls: KeyedCall[] = [];
  const seen = new Set<number>();
  for (let index = 0; index < trace.spans.length; index += 1) {
    if ((trace.marksOf(index) & mark.effectKey) === 0) continue;
    const { attributes } = trace.span(index);
    const keys = effectKeysOf(attributes);
    if (isEmpty(keys)) continue;
    const at = carrierOf(trace, index);
    if (at === undefined || seen.has(at)) continue;
    seen.add(at);
    const edge = isCall(trace, at) ? edgeOf(trace, at) : servedEdge(trace, at);
    // What neither has a key nor adds anything is repeated without harm.
    if (keys.idempotencyKey === undefined && edge.effect !== "adds") continue;
    const outcome = outcomeAt(trace, at);
    calls.push({
      trace,
      index: at,
      edge,
      keys: effectKeysOfCall(trace, at),
      hasFailed: outcome.hasFailed,
      isRefused: /^HTTP 4(?:00|09|12|22)$|^ALREADY_EXISTS$|^ABORTED$|^FAILED_PRECONDITION$/.test(
        outcome.code,
      ),
    });
  }
  return calls;
}

function isEmpty({ idempotencyKey, payload, things }: EffectKeys): boolean {
  return idempotencyKey === undefined && payload === undefined && things.length === 0;
}

/** The call that a span with keys belongs to: itself, or the call that brought it; a server's span without one itself. */
function carrierOf(trace: Trace, index: number): number | undefined {
  if (isCall(trace, index)) return index;
  if (kindOf(trace.span(index), trace.marksOf(index)) !== "server") return undefined;
  const parent = trace.parents[index] ?? noParent;
  return parent >= 0 && isCall(trace, parent) ? parent : index;
}

function servedEdge(trace: Trace, index: number): KeyedCall["edge"] {
  const span = trace.span(index);
  const operation = operationOf(span);
  return {
    name: `client → ${span.service} ${operation}`,
    caller: "client",
    callee: span.service,
    operation,
    isDatabase: false,
    effect: /^(?:POST|PATCH)\b/.test(operation) ? "adds" : "unknown",
  };
}

/** Keys that came again: with the same payload a safe repetition, with another one a fault. */
export function reusedKeys(calls: readonly KeyedCall[]): IdempotencyCase[] {
  const keyed = calls.filter(({ keys }) => keys.idempotencyKey !== undefined);
  const groups = groupBy(keyed, ({ edge, keys }) => `${edge.name}\n${keys.idempotencyKey}`, 2);
  return groups.flatMap((group): IdempotencyCase[] => {
    const [first] = group;
    if (first === undefined || group.length < 2) return [];
    const other = group.find((item) => differ(first, item));
    if (other === undefined || other.isRefused) {
      const isShown = other !== undefined || first.keys.payload !== undefined;
      if (!isShown) return [];
      const words =
        other === undefined
          ? "was repeated with the same idempotency key and the same payload"
          : "refused another payload under the same idempotency key";
      return [
        { edge: first.edge, kind: "key-kept", verdict: "holds", words, references: refer(group) },
      ];
    }
    return [
      {
        edge: first.edge,
        kind: "key-reused",
        verdict: "violated",
        words: `got the same idempotency key with another payload: ${difference(first, other)}`,
        references: refer([other, first]),
      },
    ];
  });
}

function differ({ keys }: KeyedCall, { keys: other }: KeyedCall): boolean {
  if (keys.payload !== undefined && other.payload !== undefined) {
    return keys.payload !== other.payload;
  }
  return things(keys) !== "" && things(other) !== "" && things(keys) !== things(other);
}

function difference({ keys }: KeyedCall, { keys: other }: KeyedCall): string {
  return keys.payload !== undefined && other.payload !== undefined
    ? `hash ${keys.payload} and ${other.payload}`
    : `${things(keys)} and ${things(other)}`;
}

function things(keys: EffectKeys): string {
  return keys.things.join(", ");
}

/** Operations of which a thing has one: an order is charged, paid and shipped once. */
const onceOperations =
  /charge|pay|capture|refund|transfer|payout|debit|withdraw|invoice|purchase|checkout|place.?order|create|submit|book|reserv|ship|issue|\bPOST \/(?:\w+\/)*(?:order|payment|invoice|booking|shipment|reservation)s?$/i;

/** The same effect for the same thing twice within one request, without a key that would make one of it. */
export function repeatedEffects(calls: readonly KeyedCall[]): IdempotencyCase[] {
  const adding = calls.filter(
    ({ edge, hasFailed, keys }) =>
      edge.effect === "adds" &&
      !hasFailed &&
      (keys.payload !== undefined ||
        (keys.things.length > 0 && isOnce(edge.operation, edge.isDatabase))),
  );
  const groups = groupBy(
    adding,
    ({ edge, keys }) => `${edge.name}\n${keys.payload ?? ""}\n${things(keys)}`,
    2,
  );
  return groups.flatMap((group): IdempotencyCase[] => {
    const [first] = group;
    const same = first === undefined ? [] : group.filter((item) => isSameEffect(first, item));
    if (first === undefined || same.length < 2) return [];
    const keys = new Set(same.map((item) => item.keys.idempotencyKey));
    const about = things(first.keys) === "" ? "the same payload" : things(first.keys);
    if (keys.size === 1 && !keys.has(undefined)) {
      return [
        {
          edge: first.edge,
          kind: "key-kept",
          verdict: "holds",
          words: `was repeated for ${about} with the same idempotency key`,
          references: refer(same),
        },
      ];
    }
    return [
      {
        edge: first.edge,
        kind: "effect-repeated",
        verdict: "violated",
        words: `took effect ${plural(same.length, "time")} for ${about} ${keys.has(undefined) ? "without an idempotency key" : "under different idempotency keys"}`,
        references: refer(same),
      },
    ];
  });
}

function isOnce(operation: string, isDatabase: boolean): boolean {
  // Rows of many kinds are written for one order; which of them is single, no name tells.
  return !isDatabase && onceOperations.test(operation);
}

function isSameEffect(left: KeyedCall, right: KeyedCall): boolean {
  return haveSameArguments(askedOf(left), askedOf(right));
}

/** What an effect made and gave back differs each time that it is made. */
const madeNames =
  /(?:transaction|charge|confirmation|receipt|tracking|created|result|auth(?:orization)?)[\w.]*[._-]?(?:id|number|code)?$/i;

function askedOf({ trace, index }: KeyedCall): Attributes {
  const { attributes } = trace.span(index);
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !madeNames.test(name)));
}

function refer(calls: readonly KeyedCall[]) {
  return calls.map(({ trace, index, keys }) => {
    const key = keys.idempotencyKey === undefined ? "no key" : `key ${keys.idempotencyKey}`;
    return trace.reference(index, `${trace.span(index).name}: ${key}`);
  });
}
