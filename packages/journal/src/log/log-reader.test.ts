import { describe, expect, it } from "vitest";

import { bytes, folder, openLog, seededChance, signal, withFiles } from "../../test/log-fixture.ts";
import { SimulatedDisk } from "../../test/simulated-disk.ts";
import { type JournalFileSystem, LogReader, logStart } from "../index.ts";

async function readTexts(reader: LogReader): Promise<string[]> {
  const entries = await Array.fromAsync(reader.read(signal));
  return entries.map(({ record }) => Buffer.from(record).toString("latin1"));
}

function readerOf(disk: JournalFileSystem, from = logStart): LogReader {
  return new LogReader({ folder, from, fileSystem: disk });
}

describe("a reader beside the writer", () => {
  it("gives nothing where there is no log yet, and goes on when there is one", async () => {
    const disk = new SimulatedDisk();
    const reader = readerOf(disk);
    expect(await readTexts(reader)).toEqual([]);
    await using log = await openLog(disk);
    expect(await readTexts(reader)).toEqual([]);
    await log.append(bytes("a"));
    await log.append(bytes("b"));
    await log[Symbol.asyncDispose]();
    expect(await readTexts(reader)).toEqual(["a", "b"]);
    expect(await readTexts(reader)).toEqual([]);
    expect(reader.position).toBe(log.end);
  });

  it("gives each record once, in order, however its readings fall between the writes", async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const chance = seededChance(seed);
      const disk = new SimulatedDisk();
      const log = await openLog(disk);
      const reader = readerOf(disk);
      const seen: string[] = [];
      const written: string[] = [];
      while (written.length < 60) {
        const calls: Promise<unknown>[] = [];
        for (let count = chance.integer(4); count >= 0; count -= 1) {
          const text = `${written.length}.`.padEnd(6 + chance.integer(90), "x");
          written.push(text);
          calls.push(log.append(bytes(text)));
        }
        if (chance.integer(2) === 0) seen.push(...(await readTexts(reader)));
        await Promise.all(calls);
        expect(written.slice(0, seen.length)).toEqual(seen);
      }
      await log[Symbol.asyncDispose]();
      seen.push(...(await readTexts(reader)));
      expect(seen).toEqual(written);
    }
  });

  it("does not see a batch before it is synced, although it is written", async () => {
    const disk = new SimulatedDisk();
    const gate = Promise.withResolvers<void>();
    const syncing = Promise.withResolvers<void>();
    let isGated = false;
    const slow = withFiles(disk, (file) => ({
      sync: async () => {
        if (isGated) {
          syncing.resolve();
          await gate.promise;
        }
        await file.sync();
      },
    }));
    await using log = await openLog(disk, { fileSystem: slow });
    await log.append(bytes("synced"));
    isGated = true;
    const pending = log.append(bytes("written"));
    await syncing.promise;
    const reader = readerOf(disk);
    expect(await readTexts(reader)).toEqual(["synced"]);
    gate.resolve();
    await pending;
    await log[Symbol.asyncDispose]();
    expect(await readTexts(reader)).toEqual(["written"]);
  });

  it("counts an entry as read when the next is asked for, and goes on there in another reader", async () => {
    const disk = new SimulatedDisk();
    {
      await using log = await openLog(disk);
      await log.appendMany(["a", "b", "c", "d"].map(bytes));
      await log.append(bytes("e"));
    }
    const reader = readerOf(disk);
    for await (const { record } of reader.read(signal)) {
      if (Buffer.from(record).toString() === "c") break;
    }
    expect(await readTexts(readerOf(disk, reader.position))).toEqual(["c", "d", "e"]);
    expect(await readTexts(reader)).toEqual(["c", "d", "e"]);
  });

  it("says that a position was dropped, and that one is unknown", async () => {
    const disk = new SimulatedDisk();
    await using log = await openLog(disk);
    const positions = [];
    for (const letter of "abcdefghij") positions.push(await log.append(bytes(letter.repeat(99))));
    await log.dropBefore(positions.at(-2)!);
    await expect(readTexts(readerOf(disk, positions[0]))).rejects.toMatchObject({
      code: "journal_position_dropped",
    });
    const beyond = (log.end + 1_000) as typeof logStart;
    await expect(readTexts(readerOf(disk, beyond))).rejects.toMatchObject({
      code: "journal_position_unknown",
    });
    const within = (positions.at(-2)! + 3) as typeof logStart;
    await expect(readTexts(readerOf(disk, within))).rejects.toMatchObject({
      code: "journal_position_unknown",
    });
    expect((await readTexts(readerOf(disk))).at(-1)).toBe("j".repeat(99));
  });

  it("gives what was written, or names the place, whichever byte is damaged", async () => {
    const disk = new SimulatedDisk();
    const texts = "abcdefgh".split("").map((letter) => letter.repeat(70));
    {
      await using log = await openLog(disk);
      for (const text of texts) await log.append(bytes(text));
    }
    for (const [path, whole] of disk.files()) {
      for (let index = 0; index < whole.length; index += 1) {
        const flipped = Uint8Array.from(whole);
        flipped[index] = (flipped[index] ?? 0) ^ 0x10;
        const damaged = SimulatedDisk.of(new Map([...disk.files(), [path, flipped]]));
        const seen: string[] = [];
        const reading = (async () => {
          for await (const { record } of readerOf(damaged).read(signal)) {
            seen.push(Buffer.from(record).toString("latin1"));
          }
        })();
        const outcome = await reading.then(
          () => undefined,
          (error: unknown) => error,
        );
        expect(texts.slice(0, seen.length)).toEqual(seen);
        if (outcome === undefined) {
          // A damaged mark at most hides the batch before it, until the next writer has looked at it.
          expect(seen.length).toBeGreaterThanOrEqual(texts.length - 1);
          expect(index).toBeGreaterThanOrEqual(whole.length - 44);
        } else {
          expect(outcome).toMatchObject({ code: "journal_corrupt" });
        }
      }
    }
  });
});
