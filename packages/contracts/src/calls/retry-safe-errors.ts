/** The contract `calls/retry-safe-errors`: only failures that may pass are tried again. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { shorten } from "../text/cut-text.ts";
import { plural } from "../text/plural.ts";
import { tracesInOrder } from "./traces-in-order.ts";
import { type AttemptGroup, attemptsOf } from "./attempts.ts";
import { boundaryOfEdge, subjectOfEdge } from "./edge.ts";
import { groupBy } from "./group-by.ts";

interface Options {
  readonly challengeCountMax: number;
  readonly allowedCodes: readonly string[];
}

/** Requests and attempts that one finding quotes. */
const groupsQuotedMax = 12;
const callsQuotedMax = 20;

export const retrySafeErrors: Contract = defineContract<Options>({
  id: "calls/retry-safe-errors",
  version: 1,
  boundary: "service-service",
  promise: "A call is tried again only after a failure that may pass by itself.",
  reads: ["trace"],
  options: {
    challengeCountMax: {
      default: 2,
      description:
        "Refusals for lack of authority (HTTP 401, 407) in a row that may be a token being renewed: a count.",
    },
    allowedCodes: {
      default: [],
      description:
        "Failures that this system may try again all the same, as findings name them: `HTTP 404`, `NOT_FOUND`.",
    },
  },
  check(snapshot, options, found) {
    const groups = tracesInOrder(snapshot)
      .flatMap((trace) => attemptsOf(trace))
      .filter(({ calls }) => calls.length > 1);
    return groupBy(groups, ({ edge }) => edge.name).flatMap((list) => {
      const parts = judge(list, options);
      return parts === undefined ? [] : [found(parts)];
    });
  },
});

interface Pointless {
  readonly group: AttemptGroup;
  readonly code: string;
  /** The attempts that met the same refusal. */
  readonly calls: readonly number[];
}

function judge(groups: readonly AttemptGroup[], options: Options): FindingParts | undefined {
  const [first] = groups;
  if (first === undefined) return undefined;
  const pointless = groups.flatMap((group) => pointlessIn(group, options) ?? []);
  const certain = pointless.filter(({ group }) => group.isCertain && !group.isPolling);
  const frame = { subject: subjectOfEdge(first.edge), boundary: boundaryOfEdge(first.edge) };
  const label = shorten(first.edge.name, 300);
  const [worst] = certain;
  if (worst !== undefined) return { ...frame, ...violation(label, certain, groups) };
  const [doubt] = pointless;
  if (doubt !== undefined) {
    return {
      ...frame,
      verdict: "inconclusive",
      title: `${label} met ${doubt.code} ${plural(doubt.calls.length, "time")} in a row, and nothing tells whether that was one request`,
      actual: `${plural(doubt.calls.length, "call")} failed alike with ${doubt.code}; ${doubt.group.isPolling ? "their pauses look like waiting for something to appear" : "they may have asked for different things"}.`,
      evidence: referencesOf([doubt]),
      missing: [
        "What tells attempts of one request from calls for several things: `http.request.resend_count` on the spans, or the ids that were asked for.",
      ],
    };
  }
  const sure = groups.filter(({ isCertain, isPolling }) => isCertain && !isPolling);
  const codes = [
    ...new Set(
      sure.flatMap(({ outcomes }) =>
        outcomes.slice(0, -1).map(({ code, retry }) => (retry === "later" ? code : undefined)),
      ),
    ),
  ];
  const isShown = codes.length > 0 && !codes.includes(undefined);
  if (!isShown) return undefined;
  return {
    ...frame,
    verdict: "holds",
    title: `${label} was tried again only after failures that may pass`,
    actual: `${plural(sure.length, "request")} tried again, after ${codes.join(", ")}.`,
    measures: { requestCount: sure.length },
    evidence: sure
      .slice(0, groupsQuotedMax)
      .flatMap(({ trace, calls }) =>
        calls.slice(0, 2).map((call) => trace.reference(call, trace.span(call).name)),
      ),
  };
}

/** The attempts of a group that met the same lasting refusal again; nothing when a later one succeeded. */
function pointlessIn(group: AttemptGroup, options: Options): Pointless | undefined {
  const { outcomes, calls } = group;
  if (outcomes.at(-1)?.hasFailed !== true) return undefined;
  let start = 0;
  while (start + 1 < outcomes.length) {
    const code = outcomes[start]?.code;
    let end = start + 1;
    while (end < outcomes.length && outcomes[end]?.code === code) end += 1;
    const isChallenge = code === "HTTP 401" || code === "HTTP 407";
    const countMax = isChallenge ? options.challengeCountMax : 1;
    const isLasting = isChallenge || outcomes[start]?.retry === "never";
    const isAllowed = code === undefined || options.allowedCodes.includes(code);
    if (!isAllowed && isLasting && end - start > countMax) {
      return { group, code, calls: calls.slice(start, end) };
    }
    start = end;
  }
  return undefined;
}

function violation(
  label: string,
  pointless: readonly Pointless[],
  groups: readonly AttemptGroup[],
): Omit<FindingParts, "subject" | "boundary"> {
  const codes = [...new Set(pointless.map(({ code }) => code))].sort();
  const retries = pointless.reduce((sum, { calls }) => sum + calls.length - 1, 0);
  return {
    verdict: "violated",
    causeKind: "configuration",
    title: `${label} was tried again after ${codes.join(", ")}, which no further attempt changes`,
    expected: `no further attempt after ${codes.join(", ")}`,
    actual: `${plural(retries, "further attempt")} in ${pointless.length} of ${groups.length} requests met the same refusal: ${codes.join(", ")}.`,
    measures: {
      codes: codes.join(", "),
      pointlessAttemptCount: retries,
      requestCount: groups.length,
      requestCountPointless: pointless.length,
    },
    evidence: referencesOf(pointless),
    fixes: [
      {
        description: `Give ${codes.join(", ")} back to the caller at once: take it out of the conditions under which the client tries again.`,
        cost: 1,
      },
      {
        description:
          "Find out why the request is refused: its cause lies in the request, not in the callee.",
        cost: 2,
      },
    ],
    nextChecks: [
      "Read the refusal's message on the first attempt; record the same request after the repair, and check that it is made once.",
    ],
  };
}

function referencesOf(pointless: readonly Pointless[]) {
  return pointless
    .slice(0, groupsQuotedMax)
    .flatMap(({ group: { trace }, calls, code }) =>
      calls
        .slice(0, callsQuotedMax)
        .map((call) => trace.reference(call, `${trace.span(call).name}: ${code}`)),
    );
}
