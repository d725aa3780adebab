/** The whole admission decision of a worker: price, estimate, clamp, five scopes with a budget each, and the lease. */

import { createHash } from "node:crypto";

import type { BudgetScope } from "@faultline/server/ledger/rules/types.ts";
import { type AdmissionRequest, LeaseBook } from "@faultline/server/ledger/worker/lease-book.ts";

import type { BenchOptions, BenchResult } from "../bench.ts";

const scopes: readonly BudgetScope[] = [
  { kind: "tenant" },
  { kind: "key", value: "key" },
  { kind: "user", value: "user" },
  { kind: "model", value: "model" },
  { kind: "tag", value: "tag" },
];
const lentMicros = 1_000_000_000_000_000n;
const requestCount = 1_024;
const attribution = { keyId: "key", userId: "user", model: "model", tags: ["tag"] };

/** Admits out of a lease that suffices; every request has a bound of its own. */
export function run({ small }: BenchOptions): Promise<BenchResult> {
  const admissions = small ? 50_000 : 2_000_000;
  const rounds = small ? 2 : 7;
  const rates: number[] = [];
  let sumMicros = 0;
  for (let round = 0; round < rounds; round += 1) {
    const book = bookWithBudgets();
    const requests = Array.from({ length: requestCount }, (_item, index) => requestOf(index));
    const start = process.cpuUsage();
    for (let index = 0; index < admissions; index += 1) {
      const request = requests[index % requestCount];
      if (request === undefined) continue;
      const decision = book.admit(request, index / 1_000);
      if (decision.kind === "admitted") sumMicros += decision.heldMicros;
    }
    const { user, system } = process.cpuUsage(start);
    rates.push(admissions / ((user + system) / 1e6));
  }
  rates.sort((left, right) => left - right);
  return Promise.resolve({
    name: "ledger-admission",
    figures: [
      {
        name: "admissions of one core",
        value: rates[Math.floor(rates.length / 2)] ?? 0,
        unit: "1/s of processor time",
        spread: [rates[0] ?? 0, rates.at(-1) ?? 0],
      },
    ],
    resultHash: createHash("sha256").update(String(sumMicros)).digest("hex").slice(0, 16),
  });
}

function bookWithBudgets(): LeaseBook {
  const book = new LeaseBook();
  const ids = scopes.map((scope, index) => ({ budgetId: `budget${index}`, scope, isHard: true }));
  book.setRules(ids);
  book.begin({
    leaseId: "lease",
    amountMicros: lentMicros,
    budgets: ids.map(({ budgetId }) => ({ budgetId, amountMicros: lentMicros })),
    durationMs: 600_000,
    askedAtMonotonicMs: 0,
  });
  return book;
}

function requestOf(index: number): AdmissionRequest {
  const price = {
    inputMicrosPerMillionTokens: 2_500_000 + index,
    outputMicrosPerMillionTokens: 10_000_000,
  };
  const tokens = { inputTokensMax: 100 + index, outputTokensMax: 500 };
  const what = { usageId: `use${index}`, usageKind: "tokens", attribution } as const;
  return { ...what, price, ...tokens, isClampable: true };
}
