/** The state machine of a case against a model, over random histories. */

import type { CaseSnapshot, Hypothesis, PlatformError, Verification } from "@faultline/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { CaseFact, RecordedFact } from "./fact.ts";
import {
  applyFact,
  type CaseState,
  closeCase,
  noteMitigation,
  recordVerification,
  replay,
  toCaseDetail,
} from "./state.ts";

const uuid = (number: number): string =>
  `00000000-0000-7000-8000-${number.toString(16).padStart(12, "0")}`;
const at = "2026-01-01T00:00:00.000Z";

function snapshot(role: CaseSnapshot["role"], number: number): CaseSnapshot {
  return {
    id: `sha256:${number.toString(16).padStart(64, "0")}`,
    role,
    takenAt: at,
    from: at,
    to: at,
    evidenceCount: 1,
    traceCountSeen: 1,
    traceCountKept: 1,
    byteCount: 1,
  };
}

function hypothesis(rank: number, status: Hypothesis["status"]): Hypothesis {
  return {
    id: uuid(100 + rank),
    rank,
    status,
    statement: `hypothesis ${rank}`,
    causeKind: "change",
    boundary: "resolver-database",
    contract: "fan-out/repeated-query",
    subject: { kind: "resolver", name: "orders" },
    evidenceFor: [],
    evidenceAgainst: [],
    missing: [],
    fixes: [],
    nextCheck: "verify",
  };
}

function verification(
  outcome: Verification["outcome"],
  parts: { number: number; before: number; after: number; rank?: number },
): Verification {
  const comparison = {
    contract: "c",
    before: "violated",
    after: "holds",
    summary: "",
  } as const;
  return {
    id: uuid(200 + parts.number),
    hypothesisId: uuid(100 + (parts.rank ?? 1)),
    verifiedAt: at,
    outcome,
    reasons: [],
    contract: comparison,
    control: comparison,
    coverage: [],
    beforeSnapshot: snapshot("before", parts.before).id,
    afterSnapshot: snapshot("after", parts.after).id,
  };
}

function opening(statuses: readonly Hypothesis["status"][]): RecordedFact[] {
  const facts: CaseFact[] = [
    {
      kind: "case-opened",
      id: uuid(1),
      number: 1,
      symptom: "slow",
      subject: { kind: "service", name: "orders" },
      from: at,
      to: at,
    },
    { kind: "snapshot-frozen", snapshot: snapshot("before", 1) },
    { kind: "contracts-checked", findings: [], findingCount: 0 },
    {
      kind: "hypotheses-written",
      hypotheses: statuses.map((status, index) => hypothesis(index + 1, status)),
    },
  ];
  return facts.map((fact, index) => ({ sequence: index + 1, at, actor: "tester", fact }));
}

type Command =
  | { readonly kind: "mitigate" }
  | { readonly kind: "close" }
  | { readonly kind: "verify"; readonly outcome: Verification["outcome"] };

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 2, arbitrary: fc.constant({ kind: "mitigate" } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: "close" } as const) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("verify" as const),
      outcome: fc.constantFrom("proved", "not-repaired", "inconclusive"),
    }),
  },
);

/** What a case should be, in the simplest terms. */
interface Model {
  status: "open" | "proved" | "closed";
  readonly verifiable: boolean;
  verificationCount: number;
  mitigationCount: number;
  everProved: boolean;
}

function decide(state: CaseState, item: Command, number: number): CaseFact[] {
  switch (item.kind) {
    case "mitigate":
      return noteMitigation(state, "limit the lists");
    case "close":
      return closeCase(state, "done");
    case "verify":
      return recordVerification(
        state,
        snapshot("after", number),
        verification(item.outcome, { number, before: 1, after: number }),
      );
  }
}

function isAllowed(model: Model, item: Command): boolean {
  return model.status !== "closed" && (item.kind !== "verify" || model.verifiable);
}

function advance(model: Model, item: Command): void {
  if (item.kind === "mitigate") model.mitigationCount += 1;
  else if (item.kind === "close") model.status = "closed";
  else {
    model.verificationCount += 1;
    if (item.outcome === "proved") {
      model.status = "proved";
      model.everProved = true;
    }
  }
}

