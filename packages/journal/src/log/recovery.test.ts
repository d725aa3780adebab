import { describe, expect, it } from "vitest";

import { bytes, entriesOf, openLog, textsOf } from "../../test/log-fixture.ts";
import { SimulatedDisk } from "../../test/simulated-disk.ts";
import { JournalError } from "../index.ts";

const records = "abcdefghijkl".split("").map((letter, index) => letter.repeat(1 + index * 7));

/** The files of a log with several segments and batches, closed in good order. */
async function wholeLog(): Promise<Map<string, Uint8Array>> {
  const disk = new SimulatedDisk();
  {
    await using log = await openLog(disk);
    await log.appendMany(records.slice(0, 3).map(bytes));
    for (const record of records.slice(3, 10)) await log.append(bytes(record));
    await log.appendMany(records.slice(10).map(bytes));
  }
  return disk.files();
}

/** The files after the last batch, which is not yet acknowledged, has reached the disk in full. */
async function logWithPendingBatch(): Promise<{
  files: Map<string, Uint8Array>;
  acknowledged: string[];
  pending: string[];
  /** The byte of the last segment at which the pending batch starts. */
  offset: number;
}> {
  const acknowledged = records.slice(0, 5);
  const pending = ["pending-1", "pending-2"];
  const disk = new SimulatedDisk();
  const log = await openLog(disk, { limits: {} });
  for (const record of acknowledged) await log.append(bytes(record));
  const offset = log.end;
  // The write succeeds, the sync does not.
  disk.faultsByKind.set("sync", { kind: "error", code: "EIO" });
  await log.appendMany(pending.map(bytes)).catch(() => undefined);
  return { files: disk.files(), acknowledged, pending, offset };
}

function onlyPath(files: ReadonlyMap<string, Uint8Array>): string {
  expect(files.size).toBe(1);
  return [...files.keys()][0] ?? "";
}

