/** One simulation of three regions, of which one is the home of the account; in the end the auditor. */

import { balanceOf } from "@faultline/server/ledger/rules/draft.ts";
import { brokenInvariants } from "@faultline/server/ledger/rules/invariants.ts";
import { effectiveContent, isConflict } from "@faultline/server/ledger/regions/grant-document.ts";

import { Chance } from "../chance.ts";
import type { FaultTable } from "./fault-table.ts";
import { planEdits } from "./plan-edits.ts";
import { planFaults } from "./plan-faults.ts";
import type { RegionEnd } from "./region-auditor.ts";
import { RegionProcess } from "./region-process.ts";
import { type OperationCounts, RegionOperation } from "./region-operation.ts";
import { RegionWorld } from "./region-world.ts";

/** What became of a seed. */
export interface RegionsResult {
  readonly violations: readonly string[];
  readonly table: FaultTable;
  readonly counts: OperationCounts;
  readonly eventCount: number;
}

const operationGapMsMax = 300;
const eventCountMax = 400_000;
/** After the last fault: everything comes through by then. */
const endingMs = 120_000;

/** Runs a seed; the same seed gives the same result. */
export function runRegions(seed: number, operationCount: number): RegionsResult {
  const chance = new Chance(`regions ${seed}`);
  const world = new RegionWorld(chance, {
    lossShare: chance.between(0, 100) / 1_000,
    doubleShare: chance.between(0, 100) / 1_000,
    lateShare: chance.between(0, 100) / 1_000,
  });
  const home = new RegionProcess("eu", world, { home: undefined, chance });
  const remotes = ["us", "ap"].map((name) => new RegionProcess(name, world, { home, chance }));
  const regions = [home, ...remotes];
  home.database.onDecided = (command, answer) => {
    if (command.kind === "grant" && answer.kind === "granted")
      world.auditor.granted(command.id, command.amountMicros);
    if (command.kind === "open-account") world.auditor.lined(command.limitMicros);
    if (command.kind === "set-budget" && command.terms.scope.kind === "key")
      world.auditor.limited(command.terms.scope.value, command.terms.limitMicros);
    if (answer.kind === "leased" && answer.leaseId.startsWith("escrow/")) {
      const [, region = ""] = answer.leaseId.split("/");
      const lent = { micros: answer.amountMicros, atMs: home.database.nowMs };
      world.auditor.lent(region, lent);
    }
    watchHold(home, command, answer.kind);
  };
  for (const region of remotes)
    region.database.onDecided = (command, answer) => watchHold(region, command, answer.kind);

  const counts: OperationCounts = { served: 0, refused: 0, unavailable: 0, open: 0 };
  const durationMs = planOperations(world, { chance, regions, operationCount, counts });
  planEdits(world, { chance, regions, durationMs });
  const faultsOverMs = planFaults(world, { chance, home, remotes, durationMs });
  world.queue.after(faultsOverMs, () => (world.isEnding = true));
  let eventCount = 0;
  const isOver = (): boolean => world.queue.nowMs >= faultsOverMs + endingMs && counts.open === 0;
  while (eventCount < eventCountMax && !isOver()) {
    eventCount += 1;
    try {
      world.queue.step();
    } catch (error) {
      world.auditor.violations.push(error instanceof Error ? error.message : String(error));
      break;
    }
  }
  conclude(world, home, remotes);
  return { violations: world.auditor.violations, table: world.table, counts, eventCount };
}

function watchHold(
  region: RegionProcess,
  command: Parameters<RegionProcess["database"]["onDecided"]>[0],
  answerKind: string,
): void {
  if (command.kind !== "hold" || answerKind !== "held") return;
  const { amountMicros: boundMicros, attribution } = command;
  const atMs = region.world.queue.nowMs;
  region.world.auditor.admitted(region.name, {
    keyId: attribution.keyId ?? "",
    boundMicros,
    atMs,
  });
}

function planOperations(
  world: RegionWorld,
  parts: {
    chance: Chance;
    regions: readonly RegionProcess[];
    operationCount: number;
    counts: OperationCounts;
  },
): number {
  const chance = parts.chance.fork("clients");
  let atMs = 1_500;
  for (let number = 1; number <= parts.operationCount; number += 1) {
    atMs += chance.between(0, operationGapMsMax);
    const region = parts.regions[chance.between(0, parts.regions.length - 1)];
    if (region === undefined) continue;
    const terms = {
      usageId: `use${number}`,
      keyId: chance.pick(["key1", "key2", "key3"]),
      boundMicros: BigInt(chance.between(1, 6_000)),
      usedPercent: chance.happens(0.03) ? chance.between(101, 250) : chance.between(0, 100),
      durationMs: chance.between(20, 3_000),
    };
    world.queue.after(atMs, () => new RegionOperation(region, terms, parts.counts).begin());
    // A client that heard nothing asks another region for the same.
    const other = parts.regions[chance.between(0, parts.regions.length - 1)];
    if (!chance.happens(0.03) || other === undefined || other === region) continue;
    world.queue.after(atMs + chance.between(0, 4_000), () => {
      world.table.note("use sent twice", other.states());
      new RegionOperation(other, terms, parts.counts).begin();
    });
  }
  return atMs;
}

function conclude(
  world: RegionWorld,
  home: RegionProcess,
  remotes: readonly RegionProcess[],
): void {
  const { ledger, transfers } = home.database;
  for (const { name, database } of [home, ...remotes])
    for (const sentence of brokenInvariants(database.ledger))
      world.auditor.violations.push(`${name}: ${sentence}`);
  let sumMicros = 0n;
  let usedMicros = 0n;
  for (const [id, micros] of ledger.balances) {
    sumMicros += micros;
    if (id.startsWith("usage:")) usedMicros += micros;
  }
  const charged = new Map<string, bigint>();
  for (const { to, usageId, amountMicros } of transfers) {
    if (to.startsWith("usage:") && usageId !== undefined)
      charged.set(usageId, (charged.get(usageId) ?? 0n) + amountMicros);
  }
  const ends = remotes.map((region) => endOf(region, home.escrowMicros(region)));
  const homeEnd = { ...endOf(home, 0n), creditMicros: 0n, holdsMicros: 0n, debtMicros: 0n };
  world.auditor.conclude({ usedMicros, sumMicros, charged, regions: [homeEnd, ...ends] });
}

function endOf({ name, database }: RegionProcess, escrowMicros: bigint): RegionEnd {
  const { ledger, documents } = database;
  const held = new Map<string, string>();
  const conflicts = new Set<string>();
  for (const { key, versions } of documents.values()) {
    const content = effectiveContent(versions);
    if (content?.kind === "budget") held.set(key, String(content.terms.limitMicros));
    if (content?.kind === "line") held.set(key, String(content.limitMicros));
    if (isConflict(versions)) conflicts.add(key);
  }
  return {
    region: name,
    creditMicros: balanceOf(ledger, "credit", "USD"),
    holdsMicros: balanceOf(ledger, "holds", "USD"),
    debtMicros: -balanceOf(ledger, "debt", "USD"),
    escrowMicros,
    documents: held,
    conflicts,
  };
}
