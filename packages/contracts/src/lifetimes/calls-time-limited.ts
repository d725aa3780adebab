/** Every call has a limit of time of its own. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { compareText } from "../text/compare-text.ts";
import { plural } from "../text/plural.ts";
import { type EndedCall, endedCallsOf, type GivingUp } from "./os-ended-calls.ts";

/** What can be set, with its default. */
const options = {
  callCountMin: {
    default: 2,
    description:
      "Calls of one client that the operating system must have ended; a limit of the client may be as long once by chance.",
  },
};

interface Options {
  readonly callCountMin: number;
}

export const callsTimeLimited: Contract = defineContract({
  id: "lifetimes/calls-time-limited",
  version: 1,
  boundary: "client-server",
  promise: "Every call has a limit of time of its own.",
  reads: ["trace"],
  options,
  check(snapshot, settings: Options, found) {
    const calls = endedCallsOf(snapshot);
    return [...Map.groupBy(calls, ({ service, peer }) => `${service} → ${peer}`)]
      .sort(([left], [right]) => compareText(left, right))
      .map(([name, list]) => found(judge(name, list, settings)));
  },
});

/** Spans that one finding points to. */
const quotedCountMax = 5;

function judge(name: string, calls: readonly EndedCall[], settings: Options): FindingParts {
  const isEnough = calls.length >= settings.callCountMin;
  const seconds = calls.map(({ trace, index }) => trace.span(index).durationNanos / 1e9);
  const ways = new Set(calls.map(({ how }) => how));
  return {
    verdict: isEnough ? "violated" : "inconclusive",
    subject: { kind: "client", name },
    ...(isEnough ? { causeKind: "configuration" as const } : {}),
    title: `${plural(calls.length, "call")} ended only when the operating system gave up`,
    actual: `They took ${seconds
      .map((value) => value.toFixed(0))
      .slice(0, quotedCountMax)
      .join(
        ", ",
      )} s. ${[...ways].map(wayWords).join(" ")} A client with a limit of its own would have ended them before, with words of its own.`,
    measures: { callCount: calls.length, secondsMax: Math.max(...seconds) },
    evidence: calls
      .slice(0, quotedCountMax)
      .map(({ trace, index, words }) => trace.reference(index, words)),
    missing: isEnough
      ? []
      : ["A second call that ended so: the client may have a limit that is as long by chance."],
    fixes: isEnough
      ? [
          {
            description: `Give the client that ${name} uses a limit for connecting and one for the whole call, shorter than its caller waits.`,
            cost: 1,
          },
        ]
      : [],
  };
}

function wayWords(how: GivingUp): string {
  switch (how) {
    case "connect":
      return "Linux gives up on a connection after 127 s.";
    case "send":
      return "Linux gives up on what nobody acknowledges after 15 minutes and more.";
  }
}
