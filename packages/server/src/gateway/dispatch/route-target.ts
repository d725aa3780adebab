/** The targets of one call, in the order in which they are tried. */

import type { Target } from "#catalog/index.ts";

/** A target that may serve the call, as it is declared. */
export interface RouteTarget {
  readonly target: Target;
  /** Tokens of input and output together; `undefined` is not declared. */
  readonly contextTokenCountMax: number | undefined;
}

/** What has to hold of who follows a failure. */
export interface Follower {
  /** The latest target for which the prompt was too long. */
  readonly tooShort: RouteTarget | undefined;
  /** Whether the target may be called now. */
  readonly admits: (target: Target) => boolean;
}

/** The first of the remaining targets that may follow; all of them are compatible with the call. */
export function nextTarget(
  remaining: readonly RouteTarget[],
  { tooShort, admits }: Follower,
): RouteTarget | undefined {
  return remaining.find((candidate) => {
    if (tooShort !== undefined && !isLonger(candidate, tooShort)) return false;
    return admits(candidate.target);
  });
}

/** One of undeclared length may be as short as the one that failed. */
function isLonger(candidate: RouteTarget, tooShort: RouteTarget): boolean {
  const { contextTokenCountMax } = candidate;
  return (
    contextTokenCountMax !== undefined &&
    contextTokenCountMax > (tooShort.contextTokenCountMax ?? 0)
  );
}
