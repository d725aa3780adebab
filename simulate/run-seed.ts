/** One simulation: gateways with leases, a ledger, clients, and every kind of fault; in the end the auditor. */

import { balanceOf } from "@faultline/server/ledger/rules/draft.ts";

import { Administrator } from "./administrator.ts";
import { Chance } from "./chance.ts";
import type { Coverage, Situation } from "./coverage.ts";
import { Gateway } from "./gateway.ts";
import { LedgerProcess } from "./ledger-process.ts";
import { someOperation } from "./operation.ts";
import { Recovery } from "./recovery.ts";
import { World } from "./world.ts";

/** What became of a seed. */
export interface SeedResult {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly coverage: Coverage;
  readonly servedCount: number;
  readonly refusedCount: number;
  readonly unavailableCount: number;
  readonly eventCount: number;
  readonly overReportedMicros: bigint;
  readonly debtMadeMicros: bigint;
}

const operationGapMsMax = 300;
const faultsUntilShare = 0.95;
/** After the last operation: longer than any lives, and than the grace of a lease. */
const endingMsMax = 900_000;
const eventCountMax = 400_000;
const lookEveryEvents = 50;
const littleCreditMicros = 20_000n;

/** Runs a seed; the same seed gives the same result. */
export function runSeed(seed: number, operationCount: number): SeedResult {
  const chance = new Chance(`seed ${seed}`);
  const world = new World(chance, {
    lossShare: chance.between(0, 50) / 1_000,
    doubleShare: chance.between(0, 50) / 1_000,
    lateShare: chance.between(0, 50) / 1_000,
  });
  const ledger = new LedgerProcess(world, chance);
  const gateways = Array.from(
    { length: chance.between(3, 5) },
    (_item, index) => new Gateway(`gateway${index + 1}`, world, { ledger, chance }),
  );
  const recovery = new Recovery(world, ledger, gateways);
  world.situations = () => situationsOf(ledger, gateways, recovery);
  ledger.onLack = () => {
    for (const gateway of gateways)
      world.send(gateway.live(() => gateway.keeper.recall(gateway.monotonicMs)));
  };
  const durationMs = scheduleOperations(world, { chance, gateways, operationCount });
  const administrator = new Administrator(world, { ledger, gateways, chance });
  administrator.plan(durationMs);
  scheduleFaults(world, { chance, gateways, ledger, durationMs });
  scheduleUsurpers(world, { chance, gateways, durationMs });
  world.queue.after(durationMs + 20_000, () => {
    world.isEnding = true;
    for (const { keeper } of gateways) keeper.stop();
  });
  const isOver = (): boolean =>
    world.isEnding &&
    ledger.isSettled &&
    administrator.isIdle &&
    !recovery.isBusy &&
    gateways.every(
      ({ keeper, open, unanswered, isUp }) =>
        isUp && keeper.isIdle && open.size === 0 && unanswered.size === 0,
    ) &&
    ledger.state.openHoldCount === 0 &&
    [...ledger.state.leases.values()].every((lease) => lease.state !== "open");
  let eventCount = 0;
  while (eventCount < eventCountMax && world.queue.nowMs < durationMs + endingMsMax) {
    eventCount += 1;
    if (world.isEnding && eventCount % lookEveryEvents === 0) {
      // What came up after the others had been told to stop is told now.
      for (const { keeper } of gateways) keeper.stop();
      if (isOver()) break;
    }
    try {
      if (!world.queue.step()) break;
    } catch (error) {
      // Whatever throws is a fault of ours: an invariant that the rules themselves saw broken.
      world.auditor.violations.push(error instanceof Error ? error.message : String(error));
      break;
    }
  }
  const { balances } = ledger.state;
  const { transferred } = ledger;
  world.auditor.conclude({ balances, transferred, unreadUses: world.unreadUses });
  const count = (which: "served" | "refused" | "unavailable"): number =>
    gateways.reduce((sum, gateway) => sum + gateway.counts[which], 0);
  return {
    seed,
    violations: world.auditor.violations,
    coverage: world.coverage,
    servedCount: count("served"),
    refusedCount: count("refused"),
    unavailableCount: count("unavailable"),
    eventCount,
    overReportedMicros: world.auditor.overReportedMicros,
    debtMadeMicros: world.auditor.debtMadeMicros,
  };
}

