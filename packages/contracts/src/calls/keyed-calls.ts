/** Calls that add something and say for what: the same thing twice, and keys that were used again. */

import type { Attributes } from "../model/span.ts";
import { noParent, type Trace } from "../traces/trace.ts";
import { compareText } from "../text/compare-text.ts";
import { mark } from "../traces/marks.ts";
import { operationOf } from "../traces/name-operation.ts";
import { plural } from "../text/plural.ts";
import { type Edge, edgeOf, isCall } from "./edge.ts";
import { effectsMadeAgain, type SpanAt } from "./effects.ts";
import { type EffectKeys, effectKeysOf, effectKeysOfCall } from "./effect-keys.ts";
import { groupBy } from "./group-by.ts";
import type { IdempotencyCase } from "./idempotency-case.ts";
import { wordOf } from "./attribute-value.ts";
import { outcomeAt } from "./failures.ts";
import { haveSameArguments } from "./same-arguments.ts";
import { WorkBudget } from "./work-budget.ts";

/** A call that says what it is about. What else there is to know of it is looked up when it came twice. */
export interface KeyedCall {
  readonly trace: Trace;
  readonly index: number;
  readonly keys: EffectKeys;
}

/** The calls of a trace that carry a key, a hash or the id of a thing; a callee's span stands in for a missing caller's. */
export function keyedCallsOf(trace: Trace): KeyedCall[] {
  const calls: KeyedCall[] = [];
  const seen = new Set<number>();
  let before = noParent;
  for (let index = 0; index < trace.spans.length; index += 1) {
    const marks = trace.marksOf(index);
    if ((marks & mark.database) !== 0 && isSingleRow(trace, index)) {
      calls.push({ trace, index, keys: rowKeysOf(trace, index) });
      continue;
    }
    if ((marks & mark.effectKey) === 0) continue;
    const at = carrierOf(trace, index);
    // A read is repeated without harm.
    if (at === undefined || at === before || trace.callOf(at)?.isRead === true) continue;
    const keys = effectKeysOfCall(trace, at);
    if (isEmpty(keys)) continue;
    before = at;
    if (seen.has(at)) continue;
    seen.add(at);
    calls.push({ trace, index: at, keys });
  }
  return calls;
}

