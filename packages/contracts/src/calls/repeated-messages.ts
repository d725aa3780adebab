/** Messages that a consumer took in more than once, and whether they took effect more than once. */

import { plural } from "../text/plural.ts";
import { mark } from "../traces/marks.ts";
import { noParent, type Trace } from "../traces/trace.ts";
import { wordOf } from "./attribute-value.ts";
import { messageIdOf } from "./effect-keys.ts";
import { effectsBelow } from "./effects.ts";
import { groupBy } from "./group-by.ts";
import type { IdempotencyCase } from "./idempotency-case.ts";
import { outcomeAt } from "./failures.ts";
import { WorkBudget } from "./work-budget.ts";

export interface TakenMessage {
  readonly trace: Trace;
  readonly index: number;
  readonly edge: IdempotencyCase["edge"];
  readonly messageId: string;
}

/** The messages that were processed without a failure in a trace. */
export function messagesTaken(trace: Trace): TakenMessage[] {
  const taken: TakenMessage[] = [];
  for (let index = 0; index < trace.spans.length; index += 1) {
    const marks = trace.marksOf(index);
    if ((marks & mark.effectKey) === 0 || (marks & mark.consumer) === 0) continue;
    const span = trace.span(index);
    const { attributes } = span;
    const operation = wordOf(
      attributes,
      "messaging.operation.type",
      "messaging.operation.name",
      "messaging.operation",
    );
    // Receiving and settling a message are no work on it.
    if (operation !== undefined && !/process|deliver|consume|handle/i.test(operation)) continue;
    const messageId = messageIdOf(attributes);
    if (messageId === undefined || outcomeAt(trace, index).hasFailed) continue;
    if (isWithinSame(trace, index, messageId)) continue;
    const destination = wordOf(
      attributes,
      "messaging.destination.name",
      "messaging.destination",
      "messaging.source.name",
      "messaging.kafka.topic",
    );
    const group = wordOf(
      attributes,
      "messaging.consumer.group.name",
      "messaging.kafka.consumer.group",
      "messaging.kafka.consumer_group",
      "messaging.destination.subscription.name",
    );
    const consumer =
      group === undefined || group === span.service ? span.service : `${span.service} ${group}`;
    const edge = { name: `${destination ?? "queue"} → ${consumer} process`, isDatabase: false };
    taken.push({ trace, index, edge, messageId });
  }
  return taken;
}

/** Frameworks record the same message in a span of their own and one of the handler. */
function isWithinSame(trace: Trace, index: number, messageId: string): boolean {
  const { service } = trace.span(index);
  for (let at = trace.parents[index] ?? noParent; at >= 0; at = trace.parents[at] ?? noParent) {
    const above = trace.span(at);
    if (above.service !== service) return false;
    if (above.kind === "consumer" && messageIdOf(above.attributes) === messageId) return true;
  }
  return false;
}

/** The cases of messages that were processed more than once. */
export function repeatedMessages(taken: readonly TakenMessage[]): IdempotencyCase[] {
  const budget = new WorkBudget();
  return groupBy(taken, ({ edge, messageId }) => `${edge.name}\n${messageId}`, 2).flatMap(
    (group): IdempotencyCase[] => {
      const [first] = group;
      return first === undefined ? [] : [caseOf(first, group, budget)];
    },
  );
}

function caseOf(
  { edge, messageId }: TakenMessage,
  group: readonly TakenMessage[],
  budget: WorkBudget,
): IdempotencyCase {
  const walked = group.map(({ trace, index }) => effectsBelow(trace, index, budget));
  const effects = walked.map(({ byName }) => byName);
  const withEffect = group.filter((_, position) => (effects[position]?.size ?? 0) > 0);
  const references = [...group]
    .reverse()
    .map(({ trace, index }) => trace.reference(index, `message ${messageId}`));
  const times = `processed message ${messageId} ${plural(group.length, "time")}`;
  const repeated = repeatedIn(group, effects);
  if (repeated.length > 0) {
    return {
      edge,
      kind: "message-repeated",
      verdict: "violated",
      words: `${times}, and it took effect each time`,
      references: [...references, ...repeated],
    };
  }
  if (withEffect.length === 1 && walked.every(({ isWhole }) => isWhole)) {
    return {
      edge,
      kind: "key-kept",
      verdict: "holds",
      words: `${times}, and it took effect once`,
      references,
    };
  }
  return {
    edge,
    kind: "message-repeated",
    verdict: "inconclusive",
    words: `${times}, and no effect is visible below`,
    missing: "The calls and statements of the consumer: whether the message took effect once.",
    references,
  };
}

function repeatedIn(
  group: readonly TakenMessage[],
  effects: readonly ReadonlyMap<string, number>[],
) {
  const [first, ...others] = effects;
  const names = [...(first?.keys() ?? [])].filter((name) =>
    others.some((other) => other.has(name)),
  );
  return names.flatMap((name) =>
    group.flatMap(({ trace }, position) => {
      const span = effects[position]?.get(name);
      return span === undefined ? [] : [trace.reference(span, trace.span(span).name)];
    }),
  );
}