describe("the state of a case", () => {
  it("follows the model through every sequence of steps, and replays to itself", () => {
    const statuses = fc.array(fc.constantFrom("proposed" as const, "supported" as const), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(statuses, fc.array(command, { maxLength: 30 }), (initial, commands) => {
        const history = opening(initial);
        let state = replay(history);
        const model: Model = {
          status: "open",
          verifiable: initial[0] === "supported",
          verificationCount: 0,
          mitigationCount: 0,
          everProved: false,
        };
        for (const [index, item] of commands.entries()) {
          let facts: CaseFact[];
          try {
            facts = decide(state, item, index + 2);
          } catch (error) {
            expect(isAllowed(model, item)).toBe(false);
            expect((error as PlatformError).code).toBe("conflict");
            continue;
          }
          expect(isAllowed(model, item)).toBe(true);
          for (const fact of facts) {
            const recorded = { sequence: state.sequence + 1, at, actor: "tester", fact };
            history.push(recorded);
            state = applyFact(state, recorded);
          }
          advance(model, item);
          expectToFit(state, model);
        }
        expect(replay(history)).toEqual(state);
        expect(toCaseDetail(state, history).events).toHaveLength(history.length);
      }),
      { numRuns: 300 },
    );
  });

  it("is never proved by any order of facts without a before, an after and a verification that proves", () => {
    // Mostly the first of each kind, so that random facts fit together often enough.
    const number = fc.constantFrom(1, 1, 1, 2);
    const opened = opening(["supported"])[0]!.fact;
    const fact: fc.Arbitrary<CaseFact> = fc.oneof(
      fc.constant(opened),
      fc
        .record({ role: fc.constantFrom("before" as const, "after" as const), number })
        .map((parts) => ({
          kind: "snapshot-frozen" as const,
          snapshot: snapshot(parts.role, parts.number),
        })),
      fc.constant({ kind: "contracts-checked", findings: [], findingCount: 0 } as const),
      fc
        .constantFrom("proposed" as const, "supported" as const, "proved" as const)
        .map((status) => ({
          kind: "hypotheses-written" as const,
          hypotheses: [hypothesis(1, status)],
        })),
      fc
        .record({
          outcome: fc.constantFrom("proved", "proved", "not-repaired", "inconclusive"),
          before: number,
          after: number,
          rank: number,
        })
        .map((parts) => ({
          kind: "repair-verified" as const,
          verification: verification(parts.outcome, { ...parts, number: 1 }),
        })),
      number.map((rank) => ({
        kind: "cause-proved" as const,
        hypothesisId: uuid(100 + rank),
        verificationId: uuid(201),
      })),
      fc.constant({ kind: "mitigation-noted", text: "x" } as const),
      fc
        .integer({ min: 0, max: 9 })
        .map((dice) =>
          dice === 0
            ? ({ kind: "case-closed", reason: "done" } as const)
            : ({ kind: "mitigation-noted", text: "y" } as const),
        ),
    );
    let provedCount = 0;
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.array(fact, { minLength: 20, maxLength: 60 }),
        (first, facts) => {
          let state: CaseState | undefined;
          for (const item of first ? [opened, ...facts] : facts) {
            const recorded = {
              sequence: (state?.sequence ?? 0) + 1,
              at,
              actor: "tester",
              fact: item,
            };
            const wasClosed = state?.status === "closed";
            try {
              state = applyFact(state, recorded);
            } catch {
              continue;
            }
            expect(wasClosed).toBe(false);
            const proved = state.hypotheses.filter(({ status }) => status === "proved");
            if (proved.length === 0) {
              expect(state.status).not.toBe("proved");
              continue;
            }
            provedCount += 1;
            const roles = state.snapshots.map(({ role }) => role);
            expect(roles).toEqual(expect.arrayContaining(["before", "after"]));
            expect(
              state.verifications.some(
                ({ outcome, hypothesisId }) =>
                  outcome === "proved" && hypothesisId === proved[0]?.id,
              ),
            ).toBe(true);
          }
        },
      ),
      { numRuns: 2_000, seed: 4_600 },
    );
    // Random facts do reach a proof, or this test would show nothing.
    expect(provedCount).toBeGreaterThan(0);
  });
});

function expectToFit(state: CaseState, model: Model): void {
  expect(state.status).toBe(model.status);
  expect(state.verifications).toHaveLength(model.verificationCount);
  expect(state.mitigations).toHaveLength(model.mitigationCount);
  expect(state.hypotheses.some(({ status }) => status === "proved")).toBe(model.everProved);
}
