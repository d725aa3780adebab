import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { budgetLeftMicros } from "./budgets.ts";
import type { BudgetAmount, LedgerCommand } from "./commands.ts";
import { availableMicros } from "./credit.ts";
import { decide } from "./decide.ts";
import { balanceOf } from "./draft.ts";
import { brokenInvariants } from "./invariants.ts";
import { emptyLedger, type LedgerState } from "./ledger-state.ts";
import { ledgerLimits } from "./limits.ts";
import type { BudgetWindow } from "./types.ts";

const currency = "USD";
const amountMicros = fc.bigInt({ min: -1n, max: 60n });
const holdId = fc.constantFrom("h1", "h2", "h3", "h4");
const leaseId = fc.constantFrom("l1", "l2", "l3");
const usageId = fc.constantFrom("u1", "u2", "u3", "u4", "u5");
const durationMs = fc.integer({ min: 1, max: 5_000 });
const epoch = fc.integer({ min: 1, max: 3 });
const workerId = fc.constantFrom("w1", "w2");
const attribution = fc.record({ keyId: fc.constantFrom("k1", "k2") });
const budgets = fc.array(
  fc.record({ budgetId: fc.constantFrom("b1", "b2"), amountMicros }) as fc.Arbitrary<BudgetAmount>,
  { maxLength: 2 },
);
const window = fc.constantFrom<BudgetWindow>(
  { kind: "total" },
  { kind: "day" },
  { kind: "rolling", durationMs: 6_000 },
);

/** Commands over so few ids that they meet; where `id` is missing it is unique. */
const command = fc.oneof(
  fc.record({ kind: fc.constant("open-account"), limitMicros: fc.constantFrom(0n, 0n, 20n) }),
  fc.record({ kind: fc.constant("close-account") }),
  fc.record({
    kind: fc.constant("grant"),
    amountMicros,
    priority: fc.integer({ min: 0, max: 1 }),
    expiresInMs: fc.option(fc.integer({ min: -1, max: 9_000 }), { nil: undefined }),
  }),
  fc.record({
    kind: fc.constant("adjust"),
    amountMicros,
    direction: fc.constantFrom("give", "take"),
  }),
  fc.record({ kind: fc.constant("expire-lots") }),
  fc.record({ kind: fc.constant("hold"), id: holdId, amountMicros, durationMs, attribution }),
  fc.record({ kind: fc.constant("renew"), holdId, durationMs }),
  fc.record({
    kind: fc.constant("settle"),
    holdId,
    isFinal: fc.boolean(),
    charge: fc.record({ usageId, usageKind: fc.constant("tokens"), amountMicros }),
  }),
  fc.record({ kind: fc.constant("release"), holdId }),
  fc.record({ kind: fc.constant("expire-holds") }),
  fc.record({
    kind: fc.constant("lease"),
    id: leaseId,
    workerId,
    epoch,
    amountMicros,
    minimumMicros: fc.bigInt({ min: 1n, max: 9n }),
    durationMs,
    budgets,
  }),
  fc.record({
    kind: fc.constant("renew-lease"),
    leaseId,
    epoch,
    amountMicros,
    durationMs,
    budgets,
  }),
  fc.record({
    kind: fc.constant("report-lease"),
    leaseId,
    charges: fc.array(
      fc.record({ usageId, usageKind: fc.constant("tool"), amountMicros, attribution }),
      { maxLength: 3 },
    ),
  }),
  fc.record({ kind: fc.constant("shrink-lease"), leaseId, epoch, amountMicros, budgets }),
  fc.record({
    kind: fc.constant("return-lease"),
    leaseId,
    from: fc.constantFrom("worker", "journal"),
    chargeCount: fc.integer({ min: 0, max: 2 }),
  }),
  fc.record({ kind: fc.constant("lose-lease"), leaseId }),
  fc.record({
    kind: fc.constant("set-budget"),
    spentMicros: fc.constant(0n),
    terms: fc.record({
      budgetId: fc.constantFrom("b1", "b2"),
      currency: fc.constant(currency),
      scope: fc.constantFrom({ kind: "tenant" }, { kind: "key", value: "k1" }),
      window,
      limitMicros: fc.bigInt({ min: 0n, max: 80n }),
      isHard: fc.boolean(),
      thresholdPercents: fc.constant([50, 100]),
    }),
  }),
  fc.record({ kind: fc.constant("remove-budget"), budgetId: fc.constantFrom("b1", "b2") }),
);

const step = fc.record({ command, passMs: fc.integer({ min: -500, max: 2_500 }) });

/** Gives the steps ids and times. Clocks step back now and then; once in a while a grace passes. */
function commandsOf(steps: readonly { command: object; passMs: number }[]): LedgerCommand[] {
  let atMs = 10_000;
  return steps.map(({ command, passMs }, index) => {
    atMs += passMs > 2_400 ? ledgerLimits.leaseGraceMs : passMs;
    const { expiresInMs, ...rest } = command as { expiresInMs?: number };
    const expiresAtMs = expiresInMs === undefined ? undefined : atMs + expiresInMs;
    // The arbitrary above spells each kind with all its parts.
    return { id: `c${index}`, atMs, currency, expiresAtMs, ...rest } as unknown as LedgerCommand;
  });
}

