import { describe, expect, it } from "vitest";

import { bytes, openLog, seededChance, textsOf } from "../../test/log-fixture.ts";
import { LogHistory } from "../../test/log-history.ts";
import { type Fault, SimulatedDisk } from "../../test/simulated-disk.ts";
import { JournalError, type Log } from "../index.ts";

/** Seeds of chance that are run each time. */
const seedCount = 150;
const roundCount = 6;

describe("a log after a loss of power", () => {
  it("holds every acknowledged record where it was and no part of another, however the disk was torn", async () => {
    let acknowledgedCount = 0;
    for (let seed = 1; seed <= seedCount; seed += 1) {
      const chance = seededChance(seed);
      const history = new LogHistory();
      let disk = new SimulatedDisk();
      for (let round = 0; round < roundCount; round += 1) {
        disk.faults.set(1 + chance.integer(40), { kind: "power-loss" });
        await workUntilDead(disk, history, chance);
        disk = disk.survivor(chance);
        await using log = await openLog(disk);
        expect(await history.check(log), `seed ${seed}, round ${round}`).toEqual([]);
        disk = SimulatedDisk.of(disk.files());
      }
      acknowledgedCount += history.acknowledgedCount;
    }
    expect(acknowledgedCount).toBeGreaterThan(seedCount * roundCount);
  });
});

describe("a log whose n-th effect fails", () => {
  const faults: readonly [string, Fault][] = [
    ["EIO", { kind: "error", code: "EIO" }],
    ["ENOSPC", { kind: "error", code: "ENOSPC" }],
    ["EDQUOT", { kind: "error", code: "EDQUOT" }],
    ["a short write", { kind: "short" }],
  ];

  it.each(faults)("keeps its promises for every n: %s", async (name, fault) => {
    let isClean = false;
    let n = 0;
    while (!isClean) {
      n += 1;
      const history = new LogHistory();
      const disk = new SimulatedDisk();
      disk.faults.set(n, fault);
      await workThrough(disk, history);
      isClean = disk.effectCount < n;

      // The next process sees all that was written, and after it a machine without power what was synced.
      {
        disk.faults.clear();
        await using log = await openLog(disk.afterProcess());
        expect(await history.check(log), `${name} at ${n}`).toEqual([]);
      }
      for (const seed of [1, 2, 3]) {
        const survivor = SimulatedDisk.of(disk.durableFiles());
        await using log = await openLog(survivor.survivor(seededChance(seed)));
        expect(await history.check(log), `${name} at ${n}, then without power`).toEqual([]);
      }
    }
    expect(n).toBeGreaterThan(30);
  });

  it("is poisoned by a failed sync: refuses everything, tries nothing again, can be read", async () => {
    const disk = new SimulatedDisk();
    const log = await openLog(disk);
    await log.append(bytes("acknowledged"));
    disk.faultsByKind.set("sync", { kind: "error", code: "EIO" });
    const outcomes = await Promise.allSettled(
      ["first", "second"].map(async (text) => await log.append(bytes(text))),
    );
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ reason: { code: "journal_poisoned" } });
    }
    const before = disk.effectCount;
    await expect(log.append(bytes("later"))).rejects.toMatchObject({ code: "journal_poisoned" });
    expect(disk.effectCount).toBe(before);
    expect(log.failure?.code).toBe("journal_poisoned");
    expect(await textsOf(log)).toEqual(["acknowledged"]);
    await log[Symbol.asyncDispose]();
    expect(disk.effectCount).toBe(before);
  });

  it("tells all who wait that it is poisoned", async () => {
    const disk = new SimulatedDisk();
    await using log = await openLog(disk);
    disk.faultsByKind.set("sync", { kind: "error", code: "EIO" });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, async () => await log.append(new Uint8Array(100))),
    );
    expect(outcomes.every(({ status }) => status === "rejected")).toBe(true);
    expect(log.waitingCount).toBe(0);
  });

  it("refuses as full while the disk is, keeps what it had, and goes on when there is room", async () => {
    const disk = new SimulatedDisk();
    const kept: string[] = [];
    {
      await using log = await openLog(disk);
      disk.capacityBytes = 3_000;
      const refusals: unknown[] = [];
      for (let index = 0; refusals.length < 5; index += 1) {
        const text = `${index}.`.padEnd(90, "x");
        await log.append(bytes(text)).then(
          () => kept.push(text),
          (error: unknown) => refusals.push(error),
        );
      }
      for (const refusal of refusals) expect(refusal).toMatchObject({ code: "journal_full" });
      expect(log.failure).toBeUndefined();
      expect(await textsOf(log)).toEqual(kept);
      disk.capacityBytes = 4_000;
      await log.append(bytes("room again"));
      kept.push("room again");
    }
    disk.capacityBytes = 3_000;
    await using log = await openLog(SimulatedDisk.of(disk.durableFiles()));
    expect(await textsOf(log)).toEqual(kept);
  });

  it("opens on a disk without any room, and refuses to begin there", async () => {
    const disk = new SimulatedDisk();
    disk.capacityBytes = 10;
    await expect(openLog(disk)).rejects.toMatchObject({ code: "journal_full" });
    expect([...disk.files().keys()]).toEqual([]);
    disk.capacityBytes = 1_000;
    {
      await using log = await openLog(disk);
      await log.append(bytes("a"));
    }
    disk.capacityBytes = [...disk.files().values()].reduce((sum, { length }) => sum + length, 0);
    await using log = await openLog(disk);
    expect(await textsOf(log)).toEqual(["a"]);
  });
});

/** Opens the log and works on it, calls in parallel too, until the disk is dead. */
async function workUntilDead(
  disk: SimulatedDisk,
  history: LogHistory,
  chance: { integer(bound: number): number },
): Promise<void> {
  const log = await openLog(disk).catch((error: unknown) => {
    if (error instanceof JournalError) return undefined;
    throw error;
  });
  if (log === undefined) return;
  while (log.failure === undefined) {
    const calls: Promise<unknown>[] = [];
    for (let count = 1 + chance.integer(4); count > 0; count -= 1) {
      const lengths = Array.from({ length: 1 + chance.integer(3) }, () => 6 + chance.integer(55));
      calls.push(history.append(log, lengths));
    }
    if (chance.integer(8) === 0) {
      const position = history.positionAt(chance.integer(1_000));
      if (position !== undefined) calls.push(history.dropBefore(log, position));
    }
    if (chance.integer(2) === 0) await Promise.all(calls);
    else await calls[0];
  }
}

/** A fixed work that begins segments, drops one, and is told of every failure. */
async function workThrough(disk: SimulatedDisk, history: LogHistory): Promise<void> {
  let log: Log;
  try {
    log = await openLog(disk);
  } catch (error) {
    expect(error).toBeInstanceOf(JournalError);
    return;
  }
  for (let turn = 0; turn < 6; turn += 1) {
    await Promise.all([
      history.append(log, [40 + turn]),
      history.append(log, [20, 30, 40]),
      history.append(log, [50]),
    ]);
    const position = history.positionAt(turn * 2);
    if (turn === 4 && position !== undefined) await history.dropBefore(log, position);
  }
  await log[Symbol.asyncDispose]();
}
