import { array, assert as check, asyncProperty, nat, tuple } from "fast-check";
import { describe, expect, it } from "vitest";

import { bytes, entriesOf, folder, openLog, signal, textsOf } from "../../test/log-fixture.ts";
import { SimulatedDisk } from "../../test/simulated-disk.ts";
import {
  examineLog,
  JournalError,
  type LogReport,
  repairLog,
  type RepairReport,
} from "../index.ts";

const records = "abcdefghijkl".split("").map((letter, index) => letter.repeat(1 + index * 7));
const clock = { nowMs: () => 5_000 };

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

async function examine(disk: SimulatedDisk): Promise<LogReport> {
  return await examineLog({ folder, signal, fileSystem: disk });
}

async function repair(disk: SimulatedDisk): Promise<RepairReport> {
  return await repairLog({ folder, signal, fileSystem: disk, clock });
}

describe("examining a log", () => {
  it("says what is there, and changes nothing", async () => {
    const disk = SimulatedDisk.of(await wholeLog());
    const report = await examine(disk);
    expect(report).toMatchObject({
      state: "whole",
      recordCount: records.length,
      start: 0,
      damages: [],
      tornBytes: 0,
      gapBytes: 0,
    });
    expect(report.segments.length).toBe(disk.files().size);
    expect(report.segments.at(-1)).toMatchObject({ isMarked: true, limit: undefined });
    expect(disk.effectCount).toBe(0);
  });

  it("says that a folder without segments is new", async () => {
    expect(await examine(new SimulatedDisk())).toMatchObject({ state: "new", recordCount: 0 });
  });

  it("counts the records that are lost while the head of their batch can be read", async () => {
    const files = await wholeLog();
    const [first] = [...files.keys()];
    files.get(first!)![72 + 44 + 8] = 0xff;
    const report = await examine(SimulatedDisk.of(files));
    expect(report.state).toBe("damaged");
    expect(report.recordCount).toBe(records.length - 3);
    expect(report.damages).toEqual([
      {
        kind: "range",
        segment: "0000000000000001.segment",
        offset: 72,
        bytes: 44 + 3 * 8 + 1 + 8 + 15,
        recordCount: 3,
        reason: "the checksum of the batch does not match",
      },
    ]);
  });

  it("tells a write that was torn from damage", async () => {
    const files = await wholeLog();
    const last = [...files.keys()].at(-1)!;
    const whole = files.get(last)!;
    files.set(last, whole.subarray(0, whole.length - 44 - 5));
    const report = await examine(SimulatedDisk.of(files));
    expect(report.state).toBe("whole");
    expect(report.recordCount).toBe(10);
    expect(report.tornBytes).toBeGreaterThan(0);
  });
});

describe("repairing a log", () => {
  it("does nothing to a whole one", async () => {
    const disk = SimulatedDisk.of(await wholeLog());
    const report = await repair(disk);
    expect(report).toMatchObject({ keptAside: [], madeAnew: [], after: { state: "whole" } });
    expect(disk.effectCount).toBe(0);
  });

  it("gives a log that opens, keeps the positions of what is whole, and keeps the damaged bytes, wherever a bit flips", async () => {
    const files = await wholeLog();
    const positions = await positionsOf(files);
    let repairedCount = 0;
    for (const [path, whole] of files) {
      for (let index = 0; index < whole.length; index += 1) {
        const flipped = Uint8Array.from(whole);
        flipped[index] = (flipped[index] ?? 0) ^ (1 << (index % 8));
        const disk = SimulatedDisk.of(new Map([...files, [path, flipped]]));
        const report = await repair(disk);
        expect(report.after.state, `${path} at ${index}`).toBe("whole");
        const found = await positionsOf(disk.files());
        for (const [text, position] of found) expect(positions.get(text)).toBe(position);
        expect(found.size).toBe(report.before.recordCount);
        // A batch at most is lost, or none when it was a head that flipped.
        expect(records.length - found.size).toBeLessThanOrEqual(3);
        for (const name of report.keptAside) {
          repairedCount += 1;
          expect(disk.durableFiles().get(`${folder}/${name}`)).toEqual(flipped);
        }
      }
    }
    expect(repairedCount).toBeGreaterThan(500);
  });

  it("goes on after what was lost, for a reader who had come so far", async () => {
    const files = await wholeLog();
    const disk = SimulatedDisk.of(files);
    let entries;
    {
      await using log = await openLog(disk);
      entries = await entriesOf(log);
    }
    const path = [...files.keys()][0]!;
    const damaged = Uint8Array.from(disk.files().get(path)!).fill(0, 72, 130);
    const broken = SimulatedDisk.of(new Map([...disk.files(), [path, damaged]]));
    await repair(broken);
    await using log = await openLog(broken);
    // Within the first batch, which is gone.
    expect(await textsOf(log, entries[1]!.next)).toEqual(records.slice(3));
    expect(await textsOf(log)).toEqual(records.slice(3));
    await log.append(bytes("more"));
    expect((await textsOf(log)).at(-1)).toBe("more");
  });

  it("keeps the positions when segments are missing, cut, or too long", async () => {
    const files = await wholeLog();
    const positions = await positionsOf(files);
    const paths = [...files.keys()];
    const middle = paths.slice(1, -1);
    const variants: Map<string, Uint8Array>[] = [];
    for (const path of middle) {
      variants.push(new Map([...files].filter(([other]) => other !== path)));
    }
    variants.push(new Map([...files].filter(([other]) => !middle.includes(other))));
    for (const path of paths.slice(0, -1)) {
      const whole = files.get(path)!;
      for (let length = 0; length < whole.length; length += 7) {
        variants.push(new Map([...files, [path, whole.subarray(0, length)]]));
      }
      variants.push(new Map([...files, [path, Buffer.concat([whole, bytes("excess")])]]));
    }
    for (const variant of variants) {
      const disk = SimulatedDisk.of(variant);
      const report = await repair(disk);
      expect(report.before.state).toBe("damaged");
      expect(report.after.damages).toEqual([]);
      const found = await positionsOf(disk.files());
      expect(found.size).toBe(report.before.recordCount);
      for (const [text, position] of found) expect(positions.get(text)).toBe(position);
    }
  });

  it("moves a torn write aside before it cuts it", async () => {
    const files = await wholeLog();
    const last = [...files.keys()].at(-1)!;
    const torn = files.get(last)!.subarray(0, files.get(last)!.length - 44 - 5);
    const disk = SimulatedDisk.of(new Map([...files, [last, torn]]));
    const report = await repair(disk);
    expect(report.keptAside).toEqual([`${last.slice(folder.length + 1)}.damaged-1`]);
    expect(disk.files().get(`${folder}/${report.keptAside[0]}`)).toEqual(Uint8Array.from(torn));
    expect(report.after).toMatchObject({ state: "whole", tornBytes: 0, recordCount: 10 });
  });

  it("keeps its promises when any effect fails, and can be called again", async () => {
    const files = await wholeLog();
    const paths = [...files.keys()];
    const broken = new Map(files);
    broken.delete(paths[1]!);
    broken.set(paths[0]!, Uint8Array.from(files.get(paths[0]!)!).fill(0, 72, 130));
    const expected = SimulatedDisk.of(broken);
    await repair(expected);
    const positions = await positionsOf(expected.files());
    for (const code of ["EIO", "ENOSPC"]) {
      let isClean = false;
      for (let n = 1; !isClean; n += 1) {
        const disk = SimulatedDisk.of(broken);
        disk.faults.set(n, { kind: "error", code });
        const outcome = await repair(disk).catch((error: unknown) => error);
        isClean = disk.effectCount < n;
        if (outcome instanceof Error) {
          expect(outcome).toMatchObject({
            code: code === "EIO" ? "journal_unreadable" : "journal_full",
          });
        }
        const again = SimulatedDisk.of(disk.durableFiles());
        expect((await repair(again)).after.state).toBe("whole");
        expect(await positionsOf(again.files())).toEqual(positions);
        const copies = [...again.files()].filter(([path]) => path.includes(".damaged-"));
        expect(copies.some(([, copy]) => Buffer.from(copy).equals(broken.get(paths[0]!)!))).toBe(
          true,
        );
      }
    }
  });
});

