import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import {
  bytes,
  entriesOf,
  folder,
  openLog,
  signal,
  textsOf,
  withFiles,
} from "../../test/log-fixture.ts";
import { SimulatedDisk } from "../../test/simulated-disk.ts";
import { Log, type LogPosition, logStart, nodeFileSystem } from "../index.ts";

const letters = "abcdefghijklmnopqrstuvwxyz".split("");

describe("a log", () => {
  it("keeps records of any bytes in the order of the calls, also the empty one", async () => {
    const disk = new SimulatedDisk();
    const records = [bytes(""), bytes("\u0000"), Uint8Array.of(0xff, 0xc3, 0x28), bytes("FLB1")];
    {
      await using log = await openLog(disk);
      await Promise.all(records.map(async (record) => await log.append(record)));
    }
    await using log = await openLog(disk);
    expect((await entriesOf(log)).map(({ record }) => [...record])).toEqual(
      records.map((record) => [...record]),
    );
  });

  it("gives positions that grow, name their record, and survive reopening and new segments", async () => {
    const disk = new SimulatedDisk();
    const positions: LogPosition[] = [];
    {
      await using log = await openLog(disk);
      for (const letter of letters) positions.push(await log.append(bytes(letter.repeat(30))));
      expect(log.segments.length).toBeGreaterThan(2);
    }
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
    await using log = await openLog(disk);
    for (const [index, position] of positions.entries()) {
      const [first] = await entriesOf(log, position);
      expect(first?.position).toBe(position);
      expect(Buffer.from(first?.record ?? []).toString()).toBe(letters[index]?.repeat(30));
    }
  });

  it("goes on from the `next` of any entry", async () => {
    const disk = new SimulatedDisk();
    await using log = await openLog(disk);
    await log.appendMany(["a", "b", "c"].map(bytes));
    await log.appendMany(["d", "e"].map(bytes));
    const entries = await entriesOf(log);
    for (const [index, { next }] of entries.entries()) {
      expect(await textsOf(log, next)).toEqual(["a", "b", "c", "d", "e"].slice(index + 1));
    }
    expect(entries.at(-1)?.next).toBe(log.end);
  });

  it("refuses every position at which no record starts", async () => {
    const disk = new SimulatedDisk();
    await using log = await openLog(disk);
    for (const letter of letters.slice(0, 12)) {
      await Promise.all([log.append(bytes(letter.repeat(9))), log.append(bytes("FLB1".repeat(9)))]);
    }
    const entries = await entriesOf(log);
    const ends = log.segments.flatMap(({ start, end }) => [start, end]);
    const known = new Set([...entries.flatMap(({ position, next }) => [position, next]), ...ends]);
    let refusedCount = 0;
    for (let position = 1; position <= log.end + 3; position += 1) {
      const outcome = await textsOf(log, position as LogPosition).catch((error: unknown) => error);
      if (known.has(position as LogPosition)) expect(outcome).toBeInstanceOf(Array);
      else if (!Array.isArray(outcome)) {
        expect(outcome).toMatchObject({ code: "journal_position_unknown" });
        refusedCount += 1;
      } else {
        // The start of a batch, or a byte of a segment's head: what follows is read.
        expect(outcome.join("")).toBe(
          entries
            .filter((entry) => entry.position >= position)
            .map(({ record }) => Buffer.from(record).toString("latin1"))
            .join(""),
        );
      }
    }
    expect(refusedCount).toBeGreaterThan(500);
  });

  it("writes appends that come together as one batch, with one sync", async () => {
    const disk = new SimulatedDisk();
    await using log = await openLog(disk, { limits: {} });
    const before = disk.effectCount;
    await Promise.all(letters.map(async (letter) => await log.append(bytes(letter))));
    // The write and the sync; the mark behind them comes after the answer.
    expect(disk.effectCount - before).toBeLessThanOrEqual(3);
    expect(await textsOf(log)).toEqual(letters);
  });

  it("copies a record at once when there is room in the batch", async () => {
    await using log = await openLog(new SimulatedDisk());
    const record = bytes("before");
    const appended = log.append(record);
    record.fill(0x21);
    await appended;
    expect(await textsOf(log)).toEqual(["before"]);
  });

  it("lets calls wait when a batch is full, keeps their order, and refuses beyond the limit", async () => {
    await using log = await openLog(new SimulatedDisk(), {
      limits: { batchBytesMax: 128, segmentBytesMax: 4_096, bytesMax: 65_536, waitingCountMax: 10 },
    });
    const outcomes = await Promise.allSettled(
      letters.map(async (letter) => await log.append(bytes(letter.repeat(30)))),
    );
    const kept = letters.filter((_, index) => outcomes[index]?.status === "fulfilled");
    expect(kept).toEqual(letters.slice(0, 12));
    expect(outcomes.at(-1)).toMatchObject({ reason: { code: "journal_busy" } });
    expect((await textsOf(log)).map((text) => text[0])).toEqual(kept);
    await log.append(bytes("later"));
    expect(log.waitingCount).toBe(0);
  });

  it("refuses a record that no batch holds, and takes the largest", async () => {
    await using log = await openLog(new SimulatedDisk());
    const largest = 256 - 44 - 8;
    await log.append(new Uint8Array(largest));
    await expect(log.append(new Uint8Array(largest + 1))).rejects.toMatchObject({
      code: "journal_record_too_large",
    });
    await expect(log.appendMany([new Uint8Array(largest), bytes("")])).rejects.toMatchObject({
      code: "journal_record_too_large",
    });
    expect(await log.appendMany([])).toEqual([]);
    expect((await entriesOf(log)).length).toBe(1);
  });

  it("drops whole segments below a position and says so to a reader of them", async () => {
    const disk = new SimulatedDisk();
    await using log = await openLog(disk);
    const positions: LogPosition[] = [];
    for (const letter of letters) positions.push(await log.append(bytes(letter.repeat(60))));
    const segments = log.segments;
    const keep = positions[13]!;
    const dropped = await log.dropBefore(keep);
    expect(dropped).toBe(segments.filter(({ end }) => end <= keep).length);
    expect(dropped).toBeGreaterThan(1);
    expect(disk.durableFiles().size).toBe(segments.length - dropped);
    await expect(textsOf(log, positions[0])).rejects.toMatchObject({
      code: "journal_position_dropped",
    });
    const rest = await entriesOf(log);
    expect(rest[0]?.position).toBeGreaterThanOrEqual(log.start);
    expect(rest.map(({ position }) => position)).toEqual(
      positions.filter((position) => position >= log.start),
    );
    expect((await textsOf(log, keep)).length).toBe(13);
    await log.dropBefore(log.end);
    expect(log.segments.length).toBe(1);
  });

  it("refuses beyond its capacity and takes more after retention has made room", async () => {
    const disk = new SimulatedDisk();
    await using log = await openLog(disk, {
      limits: { batchBytesMax: 256, segmentBytesMax: 512, bytesMax: 2_048 },
    });
    let last: LogPosition = logStart;
    const refusals: unknown[] = [];
    while (refusals.length === 0) {
      await log.append(bytes("x".repeat(100))).then(
        (position) => (last = position),
        (error: unknown) => refusals.push(error),
      );
    }
    expect(refusals).toMatchObject([{ code: "journal_full" }]);
    expect(await log.dropBefore(last)).toBeGreaterThan(0);
    await log.append(bytes("more"));
    expect((await textsOf(log)).at(-1)).toBe("more");
  });

  it("reads on while it is written to, up to the end as it is then", async () => {
    await using log = await openLog(new SimulatedDisk());
    await log.append(bytes("0"));
    const seen: string[] = [];
    for await (const { record } of log.read(logStart, signal)) {
      seen.push(Buffer.from(record).toString());
      if (seen.length < 40) await log.append(bytes(String(seen.length)));
    }
    expect(seen).toEqual(Array.from({ length: 40 }, (_, index) => String(index)));
  });

  it("loses nothing that is appended while it leaves a segment", async () => {
    const disk = new SimulatedDisk();
    let onClose: (() => Promise<unknown>) | undefined;
    const fileSystem = withFiles(disk, (file, mode) => ({
      close: async () => {
        const act = mode === "read" ? onClose : undefined;
        if (act !== undefined) onClose = undefined;
        await act?.();
        await file.close();
      },
    }));
    await using log = await openLog(disk, { fileSystem });
    await log.append(bytes("a"));
    onClose = async () => await log.append(bytes("b"));
    expect(await textsOf(log)).toEqual(["a", "b"]);
  });

  it("stops reading when its signal aborts", async () => {
    await using log = await openLog(new SimulatedDisk());
    for (const letter of letters) await log.append(bytes(letter));
    const controller = new AbortController();
    const reading = log.read(logStart, controller.signal);
    await reading.next();
    controller.abort(new Error("enough"));
    await expect(Array.fromAsync(reading)).rejects.toThrow("enough");
  });

  it("writes what it accepted before it closes, and refuses afterwards", async () => {
    const disk = new SimulatedDisk();
    const log = await openLog(disk);
    const accepted = letters.map(async (letter) => await log.append(bytes(letter.repeat(40))));
    const closing = log[Symbol.asyncDispose]();
    await expect(log.append(bytes("late"))).rejects.toMatchObject({ code: "journal_closed" });
    await Promise.all([closing, ...accepted]);
    await expect(log.appendMany([bytes("late")])).rejects.toMatchObject({ code: "journal_closed" });
    await expect(log.dropBefore(log.end)).rejects.toMatchObject({ code: "journal_closed" });
    await log[Symbol.asyncDispose]();
    await using again = await openLog(disk);
    expect((await textsOf(again)).length).toBe(26);
  });

  it("has one writer", async () => {
    const disk = new SimulatedDisk();
    await using log = await openLog(disk);
    await expect(openLog(disk)).rejects.toMatchObject({ code: "journal_locked" });
    await log.append(bytes("a"));
  });

  it("refuses limits that do not fit together", async () => {
    const disk = new SimulatedDisk();
    await expect(openLog(disk, { limits: { batchBytesMax: 40 } })).rejects.toThrow(RangeError);
    await expect(openLog(disk, { limits: { segmentBytesMax: 100 } })).rejects.toThrow(RangeError);
    expect([...disk.files().keys()]).toEqual([]);
  });
});

