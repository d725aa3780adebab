import { parseForeignJson } from "@faultline/contracts/json";
import * as fc from "fast-check";
import { expect, it } from "vitest";

import type { LedgerCommand } from "../rules/commands.ts";
import { decide } from "../rules/decide.ts";
import { emptyLedger } from "../rules/ledger-state.ts";
import { readRecord, writeAnswer, writeHold, writeRecord } from "./micros-text.ts";

it("writes what JSON writes, amounts as text", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(parseForeignJson(writeRecord(value))).toEqual(parseForeignJson(JSON.stringify(value)));
    }),
  );
});

it("reads amounts back exactly, whatever stands beside them", () => {
  const record = fc.record({
    amountMicros: fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }),
    name: fc.string({ unit: "binary" }).filter((text) => text.isWellFormed()),
    none: fc.constant(undefined),
    parts: fc.array(fc.record({ leftMicros: fc.bigInt({ min: 0n, max: 10n ** 18n }) })),
  });
  fc.assert(
    fc.property(record, (value) => {
      expect(readRecord(parseForeignJson(writeRecord(value)))).toEqual(value);
    }),
  );
});

it("writes holds and answers, which have a quicker way, as it writes any record", () => {
  const terms = { currency: "USD", scope: { kind: "tenant" }, window: { kind: "day" } } as const;
  const budget = {
    budgetId: "b",
    ...terms,
    limitMicros: 900n,
    isHard: true,
    thresholdPercents: [],
  };
  const charge = { usageId: "a use", usageKind: "tokens", amountMicros: 700n } as const;
  const attribution = { keyId: 'k"ey', tags: ["t\\", "u"] };
  const commands = [
    { kind: "open-account", id: "open", limitMicros: 100n },
    { kind: "grant", id: "gift", amountMicros: 500n, priority: 0, expiresAtMs: undefined },
    { kind: "set-budget", id: "budget", terms: budget, spentMicros: 0n },
    { kind: "hold", id: "Überholt \u{1f600}", amountMicros: 600n, durationMs: 9, attribution },
    { kind: "settle", id: "settle", holdId: "Überholt \u{1f600}", charge, isFinal: true },
  ];
  const state = emptyLedger();
  for (const parts of commands) {
    // Each command has all its parts.
    const command = { currency: "USD", atMs: 1_000, ...parts } as LedgerCommand;
    const { answer } = decide(state, command);
    if (answer.kind === "refused") throw new Error(answer.code);
    expect(parseForeignJson(writeAnswer(answer))).toEqual(parseForeignJson(writeRecord(answer)));
    for (const hold of state.holds.values())
      expect(parseForeignJson(writeHold(hold))).toEqual(parseForeignJson(writeRecord(hold)));
  }
  expect(state.holds.size).toBe(1);
});