/** Spreads operations over the gateways; gives when the last one begins. */
function scheduleOperations(
  world: World,
  parts: { chance: Chance; gateways: readonly Gateway[]; operationCount: number },
): number {
  const chance = parts.chance.fork("clients");
  let atMs = 500;
  for (let number = 1; number <= parts.operationCount; number += 1) {
    atMs += chance.between(0, operationGapMsMax);
    const gateway = parts.gateways[chance.between(0, parts.gateways.length - 1)];
    const operation = someOperation(chance, number);
    world.queue.after(atMs, () => gateway?.begin(operation));
  }
  return atMs;
}

function scheduleFaults(
  world: World,
  parts: {
    chance: Chance;
    gateways: readonly Gateway[];
    ledger: LedgerProcess;
    durationMs: number;
  },
): void {
  const { gateways, ledger, durationMs } = parts;
  const chance = parts.chance.fork("faults");
  const { coverage, queue } = world;
  const times = (low: number, high: number, run: () => void): void => {
    for (let count = chance.between(low, high); count > 0; count -= 1)
      queue.after(chance.between(1_000, Math.floor(durationMs * faultsUntilShare)), run);
  };
  const someGateway = (): Gateway | undefined => gateways[chance.between(0, gateways.length - 1)];
  times(1, 3, () => {
    coverage.note("worker killed", world.situations());
    someGateway()?.kill(chance.between(100, 6_000), false);
  });
  times(0, 2, () => {
    const gateway = someGateway();
    if (gateway?.isUp !== true) return;
    coverage.note("journal lost", world.situations());
    gateway.kill(chance.between(100, 6_000), true);
  });
  times(1, 3, () => {
    coverage.note("worker stopped", world.situations());
    someGateway()?.stop(chance.between(500, 15_000));
  });
  times(1, 2, () => {
    coverage.note("ledger killed", world.situations());
    const offMs = chance.between(-2_000, 2_000);
    if (offMs !== 0) coverage.note("clock off", world.situations());
    ledger.kill(chance.between(100, 4_000), offMs);
  });
  times(1, 2, () => {
    coverage.note("ledger replaced", world.situations());
    const durationMs = chance.between(100, 3_000);
    ledger.replace(durationMs, durationMs + chance.between(100, 6_000));
  });
  times(1, 2, () => {
    coverage.note("database away", world.situations());
    ledger.loseDatabase(chance.between(200, 6_000));
  });
  times(1, 3, () => {
    coverage.note("commit uncertain", world.situations());
    ledger.loseNextAcknowledgement();
  });
}

/** Of a stream of their own, so that the other faults stay where they were. */
function scheduleUsurpers(
  world: World,
  parts: { chance: Chance; gateways: readonly Gateway[]; durationMs: number },
): void {
  const chance = parts.chance.fork("usurpers");
  for (let count = chance.between(0, 2); count > 0; count -= 1) {
    const atMs = chance.between(1_000, Math.floor(parts.durationMs * faultsUntilShare));
    const gateway = parts.gateways[chance.between(0, parts.gateways.length - 1)];
    const restartMs = chance.between(1_000, 8_000);
    world.queue.after(atMs, () => {
      if (gateway?.usurp(restartMs) === true)
        world.coverage.note("worker usurped", world.situations());
    });
  }
}

function situationsOf(
  ledger: LedgerProcess,
  gateways: readonly Gateway[],
  recovery: Recovery,
): Situation[] {
  const { state } = ledger;
  const found: Situation[] = [];
  const leases = [...state.leases.values()].filter((lease) => lease.state === "open");
  found.push(leases.length > 0 ? "lease" : "no lease");
  if (gateways.some(({ open }) => open.size > 0)) found.push("operation open");
  if (gateways.some(({ keeper }) => keeper.isReporting)) found.push("report under way");
  if (gateways.some(({ unanswered }) => unanswered.size > 0)) found.push("hold under way");
  if (gateways.some(({ keeper }) => keeper.isEnding)) found.push("lease ending");
  if (balanceOf(state, "credit", "USD") < littleCreditMicros) found.push("little credit");
  if (balanceOf(state, "debt", "USD") < 0n) found.push("debt");
  if (recovery.isBusy) found.push("recovery");
  return found;
}
