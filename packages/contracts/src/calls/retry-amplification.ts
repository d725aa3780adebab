/** The contract `calls/retry-amplification`: retries do not multiply from layer to layer. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { EvidenceReference } from "../model/evidence.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { shorten } from "../text/cut-text.ts";
import { plural } from "../text/plural.ts";
import { tracesInOrder } from "./traces-in-order.ts";
import { type Amplified, amplifiedCallsOf } from "./amplified-calls.ts";
import { groupBy } from "./group-by.ts";
import { boundaryOfEdge, subjectOfEdge } from "./edge.ts";

interface Options {
  readonly nestedCallCountMax: number;
  readonly attemptCountMax: number;
}

/** Calls of the worst request that a finding quotes, and attempts above them. */
const callsQuotedMax = 160;
const attemptsQuotedMax = 80;

export const retryAmplification: Contract = defineContract<Options>({
  id: "calls/retry-amplification",
  version: 1,
  boundary: "service-service",
  promise:
    "Retries happen at one layer, so that one request never becomes many calls further down.",
  reads: ["trace"],
  options: {
    nestedCallCountMax: {
      default: 3,
      description:
        "Calls that one request may become where two or more layers retry: a count of calls.",
    },
    attemptCountMax: {
      default: 5,
      description: "Attempts that a single layer may make for one request: a count of attempts.",
    },
  },
  check(snapshot, options, found) {
    const amplified = tracesInOrder(snapshot)
      .flatMap((trace) => amplifiedCallsOf(trace))
      // What one layer does too often is said at its own calls, not again at each call below them.
      .filter((item) => item.layers.length > 1 || isOwn(item) || !isExcessive(item, options))
      // Calls that may be for several things say nothing good about retries either.
      .filter((item) => item.isCertain || isExcessive(item, options));
    return groupBy(amplified, ({ edge }) => edge.name).map((group) => found(judge(group, options)));
  },
});

function judge(group: readonly Amplified[], options: Options): FindingParts {
  const excessive = group.filter((item) => isExcessive(item, options));
  const certain = excessive.filter(({ isCertain }) => isCertain);
  const worst = worstOf(certain) ?? worstOf(excessive) ?? worstOf(group);
  if (worst === undefined) throw new RangeError("A group has at least one member.");
  const { edge } = worst;
  const frame = {
    subject: subjectOfEdge(edge),
    boundary: boundaryOfEdge(edge),
    expected: `one request becomes at most ${options.nestedCallCountMax} calls where layers retry within one another, and at most ${options.attemptCountMax} attempts of a single layer`,
    actual: actualOf(worst),
    measures: {
      amplification: worst.amplification,
      callCount: worst.callCount,
      layerCount: worst.layers.length,
      attemptsByLayer: worst.layers.map(({ count }) => count).join(" × "),
      requestCount: group.length,
      requestCountExcessive: certain.length,
    },
    evidence: evidenceOf(worst),
  };
  const label = shorten(edge.name, 300);
  if (certain.length > 0) {
    return {
      ...frame,
      verdict: "violated",
      causeKind: "configuration",
      title: `${label} was called ${worst.callCount} times for what was asked ${timesWords(worst.askedCount)}: ${layerWords(worst)}`,
      fixes: fixesOf(worst),
      nextChecks: [
        "Make the callee fail again after the repair, record one request, and check that the calls are no longer multiplied.",
      ],
    };
  }
  if (excessive.length > 0) {
    return {
      ...frame,
      verdict: "inconclusive",
      title: `${label} failed ${worst.callCount} times in a row, and nothing tells whether that was one request`,
      missing: [
        "What tells attempts of one request from calls for several things: `http.request.resend_count` on the spans, or the ids that were asked for.",
      ],
      nextChecks: ["Look up in the caller whether it retries or loops over a list at this place."],
    };
  }
  return {
    ...frame,
    verdict: "holds",
    title: `${label} was retried without multiplying: at most ${plural(worst.callCount, "call")} for what was asked ${timesWords(worst.askedCount)}`,
  };
}

function isOwn({ edge, layers }: Amplified): boolean {
  return layers[0]?.edge.name === edge.name;
}

function isExcessive({ layers, amplification }: Amplified, options: Options): boolean {
  return layers.length > 1
    ? amplification > options.nestedCallCountMax
    : amplification > options.attemptCountMax;
}

function worstOf(group: readonly Amplified[]): Amplified | undefined {
  let worst: Amplified | undefined;
  for (const item of group) {
    if (worst === undefined || item.amplification > worst.amplification) worst = item;
  }
  return worst;
}

function layerWords({ layers }: Amplified): string {
  const words = layers.map(({ edge, count }) => `${count} attempts by ${edge.caller}`);
  return shorten(words.join(", each of them "), 500);
}

function actualOf(item: Amplified): string {
  const { callCount, askedCount, amplification } = item;
  return `${callCount} calls for ${askedCount} that were asked for, ${amplification} times as many; ${layerWords(item)}.`;
}

function evidenceOf({ trace, calls, layers }: Amplified): EvidenceReference[] {
  const own = calls
    .slice(0, callsQuotedMax)
    .map((call) => trace.reference(call, trace.span(call).name));
  const above = layers
    .flatMap((layer) => layer.calls)
    .slice(0, attemptsQuotedMax)
    .map((call) => trace.reference(call, trace.span(call).name));
  return [...own, ...above];
}

function fixesOf({ layers }: Amplified): NonNullable<FindingParts["fixes"]> {
  const [outer] = layers;
  const inner = layers.at(-1);
  if (outer === undefined || inner === undefined || layers.length === 1) {
    return [
      {
        description: `Allow ${outer?.edge.caller ?? "the caller"} at most two retries, under a budget of about a tenth of its calls.`,
        cost: 1,
      },
    ];
  }
  return [
    {
      description: `Retry at one layer only: take the retries out of ${inner.edge.caller}, and let ${outer.edge.caller} decide; or the other way round where only ${inner.edge.caller} knows whether another attempt makes sense.`,
      cost: 1,
    },
    {
      description:
        "Answer with an error that is not to be retried when a layer's own attempts are used up, so that no layer above begins anew.",
      cost: 2,
    },
    {
      description:
        "Give each client a retry budget of about a tenth of its calls, so that an outage cannot multiply the load.",
      cost: 3,
    },
  ];
}

function timesWords(count: number): string {
  return count === 1 ? "once" : plural(count, "time");
}
