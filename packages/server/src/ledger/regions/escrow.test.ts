import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { reservedMicros } from "../rules/credit.ts";
import type { LeaseCharge, LedgerOutcome, Refusal } from "../rules/commands.ts";
import { decide } from "../rules/decide.ts";
import { balanceOf } from "../rules/draft.ts";
import { brokenInvariants } from "../rules/invariants.ts";
import { emptyLedger, type LedgerState } from "../rules/ledger-state.ts";
import type { Transfer } from "../rules/types.ts";
import {
  abandonReturn,
  type Escrow,
  escrowId,
  openEscrow,
  planSteps,
  stepsToSend,
  takeAnswer,
  takeForReturn,
} from "./escrow.ts";
import type { RegionRequest } from "./region-request.ts";
import { chargesOfTransfers } from "./transfer-charges.ts";

const currency = "USD";
const terms = { keepMicros: 40n, isClosing: false };

/** A home and a region between which messages are lost, repeated and late as the test says. */
class TwoLedgers {
  readonly home: LedgerState = emptyLedger();
  readonly here: LedgerState = emptyLedger();
  readonly transfers: Transfer[] = [];
  escrow: Escrow = openEscrow("eu", currency);
  readonly requests: RegionRequest[] = [];
  readonly answers: { id: string; answer: LedgerOutcome | Refusal }[] = [];
  #atMs = 0;

  constructor(grantedMicros: bigint) {
    this.#ask(this.home, { kind: "open-account", id: "o", currency, limitMicros: 0n });
    this.#ask(this.here, { kind: "open-account", id: "o", currency, limitMicros: 0n });
    const lot = { currency, amountMicros: grantedMicros, priority: 0, expiresAtMs: undefined };
    this.#ask(this.home, { kind: "grant", id: "g", ...lot, currency });
  }

  /** Holds and settles here; `percent` beyond a hundred is over-reported. */
  use(id: string, micros: bigint, percent: number): void {
    const more = { durationMs: 9_000, attribution: {} };
    const held = this.#ask(this.here, {
      kind: "hold",
      id,
      currency,
      amountMicros: micros,
      ...more,
    });
    if (held.kind !== "held") return;
    const amountMicros = (micros * BigInt(percent)) / 100n;
    const charge = { usageId: `use ${id}`, usageKind: "tokens", amountMicros } as const;
    this.#ask(this.here, { kind: "settle", id: `s${id}`, holdId: id, charge, isFinal: true });
  }

  plan(lackMicros: bigint, isClosing = false): void {
    const availableMicros = balanceOf(this.here, "credit", currency);
    const reportableSequence = this.transfers.length;
    const standing = { availableMicros, budgetsLeft: [], lackMicros, reportableSequence };
    this.escrow = planSteps(this.escrow, standing, { ...terms, isClosing });
  }

  send(): void {
    const take = takeForReturn(this.escrow);
    if (take !== undefined && this.#ask(this.here, take).kind === "refused")
      this.escrow = abandonReturn(this.escrow);
    this.requests.push(...stepsToSend(this.escrow, this.#charges()));
  }

  deliver(index: number, isKept: boolean): void {
    const at = this.requests.length === 0 ? 0 : index % this.requests.length;
    const request = this.requests[at];
    if (request === undefined) return;
    if (!isKept) this.requests.splice(at, 1);
    this.answers.push({ id: request.id, answer: this.#ask(this.home, request) });
  }

  hear(index: number, isKept: boolean, isCrashing: boolean): void {
    const at = this.answers.length === 0 ? 0 : index % this.answers.length;
    const heard = this.answers[at];
    if (heard === undefined) return;
    if (!isKept) this.answers.splice(at, 1);
    const charges = this.#charges();
    const progress = takeAnswer(this.escrow, heard.id, { answer: heard.answer, charges });
    if (progress === undefined) return;
    for (const request of progress.here) this.#ask(this.here, request);
    // Who dies here has granted, and has not written down that it did.
    if (!isCrashing) this.escrow = progress.escrow;
  }

  /** What is here beside what was used: no more than the home holds, whatever is under way. */
  get hereMicros(): bigint {
    const of = (kind: "credit" | "holds" | "debt"): bigint => balanceOf(this.here, kind, currency);
    return of("credit") + of("holds") + of("debt");
  }

  get heldMicros(): bigint {
    const lease = this.home.leases.get(escrowId(this.escrow));
    return lease === undefined ? 0n : reservedMicros(lease);
  }

  #charges(): LeaseCharge[] {
    const { reporting, reportedSequence } = this.escrow;
    if (reporting === undefined) return [];
    return chargesOfTransfers(this.transfers.slice(reportedSequence, reporting.untilSequence), {
      region: "eu",
      attributionOf: () => ({}),
    });
  }

  #ask(state: LedgerState, request: RegionRequest): LedgerOutcome | Refusal {
    this.#atMs += 1;
    const decision = decide(state, { ...request, atMs: this.#atMs });
    if (state === this.here) this.transfers.push(...decision.transfers);
    return decision.answer;
  }
}

const index = fc.nat({ max: 20 });
const action = fc.oneof(
  fc.record({
    kind: fc.constant("use" as const),
    micros: fc.bigInt({ min: 1n, max: 30n }),
    percent: fc.constantFrom(0, 50, 100, 100, 180),
  }),
  fc.record({ kind: fc.constant("plan" as const), lackMicros: fc.constantFrom(0n, 0n, 50n) }),
  fc.record({ kind: fc.constant("send" as const) }),
  fc.record({ kind: fc.constant("deliver" as const), index, isKept: fc.boolean() }),
  fc.record({
    kind: fc.constant("hear" as const),
    index,
    isKept: fc.boolean(),
    isCrashing: fc.boolean(),
  }),
);

type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never;

function run(actions: readonly Action[]): TwoLedgers {
  const two = new TwoLedgers(200n);
  for (const [number, step] of actions.entries()) {
    if (step.kind === "use") two.use(`${number}`, step.micros, step.percent);
    else if (step.kind === "plan") two.plan(step.lackMicros);
    else if (step.kind === "send") two.send();
    else if (step.kind === "deliver") two.deliver(step.index, step.isKept);
    else two.hear(step.index, step.isKept, step.isCrashing);
    expect(two.hereMicros <= two.heldMicros).toBe(true);
  }
  return two;
}

describe("an escrow", () => {
  it("never has more in the region than the home holds, whatever is lost, repeated, late or cut short", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
        const two = run(actions);
        expect(brokenInvariants(two.home)).toEqual([]);
        expect(brokenInvariants(two.here)).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  it("is the same on both sides once everything has come through, and every use is charged at home", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
        const two = run(actions);
        for (let round = 0; round < 6; round += 1) {
          two.plan(0n, true);
          two.send();
          while (two.requests.length > 0) two.deliver(0, false);
          while (two.answers.length > 0) two.hear(0, false, false);
        }
        expect(two.hereMicros).toBe(two.heldMicros);
        expect(balanceOf(two.home, "usage:tokens", currency)).toBe(
          balanceOf(two.here, "usage:tokens", currency),
        );
        expect(two.heldMicros).toBe(0n);
      }),
      { numRuns: 400 },
    );
  });
});
