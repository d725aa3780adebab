/** What follows a failed attempt: the same target again, another one, or the caller's error. */

import type { Random } from "#kernel/index.ts";

import { dispatchLimits } from "./limits.ts";
import type { RetryBudget } from "./retry-budget.ts";
import type { Verdict } from "./retry-policy.ts";

export interface RetryBounds {
  /** Attempts of one operation over all its targets. */
  readonly attemptCountMax: number;
  /** Attempts in a row with one target. */
  readonly sameTargetCountMax: number;
  /** The back-off before the first retry is below this, and doubles from one to the next. */
  readonly backoffMsMin: number;
  readonly backoffMsMax: number;
  /** Where another target is at hand, nobody waits longer than this for the same one. */
  readonly patienceMsMax: number;
}

export interface FailedAttempt {
  readonly verdict: Verdict;
  /** Attempts of the operation so far, this one included. */
  readonly attemptCount: number;
  /** Attempts in a row with this target, this one included. */
  readonly sameTargetCount: number;
  /** Whether a compatible target is left that can follow. */
  readonly hasFallback: boolean;
  /** What the target asked for. */
  readonly retryAfterMs: number | undefined;
  /** What the target says of retries of its own. */
  readonly shouldRetry: boolean | undefined;
  /** Until the operation must end. */
  readonly remainingMs: number;
}

/** Why no attempt follows. */
export type GiveUpReason =
  | "not-retryable"
  | "attempts-exhausted"
  | "targets-exhausted"
  | "budget-exhausted"
  /** The wait that the target asked for, or the back-off, ends after the deadline. */
  | "deadline-too-near";

export type NextStep =
  | { readonly kind: "retry"; readonly delayMs: number }
  | { readonly kind: "fallback" }
  | { readonly kind: "give-up"; readonly reason: GiveUpReason };

export interface NextAttemptParts {
  readonly bounds: RetryBounds;
  /** Of the target that failed. */
  readonly budget: RetryBudget;
  readonly random: Random;
}

/**
 * Decides. A retry with the same target spends from its budget; a fallback does not, since it adds no load to the
 * target that failed.
 */
export function decideNextAttempt(failed: FailedAttempt, parts: NextAttemptParts): NextStep {
  const { bounds } = parts;
  const { verdict, hasFallback } = failed;
  if (verdict.scope === "never") return giveUp("not-retryable");
  const countMax = Math.min(bounds.attemptCountMax, dispatchLimits.attemptCountMax);
  if (failed.attemptCount >= countMax) return giveUp("attempts-exhausted");
  if (failed.remainingMs < dispatchLimits.attemptMsMin) return giveUp("deadline-too-near");
  const fallback: NextStep = { kind: "fallback" };

  if (verdict.scope === "fallback-only" || failed.shouldRetry === false) {
    return hasFallback
      ? fallback
      : giveUp(verdict.scope === "fallback-only" ? "targets-exhausted" : "not-retryable");
  }
  if (failed.sameTargetCount >= bounds.sameTargetCountMax) {
    return hasFallback ? fallback : giveUp("attempts-exhausted");
  }
  const delayMs = delayBefore(failed, parts);
  if (delayMs > bounds.patienceMsMax && hasFallback) return fallback;
  if (delayMs + dispatchLimits.attemptMsMin > failed.remainingMs) {
    return hasFallback ? fallback : giveUp("deadline-too-near");
  }
  if (!parts.budget.trySpend()) return hasFallback ? fallback : giveUp("budget-exhausted");
  return { kind: "retry", delayMs };
}

/**
 * Full jitter: anything from nothing to a bound that doubles. What the target asked for is waited for in full, with a
 * jitter on top, since everybody else was told the same.
 */
function delayBefore(failed: FailedAttempt, { bounds, random }: NextAttemptParts): number {
  const doubled = bounds.backoffMsMin * 2 ** Math.min(failed.sameTargetCount - 1, 30);
  const jitterMsMax = Math.floor(Math.min(doubled, bounds.backoffMsMax));
  const jitterMs = random.integer(jitterMsMax + 1);
  if (failed.retryAfterMs === undefined) return jitterMs;
  const spreadMs = Math.min(jitterMs, failed.retryAfterMs / 4, bounds.backoffMsMin);
  return failed.retryAfterMs + Math.floor(spreadMs);
}

function giveUp(reason: GiveUpReason): NextStep {
  return { kind: "give-up", reason };
}
