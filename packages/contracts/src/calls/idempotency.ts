/** The contract `calls/idempotency`: what is repeated takes effect once. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { shorten } from "../text/cut-text.ts";
import { mark } from "../traces/marks.ts";
import { operationOf } from "../traces/name-operation.ts";
import type { Trace } from "../traces/trace.ts";
import { tracesInOrder } from "./traces-in-order.ts";
import { boundaryOfEdge, subjectOfEdge } from "./edge.ts";
import { effectKeysOf } from "./effect-keys.ts";
import { groupBy } from "./group-by.ts";
import type { IdempotencyCase } from "./idempotency-case.ts";
import { type KeyedCall, keyedCallsOf, repeatedEffects, reusedKeys } from "./keyed-calls.ts";
import { outcomeAt } from "./failures.ts";
import { messagesTaken, repeatedMessages } from "./repeated-messages.ts";
import { retriedEffects } from "./retried-effects.ts";

/** Cases that one finding quotes. */
const casesQuotedMax = 16;

export const idempotency: Contract = defineContract({
  id: "calls/idempotency",
  version: 1,
  boundary: "service-service",
  promise: "What may be sent or delivered twice takes effect once.",
  reads: ["trace"],
  options: {},
  check(snapshot, _options, found) {
    const traces = tracesInOrder(snapshot);
    const keyed = traces.map((trace) => keyedCallsOf(trace));
    const all = keyed.flat();
    const recordsKeys = new Set(
      all.flatMap(({ trace, index, keys }) =>
        keys.idempotencyKey === undefined ? [] : [trace.span(index).service],
      ),
    );
    const cases = [
      ...traces.flatMap((trace) => retriedEffects(trace, recordsKeys)),
      ...reusedKeys(all),
      ...requestsOf(traces, keyed).flatMap((calls) => repeatedEffects(calls)),
      ...repeatedMessages(traces.flatMap((trace) => (hasKeys(trace) ? messagesTaken(trace) : []))),
    ];
    return groupBy(cases, ({ edge }) => edge.name).map((group) => found(judge(group)));
  },
});

function hasKeys(trace: Trace): boolean {
  for (let index = 0; index < trace.spans.length; index += 1) {
    if ((trace.marksOf(index) & mark.effectKey) !== 0) return true;
  }
  return false;
}

/** The keyed calls of each request: of a trace, and of the traces in which the same request was made again. */
function requestsOf(traces: readonly Trace[], keyed: readonly KeyedCall[][]): KeyedCall[][] {
  const named = traces.flatMap((trace, position) => {
    const calls = keyed[position] ?? [];
    return calls.length === 0 ? [] : [{ name: nameOfRequest(trace), calls, trace }];
  });
  return groupBy(named, ({ name }) => name).flatMap((group) => {
    // Only a request that seemed to fail is made again; two that succeeded are two.
    const isRetried = group.length > 1 && group.some(({ trace }) => seemedToFail(trace));
    return isRetried ? [group.flatMap(({ calls }) => calls)] : group.map(({ calls }) => calls);
  });
}

function nameOfRequest(trace: Trace): string {
  const [root] = trace.spans;
  if (root === undefined) return trace.traceId;
  const { things, payload } = effectKeysOf(root.attributes);
  if (things.length === 0 && payload === undefined) return trace.traceId;
  return [root.service, operationOf(root), payload ?? "", ...things].join("\n");
}

function seemedToFail(trace: Trace): boolean {
  return trace.spans.length > 0 && outcomeAt(trace, 0).hasFailed;
}

function judge(group: readonly IdempotencyCase[]): FindingParts {
  const rank = { violated: 0, inconclusive: 1, holds: 2 };
  const sorted = [...group].sort((left, right) => rank[left.verdict] - rank[right.verdict]);
  const [worst] = sorted;
  if (worst === undefined) throw new RangeError("A group has at least one member.");
  const same = sorted.filter(({ verdict }) => verdict === worst.verdict);
  const words = [...new Set(same.map((item) => item.words))];
  return {
    verdict: worst.verdict,
    subject: subjectOfEdge(worst.edge),
    boundary: boundaryOfEdge(worst.edge),
    title: `${shorten(worst.edge.name, 300)} ${worst.words}`,
    expected:
      "a request or message that may come twice carries a key, the key stands for one payload, and the effect is made once",
    actual: `${words.slice(0, 8).join("; ")}.`,
    causeKind: worst.verdict === "violated" ? "configuration" : "none",
    measures: {
      caseCount: same.length,
      kinds: [...new Set(same.map(({ kind }) => kind))].join(", "),
    },
    evidence: same.slice(0, casesQuotedMax).flatMap(({ references }) => references),
    missing: same.flatMap(({ missing }) => missing ?? []),
    fixes: worst.verdict === "violated" ? fixesOf(worst.kind) : [],
    nextChecks:
      worst.verdict === "holds"
        ? []
        : [
            "Count in the callee's own records how often the effect was made for this thing.",
            "Record the same request with a timeout in its midst after the repair, and check that the effect is made once.",
          ],
  };
}

function fixesOf(kind: IdempotencyCase["kind"]): NonNullable<FindingParts["fixes"]> {
  switch (kind) {
    case "key-changed":
      return [
        {
          description:
            "Make the idempotency key once, before the first attempt, and send the same one with every further attempt.",
          cost: 1,
        },
      ];
    case "key-reused":
      return [
        {
          description: "Make a new idempotency key for each request that differs in its payload.",
          cost: 1,
        },
        {
          description:
            "Let the callee store a hash of the payload with the key, and refuse another one.",
          cost: 2,
        },
      ];
    case "message-repeated":
      return [
        {
          description:
            "Store the message's id in the transaction of its effect, and skip a message whose id is there.",
          cost: 1,
        },
      ];
    default:
      return [
        {
          description:
            "Send an idempotency key that stays the same over all attempts, and let the callee answer a repeated key from its record.",
          cost: 1,
        },
        {
          description:
            "Put a unique constraint on the business key in the callee's database, so that a second effect is refused.",
          cost: 2,
        },
      ];
  }
}
