/** The contract `calls/retry-backoff`: who tries again waits longer each time, and not in step with others. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { EvidenceReference } from "../model/evidence.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { shorten } from "../text/cut-text.ts";
import { largestOf } from "./extremes.ts";
import { tracesInOrder } from "./traces-in-order.ts";
import { type AttemptGroup, attemptsOf, waitsOf } from "./attempts.ts";
import { boundaryOfEdge, subjectOfEdge } from "./edge.ts";
import { groupBy } from "./group-by.ts";
import {
  areExactMultiples,
  faultsOfGroup,
  millis,
  obeysRetryAfter,
  showsGrowth,
  synchronisedFaults,
  type WaitFault,
  type WaitOptions,
} from "./waits.ts";

/** Requests and attempts that one finding quotes. */
const groupsQuotedMax = 8;
const callsQuotedMax = 24;

export const retryBackoff: Contract = defineContract<WaitOptions>({
  id: "calls/retry-backoff",
  version: 1,
  boundary: "service-service",
  promise:
    "Attempts are few, wait longer each time by amounts that vary, and never come before the callee asked for them.",
  reads: ["trace"],
  options: {
    growthRatioMin: {
      default: 1.5,
      description: "The last wait over the first from which on waits grow: a ratio.",
    },
    sameWaitShareMax: {
      default: 0.05,
      description: "Share of a wait by which two waits may differ and still be the same.",
    },
    immediateWaitMillisMax: {
      default: 10,
      description: "Wait in milliseconds up to which an attempt comes at once.",
    },
    attemptCountMax: {
      default: 5,
      description: "Attempts for one request that a client may make: a count.",
    },
  },
  check(snapshot, options, found) {
    const groups = tracesInOrder(snapshot)
      .flatMap((trace) => attemptsOf(trace))
      .filter((group) => !group.isPolling && !isTransparent(group));
    return groupBy(groups, ({ edge }) => edge.name).flatMap((list) => {
      const parts = judge(list, options);
      return parts === undefined ? [] : [found(parts)];
    });
  },
});

/** gRPC itself sends a call again that never left the client: that needs no wait. */
function isTransparent({ trace, calls }: AttemptGroup): boolean {
  return calls.some((call) => {
    const value = trace.span(call).attributes["transparent-retry"];
    return value === true || value === 1 || value === "1" || value === "true";
  });
}

function judge(all: readonly AttemptGroup[], options: WaitOptions): FindingParts | undefined {
  const groups = all.filter(({ isCertain }) => isCertain);
  const faults = [
    ...groups.flatMap((group) => faultsOfGroup(group, options)),
    ...synchronisedFaults(groups, options),
  ];
  if (faults.length > 0) return violated(groups, faults);
  const label = labelOf(all);
  const doubtful = all.find(
    (group) => !group.isCertain && faultsOfGroup(group, options).length > 0,
  );
  if (doubtful !== undefined) {
    return {
      ...frameOf([doubtful]),
      verdict: "inconclusive",
      title: `${label} failed ${doubtful.count} times in a row, and nothing tells whether that was one request`,
      missing: [
        "What tells attempts of one request from calls for several things: `http.request.resend_count` on the spans, or the ids that were asked for.",
      ],
    };
  }
  if (groups.length === 0) return undefined;
  const frame = frameOf(groups);
  const growing = groups.filter((group) => showsGrowth(group, options));
  const varies = growing.length > 1 || growing.some((group) => !areExactMultiples(group));
  const long = groups.filter(({ calls }) => calls.length > 2);
  const isShown = growing.length === long.length && growing.length > 0 && varies;
  if (isShown || (long.length === 0 && groups.every(obeysRetryAfter))) {
    const what = isShown ? "waits that grow and vary" : "the waits that the answers asked for";
    return { ...frame, verdict: "holds", title: `${label} was tried again after ${what}` };
  }
  return { ...frame, verdict: "inconclusive", ...doubtOf(label, groups, growing) };
}

