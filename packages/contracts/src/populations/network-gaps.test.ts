import { describe, expect, it } from "vitest";

import type { Finding } from "../model/finding.ts";
import type { EvidenceContent } from "../model/evidence.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { type CallPlan, type SimulatedCalls, simulateCalls } from "./call-simulator.ts";
import { firstDeviation } from "./first-deviation.ts";

function snapshotOf({ traces, beganMicros }: SimulatedCalls, hasMoment: boolean): Snapshot {
  const contents: EvidenceContent[] = traces.map((spans) => ({
    kind: "trace",
    traceId: spans[0]?.traceId ?? "",
    spans: [...spans],
  }));
  if (hasMoment)
    contents.push({ kind: "incident", beganMicros, alerts: [], statuses: [], patterns: [] });
  return createSnapshot(
    contents.map((content) => ({ source: { name: "test", format: "test", notes: [] }, content })),
  );
}

function check(plan: CallPlan, hasMoment = true): Finding | undefined {
  return firstDeviation.check(snapshotOf(simulateCalls(plan), hasMoment))[0];
}

/** Thresholds were chosen on other seeds. */
const seeds = [1_001, 1_002, 1_003, 1_004, 1_005, 1_006];

describe("calls that are on their way for longer", () => {
  it.each([true, false])("are those of the service that all its callers wait for", (hasMoment) => {
    for (const seed of seeds) {
      const finding = check(
        { seed, addedMillis: (_caller, callee) => (callee === "stock" ? 60 : 0) },
        hasMoment,
      );
      expect(finding).toMatchObject({ verdict: "violated", subject: { name: "stock" } });
      expect(finding?.causeKind).toBe("dependency");
      expect(finding?.title).toContain("cart → stock and orders → stock");
    }
  });

  it.each([true, false])("are those of the one call that is slow", (hasMoment) => {
    for (const seed of seeds) {
      const finding = check(
        {
          seed,
          addedMillis: (caller, callee) => (caller === "cart" && callee === "stock" ? 60 : 0),
        },
        hasMoment,
      );
      expect(finding).toMatchObject({ verdict: "violated", subject: { name: "stock" } });
      expect(finding?.title).toContain("network_gap_ms of cart → stock rises");
    }
  });

  it.each([true, false])(
    "are those of the service whose calls go slowly in and out",
    (hasMoment) => {
      for (const seed of seeds) {
        const finding = check(
          {
            seed,
            addedMillis: (caller, callee) => (caller === "orders" || callee === "orders" ? 40 : 0),
          },
          hasMoment,
        );
        expect(finding).toMatchObject({ verdict: "violated", subject: { name: "orders" } });
      }
    },
  );

  it("may be few, as where packets are lost", () => {
    let found = 0;
    for (const seed of seeds) {
      const finding = check({
        seed,
        traceCount: 400,
        addedMillis: (_caller, callee, chance) => (callee === "payment" && chance < 0.3 ? 210 : 0),
      });
      if (finding?.verdict === "violated" && finding.subject.name === "payment") found += 1;
    }
    expect(found).toBeGreaterThanOrEqual(5);
  });

  it("are not blamed where a service is slow itself", () => {
    for (const seed of seeds) {
      const finding = check({ seed, workMillis: (service) => (service === "price" ? 50 : 0) });
      expect(finding).toMatchObject({ verdict: "violated", subject: { name: "price" } });
      expect(finding?.title).toContain("span_own_time_ms");
    }
  });

  it("are not blamed on who waits for them where the called service sends no spans", () => {
    const { traces, beganMicros } = simulateCalls({ seed: 5 });
    const cut = traces.map((spans) => spans.filter(({ service }) => service !== "bank"));
    const [finding] = firstDeviation.check(snapshotOf({ traces: cut, beganMicros }, true));
    expect(finding?.verdict).not.toBe("violated");
  });
});

const nullCount = 1_000;
/** What the contract states, and what chance adds in 1,000 trials: three deviations of a count of 10. */
const calledCountMax = 10 + 3 * Math.sqrt(10);

it.each([
  { hasMoment: false, loadGrowth: 1 },
  { hasMoment: true, loadGrowth: 2 },
])(
  "at most 1 in 100 of 1,000 traced times without a fault is called deviating, with $loadGrowth times the load at the end",
  ({ hasMoment, loadGrowth }) => {
    let called = 0;
    for (let seed = 0; seed < nullCount; seed += 1) {
      const finding = check({ seed, traceCount: 120, loadGrowth }, hasMoment);
      if (finding?.verdict === "violated") called += 1;
    }
    expect(called).toBeLessThanOrEqual(calledCountMax);
  },
);
