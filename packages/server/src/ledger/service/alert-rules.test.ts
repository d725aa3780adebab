import { readFileSync } from "node:fs";

import { Registry } from "prom-client";
import { expect, it } from "vitest";
import { parse } from "yaml";

import { LedgerCounts } from "./ledger-counts.ts";
import { registerLedgerMetrics } from "./ledger-metrics.ts";

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string }[];
  }[];
}

it("the alerts name metrics and states that the ledger shows", async () => {
  const file = new URL(
    "../../../../../deploy/prometheus/faultline-ledger.rules.yaml",
    import.meta.url,
  );
  // The file is ours; what it lacks fails below.
  const { groups } = parse(readFileSync(file, "utf8")) as Rules;
  const counts = new LedgerCounts();
  for (const outcome of [
    "written",
    "unavailable",
    "fenced",
    "overtaking",
    "reused",
    "fault",
  ] as const)
    counts.wrote(outcome, 1);
  counts.unknown("hold");
  const use = () => ({
    tenantCount: 0,
    waitingCountMax: 0,
    openHoldCount: 0,
    openLeaseCount: 0,
    indebtedCount: 0,
  });
  const registry = new Registry();
  registerLedgerMetrics(
    registry,
    { counts, use, leasedMicros: () => new Map(), overdueCount: () => 0 },
    { differenceCount: 0 },
  );
  const shown = await registry.metrics();
  const rules = groups.flatMap((group) => group.rules);
  expect(rules.length).toBeGreaterThan(4);
  for (const { alert, expr } of rules) {
    for (const [selector, name = "", labels = ""] of expr.matchAll(
      /(faultline_ledger_\w+)(?:\{([^}]*)\})?/g,
    )) {
      const line = shown
        .split("\n")
        .find((text) => new RegExp(`^${name}[ {]`).test(text) && text.includes(labels));
      expect(line, `${alert}: ${selector}`).toBeDefined();
    }
  }
});
