/** The lasting effects of a piece of work: successful calls below it that add something. */

import type { Trace } from "../traces/trace.ts";
import { kindOf } from "../traces/vendor-span.ts";
import { edgeOf, isCall } from "./edge.ts";
import { effectKeysOfCall } from "./effect-keys.ts";
import { outcomeAt } from "./failures.ts";
import type { WorkBudget } from "./work-budget.ts";

/** Rows that are written for each attempt on purpose. */
const recordsOfWork = /audit|_?logs?\b|history|attempt|metric|request|trace|session|heartbeat/i;

export interface Effects {
  /** What was made, each with the span that made it. */
  readonly byName: ReadonlyMap<string, number>;
  /** Whether everything below was looked at. */
  readonly isWhole: boolean;
}

/** The effects below a span. */
export function effectsBelow(trace: Trace, start: number, budget: WorkBudget): Effects {
  const effects = new Map<string, number>();
  const waiting: { index: number; mayRollBack: boolean }[] = [{ index: start, mayRollBack: false }];
  for (let step = waiting.pop(); step !== undefined; step = waiting.pop()) {
    for (const child of trace.children(step.index)) {
      if (!budget.take()) return { byName: effects, isWhole: false };
      // What a failed request wrote into its database, it may have taken back.
      const failed = hasFailed(trace, child);
      const isServer = kindOf(trace.span(child), trace.marksOf(child)) === "server";
      if (isCall(trace, child) && !failed) {
        const name = effectOf(trace, child, step.mayRollBack);
        if (name !== undefined && !effects.has(name)) effects.set(name, child);
      }
      waiting.push({ index: child, mayRollBack: step.mayRollBack || (isServer && failed) });
    }
  }
  return { byName: effects, isWhole: true };
}

/** A span by its trace. */
export interface SpanAt {
  readonly trace: Trace;
  readonly index: number;
}

/** The spans of each effect that was made below two or more of these calls, in order. */
export function effectsMadeAgain(calls: readonly SpanAt[], budget: WorkBudget): SpanAt[] {
  const byName = new Map<string, SpanAt[]>();
  for (const { trace, index } of calls) {
    for (const [name, span] of effectsBelow(trace, index, budget).byName) {
      const known = byName.get(name);
      if (known === undefined) byName.set(name, [{ trace, index: span }]);
      else known.push({ trace, index: span });
    }
  }
  return [...byName.values()]
    .filter((spans) => spans.length > 1)
    .flat()
    .filter(({ trace, index }) => !recordsOfKeys.test(edgeOf(trace, index).operation))
    .sort((left, right) => left.index - right.index);
}

/** Rows that a callee writes in order to know a key again. */
const recordsOfKeys = /idempot|dedup|inbox|processed|_keys?\b|\blocks?\b/i;

function effectOf(trace: Trace, index: number, mayRollBack: boolean): string | undefined {
  const edge = edgeOf(trace, index);
  if (edge.effect !== "adds") return undefined;
  if (edge.isDatabase && (mayRollBack || recordsOfWork.test(edge.operation))) return undefined;
  const keys = effectKeysOfCall(trace, index);
  // A key of its own makes the effect safe, whoever repeats it.
  if (keys.idempotencyKey !== undefined) return undefined;
  return [edge.name, keys.payload ?? "", ...keys.things].join("\n");
}

function hasFailed(trace: Trace, index: number): boolean {
  return outcomeAt(trace, index).hasFailed;
}

/** Whether the callee of a call finished its work without a failure, as its own span says. */
export function servedOf(trace: Trace, call: number): number | undefined {
  for (const child of trace.children(call)) {
    const span = trace.span(child);
    const isServer =
      kindOf(span, trace.marksOf(child)) === "server" || span.service !== trace.span(call).service;
    if (isServer) return child;
  }
  return undefined;
}
