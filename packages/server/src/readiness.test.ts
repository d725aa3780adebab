import type { Gateway } from "#gateway/index.ts";
import { expect, it } from "vitest";

import { checkReadiness } from "./readiness.ts";

const signal = new AbortController().signal;

async function askWith(gateway: Partial<Gateway>): Promise<readonly string[]> {
  // The check reads nothing else of a gateway.
  const { ready, checks } = await checkReadiness({
    store: { ping: async () => {} },
    gateway: Promise.resolve(gateway as Gateway),
    signal,
  });
  expect(ready).toBe(checks.every((check) => check.ready));
  return checks.map((check) => `${check.name}: ${check.detail ?? "ready"}`);
}

it("is ready when the database answers, workers run and their journals take records", async () => {
  expect(await askWith({ workerIds: [1], failedJournalCount: 0 })).toEqual([
    "database: ready",
    "gateway: ready",
    "journals: ready",
  ]);
});

it("says which part is not", async () => {
  expect(await askWith({ workerIds: [], failedJournalCount: 2 })).toEqual([
    "database: ready",
    "gateway: control_unavailable: No gateway process runs.",
    "journals: journal_unavailable: 2 journals of the gateway take no records.",
  ]);
});
