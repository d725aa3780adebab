import { assert, boolean, constantFrom, integer, option, property, record } from "fast-check";
import { describe, expect, it } from "vitest";

import { seededRandom, simulatedClock } from "@faultline/testkit";

import { decideNextAttempt, type FailedAttempt, type RetryBounds } from "./next-attempt.ts";
import { RetryBudget } from "./retry-budget.ts";
import { judgeFailure } from "./retry-policy.ts";
import { readSaidFailure } from "./said-failure.ts";

const bounds: RetryBounds = {
  attemptCountMax: 4,
  sameTargetCountMax: 3,
  backoffMsMin: 100,
  backoffMsMax: 1_000,
  patienceMsMax: 2_000,
};

const judge = (status: number) => judgeFailure({ kind: "said", ...readSaidFailure("", status) });

const failed: FailedAttempt = {
  verdict: judge(503),
  attemptCount: 1,
  sameTargetCount: 1,
  hasFallback: false,
  retryAfterMs: undefined,
  shouldRetry: undefined,
  remainingMs: 60_000,
};

function decide(overrides: Partial<FailedAttempt>, saved = 100) {
  const budgetBounds = { share: 0, perSecondMin: saved, savedMax: saved };
  const budget = new RetryBudget(simulatedClock(), () => budgetBounds);
  const random = seededRandom("next attempt");
  return decideNextAttempt({ ...failed, ...overrides }, { bounds, budget, random });
}

describe("decideNextAttempt", () => {
  it("retries the same target after a back-off", () => {
    expect(decide({}).kind).toBe("retry");
  });

  it("gives up what no attempt can mend", () => {
    const expected = { kind: "give-up", reason: "not-retryable" };
    expect(decide({ verdict: judge(400), hasFallback: true })).toEqual(expected);
  });

  it("goes to another target for what the same one cannot mend, and without one gives up", () => {
    expect(decide({ verdict: judge(401), hasFallback: true })).toEqual({ kind: "fallback" });
    const expected = { kind: "give-up", reason: "targets-exhausted" };
    expect(decide({ verdict: judge(401) })).toEqual(expected);
  });

  it("goes to another target when the same one had its attempts", () => {
    expect(decide({ sameTargetCount: 3, attemptCount: 3, hasFallback: true }).kind).toBe(
      "fallback",
    );
    const expected = { kind: "give-up", reason: "attempts-exhausted" };
    expect(decide({ sameTargetCount: 3, attemptCount: 3 })).toEqual(expected);
    expect(decide({ attemptCount: 4, hasFallback: true })).toEqual(expected);
  });

  it("waits as long as the target asks, when that fits the deadline", () => {
    const step = decide({ retryAfterMs: 1_500, verdict: judge(429) });
    expect(step).toMatchObject({ kind: "retry" });
    expect(step.kind === "retry" && step.delayMs).toBeGreaterThanOrEqual(1_500);
  });

  it("fails at once when the wait that the target asks for ends after the deadline", () => {
    const expected = { kind: "give-up", reason: "deadline-too-near" };
    expect(decide({ retryAfterMs: 30_000, remainingMs: 20_000 })).toEqual(expected);
  });

  it("rather asks another target than wait long for the same one", () => {
    expect(decide({ retryAfterMs: 5_000, hasFallback: true })).toEqual({ kind: "fallback" });
    expect(decide({ retryAfterMs: 5_000 }).kind).toBe("retry");
  });

  it("obeys a target that says not to retry", () => {
    expect(decide({ shouldRetry: false })).toMatchObject({ kind: "give-up" });
    expect(decide({ shouldRetry: false, hasFallback: true })).toEqual({ kind: "fallback" });
  });

  it("stops retrying a target whose budget is spent, but not others", () => {
    expect(decide({}, 0)).toEqual({ kind: "give-up", reason: "budget-exhausted" });
    expect(decide({ hasFallback: true }, 0)).toEqual({ kind: "fallback" });
  });

  it("never waits beyond the deadline, nor less than asked, nor retries more often than it may", () => {
    const attempts = record({
      verdict: constantFrom(400, 401, 408, 429, 500, 503, 529).map(judge),
      attemptCount: integer({ min: 1, max: 5 }),
      sameTargetCount: integer({ min: 1, max: 5 }),
      hasFallback: boolean(),
      retryAfterMs: option(integer({ min: 0, max: 100_000 }), { nil: undefined }),
      shouldRetry: option(boolean(), { nil: undefined }),
      remainingMs: integer({ min: 0, max: 100_000 }),
    });
    assert(
      property(attempts, (attempt) => {
        const step = decide(attempt);
        if (step.kind === "give-up") return;
        expect(attempt.attemptCount).toBeLessThan(bounds.attemptCountMax);
        expect(attempt.verdict.scope).not.toBe("never");
        if (step.kind === "fallback") {
          expect(attempt.hasFallback).toBe(true);
          return;
        }
        expect(attempt.verdict.scope).toBe("same-target");
        expect(attempt.shouldRetry).not.toBe(false);
        expect(step.delayMs).toBeLessThan(attempt.remainingMs);
        expect(step.delayMs).toBeGreaterThanOrEqual(attempt.retryAfterMs ?? 0);
        const jitterMsMax = bounds.backoffMsMin * 2 ** (attempt.sameTargetCount - 1);
        expect(step.delayMs - (attempt.retryAfterMs ?? 0)).toBeLessThanOrEqual(jitterMsMax);
      }),
      { numRuns: 1_000 },
    );
  });
});