describe("a log that was mistreated in any way", () => {
  it("is refused or gives true records only, and can be repaired or says why not", async () => {
    const files = await wholeLog();
    const positions = await positionsOf(files);
    const paths = [...files.keys()];
    await check(
      asyncProperty(
        array(tuple(nat({ max: 6 }), nat(), nat(), nat()), { minLength: 1, maxLength: 4 }),
        async (mutations) => {
          const broken = new Map(files);
          for (const mutation of mutations) mutate(broken, paths, mutation);
          const opened = await positionsOf(broken).catch((error: unknown) => error);
          if (opened instanceof Map) expectTrue(opened);
          else expect(opened).toBeInstanceOf(JournalError);

          const disk = SimulatedDisk.of(broken);
          const report = await repair(disk).catch((error: unknown) => error);
          if (report instanceof Error) {
            expect(report).toMatchObject({ code: "journal_corrupt" });
            return;
          }
          expectTrue(await positionsOf(disk.files()));
        },
      ),
      { numRuns: 300 },
    );

    function expectTrue(found: ReadonlyMap<string, number>): void {
      for (const [text, position] of found) expect(positions.get(text)).toBe(position);
    }
  });
});

/** Changes one of the files: flips, cuts, inserts, removes, swaps, copies or deletes. */
function mutate(
  files: Map<string, Uint8Array>,
  paths: readonly string[],
  [kind, which, at, how]: readonly [number, number, number, number],
): void {
  const path = paths[which % paths.length] ?? "";
  const other = paths[how % paths.length] ?? "";
  const content = files.get(path);
  if (content === undefined || content.length === 0) return;
  const offset = at % content.length;
  const [before, after] = [content.subarray(0, offset), content.subarray(offset)];
  const set = (...parts: readonly Uint8Array[]): void => {
    files.set(path, Uint8Array.from(Buffer.concat(parts)));
  };
  if (kind === 0)
    set(before, Uint8Array.of((after[0] ?? 0) ^ (1 + (how % 255))), after.subarray(1));
  else if (kind === 1) set(before);
  else if (kind === 2) set(before, new Uint8Array(1 + (how % 90)).fill(how % 256), after);
  else if (kind === 3) set(before, after.subarray(1 + (how % 90)));
  else if (kind === 4)
    set(
      before,
      new Uint8Array(Math.min(after.length, how % 300)),
      after.subarray(Math.min(after.length, how % 300)),
    );
  else if (kind === 5) files.set(path, files.get(other) ?? content);
  else files.delete(path);
}

async function positionsOf(files: ReadonlyMap<string, Uint8Array>): Promise<Map<string, number>> {
  await using log = await openLog(SimulatedDisk.of(files));
  return new Map(
    (await entriesOf(log)).map(({ position, record }) => [
      Buffer.from(record).toString("latin1"),
      position,
    ]),
  );
}