/** Tables of which a thing has one row. */
const singleRows =
  /^insert (?:into )?[\w."`[\]]*?(?:order|payment|charge|invoice|refund|transfer|booking|reservation|shipment|payout|purchase|withdrawal)s?\b(?!["`\]]?\.)/;

/** Whether a span writes a row of which there is one, and the record shows its values. */
function isSingleRow(trace: Trace, index: number): boolean {
  const call = trace.callOf(index);
  if (call?.kind !== "database" || !call.shape.startsWith("insert")) return false;
  return singleRows.test(call.shape) && rowKeysOf(trace, index).payload !== undefined;
}

/** The values of a row stand for its payload: in the statement itself, or as recorded parameters. */
function rowKeysOf(trace: Trace, index: number): EffectKeys {
  const { attributes } = trace.span(index);
  const target = trace.callOf(index)?.target ?? "";
  const parameters = Object.entries(attributes)
    .filter(([name]) => /^db\..*param/.test(name))
    .sort(([left], [right]) => compareText(left, right));
  const isLiteral = !/[?]|\$\d|(?<![:\w]):\w|%s/.test(target) && /['"\d]/.test(target);
  const values = parameters.length > 0 ? JSON.stringify(parameters) : undefined;
  const payload = values ?? (isLiteral && !target.endsWith("…") ? target : undefined);
  return { ...effectKeysOf(attributes), payload };
}

/** A keyed call with all that decides about it. */
interface Judged extends KeyedCall {
  readonly edge: Pick<Edge, "name" | "isDatabase" | "operation" | "effect">;
  readonly hasFailed: boolean;
  /** The callee refused it because of its key or as a conflict. */
  readonly isRefused: boolean;
}

function judgedOf(call: KeyedCall): Judged {
  const { trace, index } = call;
  const outcome = outcomeAt(trace, index);
  return {
    ...call,
    edge: isCall(trace, index) ? edgeOf(trace, index) : servedEdge(trace, index),
    hasFailed: outcome.hasFailed,
    isRefused: /^HTTP 4(?:00|09|12|22)$|^ALREADY_EXISTS$|^ABORTED$|^FAILED_PRECONDITION$/.test(
      outcome.code,
    ),
  };
}

function isEmpty({ idempotencyKey, payload, things }: EffectKeys): boolean {
  return idempotencyKey === undefined && payload === undefined && things.length === 0;
}

/** The call that a span with keys belongs to: itself, or the call that brought it; a server's span without one itself. */
function carrierOf(trace: Trace, index: number): number | undefined {
  if (isCall(trace, index)) return index;
  if (trace.kindAt(index) !== "server") return undefined;
  const parent = trace.parents[index] ?? noParent;
  return parent >= 0 && isCall(trace, parent) ? parent : index;
}

function servedEdge(trace: Trace, index: number): Judged["edge"] {
  const span = trace.span(index);
  const operation = operationOf(span);
  return {
    name: `client → ${span.service} ${operation}`,
    operation,
    isDatabase: false,
    effect: /^(?:POST|PATCH)\b/.test(operation) ? "adds" : "unknown",
  };
}

/** Keys that came again: with the same payload a safe repetition, with another one a fault. */
export function reusedKeys(calls: readonly KeyedCall[]): IdempotencyCase[] {
  const budget = new WorkBudget();
  const keyed = calls.filter(({ keys }) => keys.idempotencyKey !== undefined);
  const sameKey = groupBy(keyed, ({ keys }) => keys.idempotencyKey ?? "", 2);
  const groups = sameKey.flatMap((group) =>
    groupBy(group.map(judgedOf), ({ edge }) => edge.name, 2),
  );
  return groups.flatMap((group): IdempotencyCase[] => {
    const [first] = group;
    if (first === undefined || group.length < 2) return [];
    const other = group.find((item) => differ(first, item));
    if (other === undefined || other.isRefused) {
      const isShown = other !== undefined || first.keys.payload !== undefined;
      if (!isShown) return [];
      // A key helps only where the callee heeds it.
      const again = effectsMadeAgain(group, budget);
      if (again.length > 0) return [madeAgain(first.edge, again, group)];
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

/** What was made below two requests of one key: rows prove that the key was not heeded, calls may have had their own. */
function madeAgain(
  edge: IdempotencyCase["edge"],
  again: readonly SpanAt[],
  calls: readonly KeyedCall[],
): IdempotencyCase {
  const isProved = again.every(({ trace, index }) => edgeOf(trace, index).isDatabase);
  const [made] = again.map(({ trace, index }) => trace.span(index));
  const what = `${made?.service} ${made?.name}`;
  return {
    edge,
    kind: "effect-repeated",
    verdict: isProved ? "violated" : "inconclusive",
    words: `was repeated with the same idempotency key, and ${what} was made ${plural(again.length, "time")} nevertheless`,
    ...(isProved
      ? {}
      : { missing: `Whether ${what} carried a key of its own, so that it took effect once.` }),
    references: [
      ...again.map(({ trace, index }) => trace.reference(index, trace.span(index).name)),
      ...refer(calls),
    ],
  };
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

/** What is done once for a thing, whatever the thing is. */
const onceWords =
  /\b(?:charges?|pay|payments?|captures?|refunds?|payouts?|debit|withdraw|withdrawals?|purchases?|checkout|transfers?)\b/;
/** What is done once for a thing when its name comes last: `CreateOrder`, `POST /orders`, but not an order's items. */
const makingWords = /\b(?:create|submit|book|place|issue|post|add)\b/;

/** The same effect for the same thing twice within one request, without a key that would make one of it. */
export function repeatedEffects(calls: readonly KeyedCall[]): IdempotencyCase[] {
  if (calls.length < 2) return [];
  const budget = new WorkBudget();
  const about = groupBy(calls, ({ keys }) => `${keys.payload ?? ""}\n${things(keys)}`, 2);
  const groups = about.flatMap((group) =>
    groupBy(group.map(judgedOf).filter(isEffect), ({ edge }) => edge.name, 2),
  );
  return groups.flatMap((group): IdempotencyCase[] => {
    const [first] = group;
    const lasting = group.filter((item) => !item.edge.isDatabase || !mayBeTakenBack(item));
    const same = first === undefined ? [] : lasting.filter((item) => isSameEffect(first, item));
    if (first === undefined || same.length < 2) return [];
    const keys = new Set(same.map((item) => item.keys.idempotencyKey));
    const about = things(first.keys) === "" ? "the same payload" : things(first.keys);
    if (keys.size === 1 && !keys.has(undefined)) {
      const again = effectsMadeAgain(same, budget);
      if (again.length > 0) return [madeAgain(first.edge, again, same)];
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

function isEffect({ edge, hasFailed, keys }: Judged): boolean {
  if (edge.effect !== "adds" || hasFailed) return false;
  if (keys.payload !== undefined) return true;
  // Rows of many kinds are written for one order; which of them is single, no name tells.
  return keys.things.length > 0 && !edge.isDatabase && isOnce(edge.operation, keys.things);
}

/** Whether a row may have been rolled back: work above it failed, or its service rolled something back after it. */
function mayBeTakenBack({ trace, index }: KeyedCall): boolean {
  const { service } = trace.span(index);
  for (let at = trace.parents[index] ?? noParent; at >= 0; at = trace.parents[at] ?? noParent) {
    if (trace.span(at).service !== service) break;
    if (outcomeAt(trace, at).hasFailed) return true;
  }
  for (let after = index + 1; after < trace.spans.length; after += 1) {
    const span = trace.span(after);
    if (span.service !== service || (trace.marksOf(after) & mark.database) === 0) continue;
    const { attributes } = span;
    const statement = wordOf(attributes, "db.query.text", "db.statement", "db.operation.name");
    if (/^\s*rollback/i.test(statement ?? span.name) || outcomeAt(trace, after).hasFailed)
      return true;
  }
  return false;
}

/** Whether an operation makes one effect for the things that it names. */
function isOnce(operation: string, named: readonly string[]): boolean {
  // Of a path and of a service's method the last part says what is done; a POST to a list makes one of it.
  const plain = operation.replace(/\/?\{id\}/g, "");
  const words =
    `${operation.startsWith("POST ") ? "post " : ""}${plain.slice(plain.lastIndexOf("/") + 1)}`
      .replace(/([a-z])([A-Z])/g, "$1 $2")
      .toLowerCase();
  if (onceWords.test(words)) return true;
  if (!makingWords.test(words)) return false;
  const last = /([a-z]+?)s?$/.exec(words)?.[1];
  return (
    last !== undefined &&
    named.some((thing) => thing.split("=", 1)[0]?.toLowerCase().includes(last))
  );
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