describe("a log on the real disk", () => {
  it("stands in a folder that it makes, with segments and nothing else once it is closed", async () => {
    const root = await mkdtemp(join(tmpdir(), "faultline-journal-"));
    try {
      const where = join(root, "a", "b");
      const open = async (): Promise<Log> =>
        await Log.open({
          folder: where,
          clock: { nowMs: () => 1 },
          random: { bytes: (length) => new Uint8Array(length).fill(3) },
          signal,
        });
      {
        await using log = await open();
        await log.appendMany(letters.map(bytes));
        await expect(open()).rejects.toMatchObject({ code: "journal_locked" });
      }
      expect(await readdir(where)).toEqual(["0000000000000001.segment"]);
      await using log = await open();
      expect(await textsOf(log)).toEqual(letters);
      expect(log.recovery).toEqual({
        isNew: false,
        segmentCount: 1,
        tornBytes: 0,
        tornReason: undefined,
      });
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  });

  it("says which folder cannot be used", async () => {
    const opened = Log.open({
      folder: "/dev/null/journal",
      clock: { nowMs: () => 1 },
      random: { bytes: (length) => new Uint8Array(length) },
      signal,
      fileSystem: nodeFileSystem,
    });
    await expect(opened).rejects.toMatchObject({ code: "journal_unreadable" });
    await expect(opened).rejects.toThrow("/dev/null/journal");
    expect(folder).not.toBe("/dev/null/journal");
  });
});
