import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { simulatedClock } from "@faultline/testkit";

import type { OperationRecord } from "../calls/operation-record.ts";
import { gatewayLimits } from "../limits.ts";
import { emptyRecord } from "../test/operation-records.ts";
import { leaveRecords, LeftRecords } from "./left-records.ts";
import { OperationQueue } from "./operation-queue.ts";
import { toOperationText } from "./operation-text.ts";
import { RecordSpill } from "./record-spill.ts";

/** The amount tells one from another. */
function recordOf(number: number): OperationRecord {
  return { ...emptyRecord(String(number)), costMicros: BigInt(number) };
}

let folder: string;
let stored: bigint[];
let logs: string[];
let isAway: boolean;
let left: LeftRecords;
let queue: OperationQueue;
let spill: RecordSpill;
let nameCount: number;

beforeEach(async () => {
  folder = await mkdtemp("/tmp/faultline-left-");
  stored = [];
  logs = [];
  isAway = false;
  nameCount = 0;
  const log = (message: string): void => void logs.push(message);
  left = new LeftRecords({
    journalFolder: folder,
    store: async (records) => {
      if (isAway) throw new Error("The database is away.");
      stored.push(...records.map(({ costMicros }) => costMicros ?? 0n));
    },
    log,
  });
  // Nobody takes what it sends.
  queue = new OperationQueue(() => false, simulatedClock());
  spill = new RecordSpill({
    queue,
    leave: async (records) => {
      nameCount += 1;
      await leaveRecords(folder, String(nameCount).padStart(4, "0"), records);
    },
    log,
  });
});
afterEach(async () => await rm(folder, { recursive: true }));

const files = async (): Promise<string[]> =>
  await readdir(path.join(folder, "unrecorded")).catch(() => []);

async function fill(count: number, from = 0): Promise<void> {
  for (let number = from; number < from + count; number += 1) queue.push(recordOf(number));
  await spill.check();
}

describe("records that nobody takes", () => {
  it("go to disk before memory is full, and from there to whoever can store them, each once", async () => {
    const { operationSpillCount } = gatewayLimits;
    const total = operationSpillCount * 4;
    for (let at = 0; at < total; at += operationSpillCount) await fill(operationSpillCount, at);
    expect(queue.droppedCount).toBe(0);
    expect(queue.length).toBeLessThan(operationSpillCount + gatewayLimits.operationBatchMax * 4);
    await spill.leaveAll();
    isAway = true;
    await left.collect();
    await left.collect();
    expect(logs.filter((line) => line.includes("cannot be stored yet"))).toHaveLength(1);
    isAway = false;
    await left.collect();
    expect(stored.toSorted((one, other) => Number(one - other))).toEqual(
      Array.from({ length: total }, (_, number) => BigInt(number)),
    );
    expect(await files()).toEqual([]);
  });

  it("go to disk sooner when they are long, and cost no more memory than that when the disk is full", async () => {
    const { operationSpillLength, operationQueueLengthMax, operationBatchMax } = gatewayLimits;
    const message = "x".repeat(1_000_000);
    const push = (count: number): void => {
      for (let number = 0; number < count; number += 1) {
        queue.push({ ...recordOf(number), inputMessages: message });
      }
    };
    const spilt = Math.ceil(operationSpillLength / message.length);
    push(spilt);
    await spill.check();
    expect([queue.waitingCount, await files()]).toEqual([0, ["0001.records"]]);
    await left.collect();
    expect(stored).toHaveLength(spilt);
    await rm(path.join(folder, "unrecorded"), { recursive: true });
    await writeFile(path.join(folder, "unrecorded"), "no folder");
    push(operationBatchMax - 1);
    await spill.check();
    expect(queue.waitingLength).toBeLessThanOrEqual(operationQueueLengthMax);
    expect(queue.waitingLength).toBeGreaterThan(operationQueueLengthMax - message.length * 2);
    expect(queue.length + queue.droppedCount).toBe(operationBatchMax - 1);
    queue.takeAll();
    expect([queue.waitingLength, queue.length]).toEqual([0, 0]);
  });

  it("stay where they are when the disk does not take them, and are counted beyond the bound", async () => {
    await writeFile(path.join(folder, "unrecorded"), "no folder");
    const count = gatewayLimits.operationQueueMax + 5_000;
    await fill(gatewayLimits.operationSpillCount);
    await fill(count - gatewayLimits.operationSpillCount, gatewayLimits.operationSpillCount);
    expect(queue.length + queue.droppedCount).toBe(count);
    expect(queue.droppedCount).toBeGreaterThan(0);
    expect(logs).toEqual(["records cannot be left on disk"]);
  });

  it("are not left beside a try that failed, and no try counts as a file", async () => {
    const { leftRecordFilesMax } = gatewayLimits;
    await mkdir(path.join(folder, "unrecorded", "taken.records"), { recursive: true });
    for (let number = 0; number < leftRecordFilesMax + 1; number += 1) {
      await expect(leaveRecords(folder, "taken", ["{}"])).rejects.toThrow(/EISDIR|ENOTEMPTY/);
    }
    expect(await files()).toEqual(["taken.records"]);
    await leaveRecords(folder, "free", ["{}"]);
    expect(await files()).toEqual(["free.records", "taken.records"]);
  });

  it.each(["taken", "refused"])(
    "are all on disk when the process ends while some are on their way, which are then %s",
    async (end) => {
      const written: string[] = [];
      const first = Promise.withResolvers<void>();
      let tryCount = 0;
      spill = new RecordSpill({
        queue,
        leave: async (records) => {
          tryCount += 1;
          if (tryCount === 1) await first.promise;
          written.push(...records);
        },
        log: () => {},
      });
      const { operationSpillCount } = gatewayLimits;
      const filled = fill(operationSpillCount * 2);
      for (let number = 0; number < 3; number += 1) queue.push(recordOf(number));
      const left = spill.leaveAll();
      if (end === "taken") first.resolve();
      else first.reject(new Error("The disk is full."));
      await left;
      expect(written).toHaveLength(operationSpillCount * 2 + 3);
      await filled;
    },
  );

  it("fill no more than so many files", async () => {
    const { leftRecordFilesMax } = gatewayLimits;
    for (let number = 0; number < leftRecordFilesMax; number += 1) {
      await leaveRecords(folder, String(number), ["{}"]);
    }
    await expect(leaveRecords(folder, "more", ["{}"])).rejects.toThrow(/files of records already/);
    expect(await files()).toHaveLength(leftRecordFilesMax);
  });

  it.each([
    "",
    "nonsense",
    "faultline operations 1\n{}\n",
    "faultline operations 2\n[",
    "faultline operations 2\n[\n",
    "faultline operations 2\n{}\n",
  ])("are set aside when they are %j", async (text) => {
    await mkdir(path.join(folder, "unrecorded"));
    await writeFile(path.join(folder, "unrecorded", "a.records"), text);
    await leaveRecords(folder, "b", [toOperationText(recordOf(7))]);
    await left.collect();
    expect(stored).toEqual([7n]);
    expect(await files()).toEqual(["a.records.unreadable"]);
    const kept = await readFile(path.join(folder, "unrecorded", "a.records.unreadable"), "utf8");
    expect(kept).toBe(text);
  });
});
