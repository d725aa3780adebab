/** Attempts after a call that may have done its work: whether a key, or nothing, made them safe. */

import type { EvidenceReference } from "../model/evidence.ts";
import { plural } from "../text/plural.ts";
import type { Trace } from "../traces/trace.ts";
import { type AttemptGroup, attemptsOf } from "./attempts.ts";
import { effectKeysOfCall, recordsRequestHeaders } from "./effect-keys.ts";
import { edgeOf } from "./edge.ts";
import { effectsMadeAgain, servedOf } from "./effects.ts";
import type { IdempotencyCase } from "./idempotency-case.ts";
import { outcomeAt } from "./failures.ts";
import { WorkBudget } from "./work-budget.ts";

/** A second run that takes less than this share of the first may only have repeated its answer. */
const replayShareMax = 0.3;

/** The cases of a trace's attempts. `recordsKeys` names the services whose spans show idempotency keys. */
export function retriedEffects(trace: Trace, recordsKeys: ReadonlySet<string>): IdempotencyCase[] {
  const budget = new WorkBudget();
  return attemptsOf(trace).flatMap((group) => {
    const { edge, calls, outcomes } = group;
    if (calls.length < 2 || edge.effect === "reads" || edge.effect === "same-when-repeated") {
      return [];
    }
    const silent = outcomes.slice(0, -1).some(({ answer }) => answer === "silent");
    if (!silent) return [];
    const found = caseOf(group, { recordsKeys, budget });
    return found === undefined ? [] : [{ edge, ...found }];
  });
}

function caseOf(
  group: AttemptGroup,
  { recordsKeys, budget }: { recordsKeys: ReadonlySet<string>; budget: WorkBudget },
): Omit<IdempotencyCase, "edge"> | undefined {
  const { trace, calls, edge, isCertain, outcomes } = group;
  const keys = calls.map((call) => effectKeysOfCall(trace, call));
  const known = keys.flatMap(({ idempotencyKey }) => idempotencyKey ?? []);
  const references = referencesOf(trace, calls);
  const after = outcomes.find(({ answer }) => answer === "silent")?.code ?? "a timeout";
  const repeated = repeatedEffect(group, budget);
  if (known.length === calls.length) {
    return new Set(known).size === 1
      ? caseOfKeptKey(group, repeated, after)
      : {
          kind: "key-changed",
          verdict: isCertain ? "violated" : "inconclusive",
          words: `was tried again after ${after} with another idempotency key, so that the callee cannot know it is the same`,
          ...(isCertain ? {} : { missing: "Whether these calls ask for the same thing." }),
          references,
        };
  }
  if (repeated.length > 0 && isCertain) {
    const { service, name } = trace.span(repeated[0] ?? 0);
    return {
      kind: "effect-repeated",
      verdict: "violated",
      words: `was tried again after ${after}, and ${service} ${name} took effect ${plural(repeated.length, "time")} without an idempotency key`,
      references: [...referencesOf(trace, repeated), ...references],
    };
  }
  // Without a key in sight an operation whose name promises no effect concerns nobody.
  if (edge.effect !== "adds") return undefined;
  const records =
    recordsKeys.has(edge.caller) ||
    keys.some(({ things }) => things.length > 0) ||
    calls.every((call) => recordsRequestHeaders(trace.span(call).attributes));
  const isProved = isCertain && (records || ranTwice(group));
  return {
    kind: "retry-without-key",
    verdict: isProved ? "violated" : "inconclusive",
    words: `was tried again after ${after}, when it may have done its work, without an idempotency key on the record`,
    ...(isProved
      ? {}
      : {
          missing:
            "Whether the requests carried an idempotency key: record the header, as `http.request.header.idempotency-key`.",
        }),
    references,
  };
}

/** A key helps only where the callee heeds it: rows that were written again show that it did not. */
function caseOfKeptKey(
  { trace, calls }: AttemptGroup,
  repeated: readonly number[],
  after: string,
): Omit<IdempotencyCase, "edge"> {
  const words = `was tried again after ${after} with the same idempotency key`;
  const references = referencesOf(trace, calls);
  const [first] = repeated;
  if (first === undefined) return { kind: "key-kept", verdict: "holds", words, references };
  const isProved = repeated.every((index) => edgeOf(trace, index).isDatabase);
  const { service, name } = trace.span(first);
  return {
    kind: "effect-repeated",
    verdict: isProved ? "violated" : "inconclusive",
    words: `${words}, and ${service} ${name} was made ${plural(repeated.length, "time")} nevertheless`,
    ...(isProved
      ? {}
      : {
          missing: `Whether ${service} ${name} carried a key of its own, so that it took effect once.`,
        }),
    references: [...referencesOf(trace, repeated), ...references],
  };
}

/** The spans of an effect that two or more attempts had, when there is one. */
function repeatedEffect({ trace, calls }: AttemptGroup, budget: WorkBudget): number[] {
  const spans = calls.map((index) => ({ trace, index }));
  return effectsMadeAgain(spans, budget).map(({ index }) => index);
}

/** Whether two callee's spans ended well after the work of a whole run, and nothing shows what they did. */
function ranTwice({ trace, calls }: AttemptGroup): boolean {
  const lengths = calls.flatMap((call) => {
    const served = servedOf(trace, call);
    if (served === undefined || outcomeAt(trace, served).hasFailed) return [];
    return [trace.span(served).durationNanos];
  });
  const [first, ...others] = lengths;
  return first !== undefined && others.some((length) => length >= first * replayShareMax);
}

function referencesOf(trace: Trace, spans: readonly number[]): EvidenceReference[] {
  return spans.map((index) =>
    trace.reference(
      index,
      `${trace.span(index).service} ${trace.span(index).name}: ${outcomeAt(trace, index).code}`,
    ),
  );
}
