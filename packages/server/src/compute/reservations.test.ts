import { describe, expect, it } from "vitest";

import { seededRandom } from "#kernel/index.ts";

import { Reservations } from "./reservations.ts";
import { allocatorWith, jobOf, nodeOf, tenantId } from "./test/cluster.ts";
import { type Fault, MemoryLedger } from "./test/memory-ledger.ts";
import { simulateReservations } from "./test/simulate-reservations.ts";

const options = { startMsMax: 100, intervalMs: 10, silenceMsMax: 50 };
const { signal } = new AbortController();
const a = tenantId("a");

function open(credit: bigint, nextFault?: () => Fault) {
  const ledger = new MemoryLedger(nextFault);
  ledger.grant(a, credit);
  const reservations = new Reservations(allocatorWith([nodeOf("n1")], []), ledger, options);
  const at = (nowMs: number) => reservations.tick({ nowMs, signal });
  return { ledger, reservations, at };
}

describe("a reservation", () => {
  it("is held for in whole, charged by intervals and settled with what it used", async () => {
    const { ledger, reservations, at } = open(1_000n);
    reservations.request(jobOf("j", { durationMs: 100, costMicros: 1_000n }));
    await at(0);
    expect(reservations.stageOf("j")).toEqual({ kind: "reserved", admittedAtMs: 0 });
    expect(ledger.balanceOf(a)).toBe(0n);
    reservations.heartbeat("j", 5);
    reservations.heartbeat("j", 25);
    reservations.heartbeat("j", 15);
    reservations.heartbeat("j", 25);
    await at(30);
    expect(ledger.usedBy("j")).toBe(200n);
    reservations.end("j", 33);
    await at(34);
    expect(reservations.stageOf("j")).toEqual({ kind: "ended", end: "completed" });
    expect(ledger.usedBy("j")).toBe(330n);
    expect(ledger.balanceOf(a)).toBe(670n);
    expect(ledger.openIds()).toEqual([]);
  });

  it("expires and is refunded when its work never starts", async () => {
    const { ledger, reservations, at } = open(10n);
    reservations.request(jobOf("j", { durationMs: 1_000, costMicros: 10n }));
    await at(0);
    await at(101);
    expect(reservations.stageOf("j")).toEqual({ kind: "ended", end: "expired" });
    expect(ledger.balanceOf(a)).toBe(10n);
    expect(reservations.heartbeat("j", 102)).toBe("stops");
  });

  it("ends when its work falls silent, and pays up to what was heard last", async () => {
    const { ledger, reservations, at } = open(1_000n);
    reservations.request(jobOf("j", { durationMs: 1_000, costMicros: 1_000n }));
    await at(0);
    reservations.heartbeat("j", 5);
    reservations.heartbeat("j", 40);
    await at(91);
    expect(reservations.stageOf("j")).toEqual({ kind: "ended", end: "silent" });
    expect(ledger.balanceOf(a)).toBe(960n);
  });

  it("ends with its time, whether or not its work stops", async () => {
    const { ledger, reservations, at } = open(100n);
    reservations.request(jobOf("j", { durationMs: 50, costMicros: 100n }));
    await at(0);
    reservations.heartbeat("j", 0);
    expect(reservations.heartbeat("j", 49)).toBe("goes-on");
    expect(reservations.heartbeat("j", 50)).toBe("stops");
    await at(55);
    expect(reservations.stageOf("j")).toEqual({ kind: "ended", end: "completed" });
    expect(ledger.usedBy("j")).toBe(100n);
  });

  it("gives back what a preempted job had left", async () => {
    const { ledger, reservations, at } = open(2_000n);
    const whole = { deviceCount: 8, durationMs: 100, costMicros: 1_000n };
    reservations.request(jobOf("low", whole));
    await at(0);
    reservations.heartbeat("low", 1);
    reservations.request(jobOf("high", { ...whole, priority: 5, submittedAtMs: 30 }));
    await at(30);
    expect(reservations.stageOf("low")).toEqual({ kind: "ended", end: "preempted" });
    expect(reservations.stageOf("high")).toEqual({ kind: "reserved", admittedAtMs: 30 });
    expect(ledger.usedBy("low")).toBe(300n);
    expect(ledger.balanceOf(a)).toBe(700n);
  });

  it("waits again when the ledger has less than it said, and starts when credit comes", async () => {
    const { ledger, reservations, at } = open(100n);
    reservations.request(jobOf("j", { costMicros: 150n }));
    await at(0);
    expect(reservations.stageOf("j")).toEqual({ kind: "waiting" });
    ledger.grant(a, 50n);
    await at(1);
    expect(reservations.stageOf("j")).toEqual({ kind: "reserved", admittedAtMs: 1 });
  });

  it("is reserved once when the ledger's answer was lost", async () => {
    const faults: Fault[] = ["none", "after"];
    const { ledger, reservations, at } = open(100n, () => faults.shift() ?? "none");
    reservations.request(jobOf("j", { costMicros: 60n }));
    await at(0);
    expect(reservations.stageOf("j")).toEqual({ kind: "reserving", admittedAtMs: 0 });
    await at(1);
    expect(reservations.stageOf("j")).toEqual({ kind: "reserved", admittedAtMs: 0 });
    expect(ledger.balanceOf(a)).toBe(40n);
  });

  it("shows in reconciliation when work and holds differ", async () => {
    const { ledger, reservations, at } = open(100n);
    reservations.request(jobOf("j", { costMicros: 60n, durationMs: 10_000 }));
    await at(0);
    reservations.heartbeat("j", 1);
    await ledger.release({ tenantId: a, reservationId: "j", atMs: 2 });
    await ledger.reserve({
      reservationId: "stray",
      tenantId: a,
      amountMicros: 1n,
      expiresAtMs: 9_999,
      atMs: 2,
    });
    expect(await reservations.reconcile(a, [], signal)).toEqual([
      { kind: "work-without-hold", reservationId: "j", amountMicros: 60n },
      { kind: "hold-without-work", reservationId: "stray", remainingMicros: 1n },
    ]);
  });
});

describe("reservations under faults", () => {
  it("charge every job what it used, leave no hold open and overspend nothing", async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 60; seed += 1) {
      const outcome = await simulateReservations(seededRandom(`reservations ${seed}`), signal);
      for (const { end, usedMicros, expectedMicros } of outcome.jobs) {
        seen.add(end);
        expect(usedMicros).toBe(expectedMicros);
      }
      expect(outcome.openIds).toEqual([]);
      expect(outcome.leastBalanceMicros).toBeGreaterThanOrEqual(0n);
      expect(outcome.balanceMicros + outcome.usedMicros).toBe(outcome.grantedMicros);
    }
    expect([...seen].toSorted()).toEqual(
      ["completed", "expired", "lost", "preempted", "silent", "withdrawn"].toSorted(),
    );
  });

  it("end the same for the same seed", async () => {
    const run = () => simulateReservations(seededRandom("same"), signal);
    expect(await run()).toEqual(await run());
  });
});
