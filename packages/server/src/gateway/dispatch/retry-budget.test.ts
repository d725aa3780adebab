import { array, assert, constantFrom, integer, oneof, property, record } from "fast-check";
import { describe, expect, it } from "vitest";

import { simulatedClock } from "@faultline/testkit";

import { RetryBudget } from "./retry-budget.ts";

const bounds = { share: 0.2, perSecondMin: 2, savedMax: 10 };

describe("RetryBudget", () => {
  it("allows a few retries to a quiet target, and then a share of the traffic", () => {
    const budget = new RetryBudget(simulatedClock(), () => bounds);
    expect([budget.trySpend(), budget.trySpend(), budget.trySpend()]).toEqual([true, true, false]);
    for (let call = 0; call < 10; call += 1) budget.noteCall();
    expect([budget.trySpend(), budget.trySpend(), budget.trySpend()]).toEqual([true, true, false]);
  });

  it("never lets retries be more than the share, the minimum and what was saved", () => {
    const step = oneof(
      record({ kind: constantFrom("call" as const), count: integer({ min: 1, max: 20 }) }),
      record({ kind: constantFrom("retry" as const), count: integer({ min: 1, max: 20 }) }),
      record({ kind: constantFrom("wait" as const), count: integer({ min: 1, max: 3_000 }) }),
    );
    assert(
      property(array(step, { maxLength: 100 }), (steps) => {
        let nowMs = 0;
        let callCount = 0;
        let retryCount = 0;
        const clock = { ...simulatedClock(), monotonicMs: () => nowMs };
        const budget = new RetryBudget(clock, () => bounds);
        for (const { kind, count } of steps) {
          if (kind === "wait") nowMs += count;
          for (let index = 0; index < count; index += 1) {
            if (kind === "call") {
              callCount += 1;
              budget.noteCall();
            } else if (kind === "retry" && budget.trySpend()) retryCount += 1;
          }
          const allowed = bounds.perSecondMin * (1 + nowMs / 1_000) + bounds.share * callCount;
          expect(retryCount).toBeLessThanOrEqual(allowed + 1e-3);
        }
      }),
    );
  });
});