function doubtOf(
  label: string,
  groups: readonly AttemptGroup[],
  growing: readonly AttemptGroup[],
): Pick<FindingParts, "title" | "missing" | "nextChecks"> {
  if (groups.every(({ calls }) => calls.length < 3)) {
    return {
      title: `${label} was tried again once, which shows no policy of waits`,
      missing: ["A request with at least three recorded attempts."],
      nextChecks: [
        "Make the callee fail for longer in a test environment, and record one request.",
      ],
    };
  }
  if (growing.length > 0) {
    return {
      title: `${label} waited longer each time, and nothing shows whether the waits vary between clients`,
      missing: ["Attempts of further requests: without jitter their waits are the same."],
      nextChecks: ["Look up in the client's configuration whether its waits have jitter."],
    };
  }
  return {
    title: `${label} was tried again after waits that vary without growing`,
    missing: [
      "Attempts of further requests: waits drawn from a growing range look like this now and then.",
    ],
    nextChecks: ["Look up in the client's configuration whether its waits grow."],
  };
}

function violated(groups: readonly AttemptGroup[], faults: readonly WaitFault[]): FindingParts {
  const kinds = [...new Set(faults.map(({ kind }) => kind))];
  const sentences = kinds.flatMap(
    (kind) => faults.find((fault) => fault.kind === kind)?.words ?? [],
  );
  const requests = new Set(faults.map(({ group }) => group));
  return {
    ...frameOf(groups),
    verdict: "violated",
    causeKind: "configuration",
    title: `${labelOf(groups)} was tried again with ${sentences.join("; ")}`,
    actual: `${sentences.join("; ")}. Seen in ${requests.size} of ${groups.length} requests that were tried again.`,
    evidence: referencesOf(faults.map(({ group, calls }) => ({ group, calls }))),
    fixes: fixesOf(kinds),
    nextChecks: [
      "Make the callee fail again after the repair, record several requests, and compare the waits between their attempts.",
    ],
  };
}

function frameOf(groups: readonly AttemptGroup[]) {
  const [first] = groups;
  if (first === undefined) throw new RangeError("A group has at least one member.");
  const longest = groups.reduce((left, right) =>
    right.calls.length > left.calls.length ? right : left,
  );
  const waits = waitsOf(longest.trace, longest.calls).map(millis);
  return {
    subject: subjectOfEdge(first.edge),
    boundary: boundaryOfEdge(first.edge),
    actual: `${longest.count} attempts, with waits of ${waits.map((wait) => `${wait} ms`).join(", ")} between them.`,
    measures: {
      attemptCountMax: largestOf(groups.map(({ count }) => count)),
      waitsMillis: waits.join(", "),
      requestCount: groups.length,
    },
    evidence: referencesOf(groups.map((group) => ({ group, calls: group.calls }))),
  };
}

function labelOf([first]: readonly AttemptGroup[]): string {
  return shorten(first?.edge.name ?? "", 300);
}

function referencesOf(
  parts: readonly { group: AttemptGroup; calls: readonly number[] }[],
): EvidenceReference[] {
  return parts
    .slice(0, groupsQuotedMax)
    .flatMap(({ group: { trace }, calls }) =>
      calls.slice(0, callsQuotedMax).map((call) => trace.reference(call, trace.span(call).name)),
    );
}

function fixesOf(kinds: readonly WaitFault["kind"][]): NonNullable<FindingParts["fixes"]> {
  const fixes: Readonly<Record<WaitFault["kind"], string>> = {
    "retry-after": "Wait at least as long as `Retry-After` says before the next attempt.",
    immediate: "Wait before each further attempt: exponentially longer, with full jitter.",
    fixed:
      "Double the wait from attempt to attempt, and draw it at random between zero and that bound.",
    synchronised:
      "Add full jitter: draw each wait at random between zero and the exponential bound.",
    "too-many":
      "Stop after three attempts, and keep all retries of a client within a budget of about a tenth of its calls.",
  };
  return kinds.map((kind, index) => ({ description: fixes[kind], cost: index + 1 }));
}
