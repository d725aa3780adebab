/** The targets of one call, in the order in which they are tried. */

import type { Target } from "#catalog/index.ts";

import type { FailureReason } from "./retry-policy.ts";

/** A target that may serve the call, as it is declared. */
export interface RouteTarget {
  readonly target: Target;
  /** Tokens of input and output together; `undefined` is not declared. */
  readonly contextTokenCountMax: number | undefined;
}

/** What has to hold of who follows a failure. */
export interface Follower {
  readonly failed: RouteTarget | undefined;
  readonly reason: FailureReason | undefined;
  /** Whether the target may be called now. */
  readonly admits: (target: Target) => boolean;
}

/** The first of the remaining targets that may follow; all of them are compatible with the call. */
export function nextTarget(
  remaining: readonly RouteTarget[],
  { failed, reason, admits }: Follower,
): RouteTarget | undefined {
  return remaining.find((candidate) => {
    if (reason === "context-length" && !isLonger(candidate, failed)) return false;
    return admits(candidate.target);
  });
}

/** One of undeclared length may be as short as the one that failed. */
function isLonger(candidate: RouteTarget, failed: RouteTarget | undefined): boolean {
  const { contextTokenCountMax } = candidate;
  return (
    contextTokenCountMax !== undefined && contextTokenCountMax > (failed?.contextTokenCountMax ?? 0)
  );
}