function snapshot(state: LedgerState): string {
  return JSON.stringify({ ...state, timeMs: 0 }, (_key, value: unknown) => {
    if (typeof value === "bigint") return `${value}`;
    return value instanceof Map ? [...value] : value;
  });
}

const history = fc.array(step, { minLength: 1, maxLength: 60, size: "max" });
const opening: LedgerCommand[] = [
  { kind: "open-account", id: "open", atMs: 0, currency, limitMicros: 0n },
  {
    kind: "grant",
    id: "gift",
    atMs: 0,
    currency,
    amountMicros: 50n,
    priority: 0,
    expiresAtMs: undefined,
  },
];

describe("any history of commands", () => {
  it("keeps every invariant, and moves exactly what its transfers say", () => {
    fc.assert(
      fc.property(history, (steps) => {
        const state = emptyLedger();
        const replayed = new Map<string, bigint>();
        for (const command of [...opening, ...commandsOf(steps)]) {
          for (const { from, to, amountMicros } of decide(state, command).transfers) {
            expect(amountMicros).toBeGreaterThan(0n);
            replayed.set(from, (replayed.get(from) ?? 0n) - amountMicros);
            replayed.set(to, (replayed.get(to) ?? 0n) + amountMicros);
          }
          expect(brokenInvariants(state)).toEqual([]);
        }
        expect(replayed).toEqual(state.balances);
      }),
      { numRuns: 400 },
    );
  });

  it("never admits beyond the credit or a hard budget, and never while there is a debt", () => {
    fc.assert(
      fc.property(history, (steps) => {
        const state = emptyLedger();
        for (const command of [...opening, ...commandsOf(steps)]) {
          const account = state.accounts.get(currency);
          if (command.atMs > state.timeMs) state.timeMs = command.atMs;
          const leftMicros = account === undefined ? 0n : availableMicros(state, account);
          const budgetsLeft = [...state.budgets].map(
            ([budgetId, budget]) => [budgetId, budgetLeftMicros(budget, state.timeMs)] as const,
          );
          const heldBefore = balanceOf(state, "holds", currency);
          const { answer, isRepeated } = decide(state, command);
          if (isRepeated || (answer.kind !== "held" && answer.kind !== "leased")) continue;
          const addedMicros = balanceOf(state, "holds", currency) - heldBefore;
          expect(addedMicros).toBeLessThanOrEqual(leftMicros);
          const debtMicros = -balanceOf(state, "debt", currency);
          if (addedMicros > 0n) expect(debtMicros <= (account?.limitMicros ?? 0n)).toBe(true);
          const record = state.holds.get(command.id) ?? state.leases.get(command.id);
          for (const [budgetId, left] of budgetsLeft) {
            const isHard = state.budgets.get(budgetId)?.terms.isHard;
            for (const share of record?.budgets ?? [])
              if (isHard && share.budgetId === budgetId)
                expect(share.openMicros).toBeLessThanOrEqual(left);
          }
        }
      }),
      { numRuns: 400 },
    );
  });

  it("gives the same answers when every command is sent twice, later and in between", () => {
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: 5 }), (steps, distance) => {
        const state = emptyLedger();
        const commands = [...opening, ...commandsOf(steps)];
        const answers = commands.map((command, index) => {
          const { answer } = decide(state, command);
          const old = commands[index - distance];
          if (old !== undefined && state.commands.has(old.id)) {
            const before = snapshot(state);
            const { isRepeated, answer: again, transfers } = decide(state, old);
            // Ids meet here: another command may have taken this one.
            expect(isRepeated || again.kind === "refused").toBe(true);
            expect(transfers).toEqual([]);
            expect(snapshot(state)).toBe(before);
          }
          return answer;
        });
        const once = emptyLedger();
        expect(commands.map((command) => decide(once, command).answer)).toEqual(answers);
      }),
      { numRuns: 200 },
    );
  });

  it("refuses without changing anything", () => {
    fc.assert(
      fc.property(history, (steps) => {
        const state = emptyLedger();
        for (const command of [...opening, ...commandsOf(steps)]) {
          const before = snapshot(state);
          const { answer, touched } = decide(state, command);
          if (answer.kind !== "refused") continue;
          expect(touched).toEqual([]);
          expect(snapshot(state)).toBe(before);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("ends with nothing held once every hold and lease has run out", () => {
    fc.assert(
      fc.property(history, (steps) => {
        const state = emptyLedger();
        for (const command of [...opening, ...commandsOf(steps)]) decide(state, command);
        const atMs = state.timeMs + 2 * ledgerLimits.leaseGraceMs;
        decide(state, { kind: "expire-holds", id: "end", atMs });
        for (const lease of state.leases.values())
          decide(state, { kind: "lose-lease", id: `end ${lease.id}`, atMs, leaseId: lease.id });
        expect(balanceOf(state, "holds", currency)).toBe(0n);
        expect(brokenInvariants(state)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