describe("opening a log", () => {
  it("cuts a write that was torn at any byte, and keeps all that was acknowledged", async () => {
    const { files, acknowledged, pending, offset } = await logWithPendingBatch();
    const path = onlyPath(files);
    const whole = files.get(path) ?? new Uint8Array();
    for (let length = offset; length <= whole.length; length += 1) {
      const disk = SimulatedDisk.of(new Map([[path, whole.subarray(0, length)]]));
      await using log = await openLog(disk, { limits: {} });
      const isWhole = length === whole.length;
      expect(await textsOf(log)).toEqual(isWhole ? [...acknowledged, ...pending] : acknowledged);
      expect(log.recovery.tornBytes).toBe(isWhole ? 0 : length - offset);
      await log.append(bytes("after"));
      expect((await textsOf(log)).at(-1)).toBe("after");
    }
  });

  it("cuts a write of which any part is missing or garbled, wherever that part is", async () => {
    const { files, acknowledged, offset } = await logWithPendingBatch();
    const path = onlyPath(files);
    const whole = files.get(path) ?? new Uint8Array();
    for (let start = offset; start < whole.length; start += 1) {
      for (const fill of [0x00, 0xff]) {
        const garbled = Uint8Array.from(whole).fill(fill, start, start + 16);
        if (Buffer.from(garbled).equals(whole)) continue;
        await using log = await openLog(SimulatedDisk.of(new Map([[path, garbled]])), {
          limits: {},
        });
        expect(await textsOf(log)).toEqual(acknowledged);
      }
    }
  });

  it("gives the same records or names the place, whichever bit flips", async () => {
    const files = await wholeLog();
    expect(files.size).toBeGreaterThan(2);
    let refusedCount = 0;
    for (const [path, whole] of files) {
      for (let index = 0; index < whole.length; index += 1) {
        for (let bit = 0; bit < 8; bit += 1) {
          const flipped = Uint8Array.from(whole);
          flipped[index] = (flipped[index] ?? 0) ^ (1 << bit);
          const outcome = await readAll(new Map([...files, [path, flipped]]));
          if (outcome instanceof JournalError) {
            refusedCount += 1;
            expect(outcome.code).toBe("journal_corrupt");
            expect(path.endsWith(outcome.place?.segment ?? "nowhere")).toBe(true);
            expect(outcome.place?.offset).toBeLessThanOrEqual(index);
          } else {
            // Only the mark at the end is worth nothing by itself.
            expect(outcome).toEqual(records);
            expect(index).toBeGreaterThanOrEqual(whole.length - 44);
          }
        }
      }
    }
    expect(refusedCount).toBeGreaterThan(5_000);
  });

  it("changes nothing on a disk that it refuses", async () => {
    const files = await wholeLog();
    const path = [...files.keys()].at(-1) ?? "";
    const damaged = Uint8Array.from(files.get(path) ?? []).fill(0, 80, 90);
    const disk = SimulatedDisk.of(new Map([...files, [path, damaged]]));
    const before = disk.files();
    await expect(openLog(disk)).rejects.toMatchObject({ code: "journal_corrupt" });
    expect(disk.files()).toEqual(before);
    expect(disk.effectCount).toBe(0);
    // The lock is free again.
    await expect(openLog(disk)).rejects.toMatchObject({ code: "journal_corrupt" });
  });

  it("gives a prefix of whole batches or names the place, wherever a segment ends too early", async () => {
    const files = await wholeLog();
    const paths = [...files.keys()];
    for (const [path, whole] of files) {
      for (let length = 0; length < whole.length; length += 1) {
        const outcome = await readAll(new Map([...files, [path, whole.subarray(0, length)]]));
        if (outcome instanceof JournalError) {
          expect(outcome.code).toBe("journal_corrupt");
          expect(outcome.place).toBeDefined();
        } else {
          expect(path).toBe(paths.at(-1));
          expect(outcome).toEqual(records.slice(0, outcome.length));
        }
      }
    }
  });

  it("refuses bytes behind a segment that is not the last", async () => {
    const files = await wholeLog();
    const [path] = [...files.keys()];
    const longer = Buffer.concat([files.get(path!)!, Buffer.from([0])]);
    const outcome = await readAll(new Map([...files, [path!, longer]]));
    expect(outcome).toMatchObject({ code: "journal_corrupt" });
  });

  it("refuses a gap, a segment under another name, and a segment of another log", async () => {
    const files = await wholeLog();
    const [first, second, third] = [...files.keys()];
    const without = new Map(files);
    without.delete(second!);
    expect(await readAll(without)).toMatchObject({
      code: "journal_corrupt",
      place: { segment: "0000000000000003.segment" },
    });

    const renamed = new Map([...files, [second!, files.get(third!)!]]);
    expect(await readAll(renamed)).toMatchObject({
      place: { segment: "0000000000000002.segment" },
    });

    const otherDisk = new SimulatedDisk();
    {
      await using other = await openLog(otherDisk, {
        random: { bytes: (length) => new Uint8Array(length).fill(9) },
      });
      await other.appendMany(records.slice(0, 3).map(bytes));
      for (const record of records.slice(3, 10)) await other.append(bytes(record));
      await other.appendMany(records.slice(10).map(bytes));
    }
    const mixed = new Map([...files, [second!, otherDisk.files().get(second!)!]]);
    const outcome = await readAll(mixed);
    expect(outcome).toMatchObject({ code: "journal_corrupt" });
    expect(String(outcome)).toContain("another log");
    expect(first).toBeDefined();
  });

  it("starts where retention has left off, with the oldest segments gone", async () => {
    const files = await wholeLog();
    const [first] = [...files.keys()];
    files.delete(first!);
    const outcome = await readAll(files);
    expect(outcome).toEqual(records.slice(-(outcome as string[]).length));
    expect((outcome as string[]).length).toBeGreaterThan(0);
  });

  it("removes the draft of a segment that a crash has left, and ignores foreign files", async () => {
    const files = await wholeLog();
    files.set("/journal/0000000000000009.segment.new", bytes("half a head"));
    files.set("/journal/notes.txt", bytes("foreign"));
    const disk = SimulatedDisk.of(files);
    await using log = await openLog(disk);
    expect(await textsOf(log)).toEqual(records);
    expect([...disk.files().keys()]).not.toContain("/journal/0000000000000009.segment.new");
    expect([...disk.files().keys()]).toContain("/journal/notes.txt");
  });

  it("checks only heads and the last segment when it is told to, and then refuses when it reads", async () => {
    const files = await wholeLog();
    const [first] = [...files.keys()];
    const damaged = Uint8Array.from(files.get(first!)!).fill(0, 130, 140);
    const disk = SimulatedDisk.of(new Map([...files, [first!, damaged]]));
    await expect(openLog(disk)).rejects.toMatchObject({ code: "journal_corrupt" });
    await using log = await openLog(disk, { verify: "last-segment" });
    await expect(textsOf(log)).rejects.toMatchObject({
      code: "journal_corrupt",
      place: { segment: "0000000000000001.segment" },
    });
    await log.append(bytes("still"));
  });

  it("tells damage from a torn write also where its last writer had no time for a mark", async () => {
    const { files } = await logWithPendingBatch();
    const path = onlyPath(files);
    const disk = SimulatedDisk.of(files);
    {
      await using log = await openLog(disk, { limits: {} });
      expect(log.recovery.tornBytes).toBe(0);
    }
    const damaged = disk.files().get(path) ?? new Uint8Array();
    damaged[damaged.length - 44 - 3] = 0xff;
    const opened = openLog(SimulatedDisk.of(new Map([[path, damaged]])), { limits: {} });
    await expect(opened).rejects.toMatchObject({ code: "journal_corrupt" });
  });

  it("makes the name of a segment durable whose writer could not, before anything counts in it", async () => {
    const disk = new SimulatedDisk();
    disk.faultsByKind.set("sync-folder", { kind: "error", code: "EIO" });
    await expect(openLog(disk)).rejects.toMatchObject({ code: "journal_unreadable" });
    await using log = await openLog(disk.afterProcess());
    await log.append(bytes("acknowledged"));
    await using later = await openLog(SimulatedDisk.of(disk.durableFiles()));
    expect(await textsOf(later)).toEqual(["acknowledged"]);
  });

  it("makes a batch durable that its writer could not sync, before it counts", async () => {
    const { files, acknowledged, pending } = await logWithPendingBatch();
    // The next process sees what the system holds in memory, although the disk never got it.
    const disk = new SimulatedDisk();
    const log = await openLog(disk, { limits: {} });
    for (const record of acknowledged) await log.append(bytes(record));
    disk.faultsByKind.set("sync", { kind: "error", code: "EIO" });
    await expect(log.appendMany(pending.map(bytes))).rejects.toMatchObject({
      code: "journal_poisoned",
    });
    const path = onlyPath(files);
    const durableBefore = disk.durableFiles().get(path)?.length ?? 0;
    await using next = await openLog(disk.afterProcess(), { limits: {} });
    expect(await textsOf(next)).toEqual([...acknowledged, ...pending]);
    const durable = disk.durableFiles().get(path)?.length ?? 0;
    expect(durable).toBeGreaterThan(durableBefore);
    expect((await entriesOf(next)).at(-1)?.next).toBe(durable);
  });
});

async function readAll(files: ReadonlyMap<string, Uint8Array>): Promise<string[] | JournalError> {
  try {
    await using log = await openLog(SimulatedDisk.of(files));
    return await textsOf(log);
  } catch (error) {
    if (error instanceof JournalError) return error;
    throw error;
  }
}
