import { crc32 } from "node:zlib";

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { SimulatedDisk } from "../../test/simulated-disk.ts";
import {
  blockFrame,
  endFrame,
  entryBytes,
  entryOfFields,
  type Frame,
  snapshotBytes,
} from "../../test/snapshot-bytes.ts";
import { signal, smallStoreLimits, storeFolder, storeOptions } from "../../test/store-fixture.ts";
import { JournalError } from "../journal-error.ts";
import type { BinaryKey } from "./binary-key.ts";
import type { EntryWrite } from "./entry-codec.ts";
import { keyBytesMax } from "./limits.ts";
import { loadSnapshot } from "./snapshot-file.ts";
import { frameKinds } from "./snapshot-format.ts";
import { Store } from "./store.ts";

const name = "0000000000000005.snapshot";

/** Its characters are all bytes. */
function entry(key: string, value = "v", expiresAtMs = Infinity): EntryWrite {
  return { key: key as BinaryKey, value: Buffer.from(value), expiresAtMs };
}

/** The entries of a file, or the code and the place of its refusal. */
async function load(bytes: Uint8Array): Promise<string> {
  const disk = SimulatedDisk.of(new Map([[`${storeFolder}/${name}`, bytes]]));
  try {
    const { base } = await loadSnapshot(disk, { folder: storeFolder, name }, signal);
    const entries: string[] = [];
    for (const block of base.blocks) {
      for (let slot = 0; slot < block.entryCount; slot += 1) {
        const { key, value, expiresAtMs } = block.entryAt(slot);
        entries.push(
          `${key}=${value?.toString()}${expiresAtMs === Infinity ? "" : `@${expiresAtMs}`}`,
        );
      }
    }
    return entries.join(" ");
  } catch (error) {
    if (!(error instanceof JournalError)) throw error;
    expect(error.place?.segment).toBe(name);
    return `${error.code} at ${error.place?.offset}`;
  }
}

/** Where the first frame starts: the head with its four fields is 64 bytes long. */
const firstFrame = 64;

describe("a snapshot file", () => {
  it("gives its entries", async () => {
    const bytes = snapshotBytes([
      blockFrame([entry("", "empty key"), entry("a", ""), entry("a\u0000", "v", 5)]),
      blockFrame([entry("a\u00ff", "last")]),
      endFrame(2, 4),
    ]);
    expect(await load(bytes)).toBe("=empty key a= a\u0000=v@5 a\u00ff=last");
    expect(await load(snapshotBytes([endFrame(0, 0)]))).toBe("");
  });

  it.each<[string, readonly Frame[], string]>([
    ["no end", [blockFrame([entry("a")])], "journal_corrupt at 96"],
    [
      "another count of entries",
      [blockFrame([entry("a")]), endFrame(1, 2)],
      "journal_corrupt at 112",
    ],
    [
      "another count of blocks",
      [blockFrame([entry("a")]), endFrame(2, 1)],
      "journal_corrupt at 112",
    ],
    ["a frame after the end", [endFrame(0, 0), endFrame(0, 0)], "journal_corrupt at 104"],
    [
      "a key twice in a block",
      [blockFrame([entry("a"), entry("a")]), endFrame(1, 2)],
      "journal_corrupt at 96",
    ],
    [
      "a key twice over two blocks",
      [blockFrame([entry("a")]), blockFrame([entry("a")]), endFrame(2, 2)],
      "journal_corrupt at 112",
    ],
    [
      "keys out of order",
      [blockFrame([entry("b"), entry("a")]), endFrame(1, 2)],
      "journal_corrupt at 96",
    ],
    [
      "a tombstone",
      [blockFrame([{ ...entry("a"), value: undefined }]), endFrame(1, 1)],
      "journal_corrupt at 80",
    ],
    [
      "an empty block",
      [{ kind: 1, entryCount: 0, content: new Uint8Array(0) }, endFrame(1, 0)],
      "journal_corrupt at 80",
    ],
    [
      "fewer entries than it says",
      [{ ...blockFrame([entry("a")]), entryCount: 2 }, endFrame(1, 2)],
      "journal_corrupt at 80",
    ],
    [
      "more entries than it says",
      [{ ...blockFrame([entry("a"), entry("b")]), entryCount: 1 }, endFrame(1, 1)],
      "journal_corrupt at 96",
    ],
    [
      "a count of entries beyond all memory",
      [{ ...blockFrame([entry("a")]), entryCount: 0xffff_ffff }, endFrame(1, 1)],
      "journal_corrupt at 80",
    ],
    [
      "an unknown frame that must be understood",
      [{ kind: 0x8001, entryCount: 0, content: new Uint8Array(3) }, endFrame(0, 0)],
      "journal_version_newer at 64",
    ],
  ])("is refused with its place: %s", async (_, frames, outcome) => {
    expect(await load(snapshotBytes(frames))).toBe(outcome);
  });

  it("skips frames and fields that are unknown and need not be understood", async () => {
    const content = entryOfFields(
      [1, Buffer.from("a")],
      [2, Buffer.from("v")],
      [9, Buffer.from("?")],
    );
    const bytes = snapshotBytes([
      { kind: 7, entryCount: 3, content: Buffer.from("something else") },
      { kind: frameKinds.block, entryCount: 1, content },
      endFrame(1, 1),
    ]);
    expect(await load(bytes)).toBe("a=v");
  });

  it.each<[string, Buffer, string]>([
    [
      "an unknown field that must be understood",
      entryOfFields([1, Buffer.from("a")], [2, Buffer.from("v")], [128, Buffer.from("?")]),
      "journal_version_newer",
    ],
    [
      "a field twice",
      entryOfFields([1, Buffer.from("a")], [2, Buffer.from("v")], [2, Buffer.from("w")]),
      "journal_corrupt",
    ],
    [
      "fields out of order",
      entryOfFields([2, Buffer.from("v")], [1, Buffer.from("a")]),
      "journal_corrupt",
    ],
    [
      "a field of type 0",
      entryOfFields([0, Buffer.from("v")], [1, Buffer.from("a")]),
      "journal_corrupt",
    ],
    ["no key", entryOfFields([2, Buffer.from("v")]), "journal_corrupt"],
    ["no field", entryOfFields(), "journal_corrupt"],
    [
      "a key that is too long",
      entryOfFields([1, Buffer.alloc(keyBytesMax + 1)], [2, Buffer.from("v")]),
      "journal_corrupt",
    ],
    [
      "an expiry of 7 bytes",
      entryOfFields([1, Buffer.from("a")], [2, Buffer.from("v")], [3, Buffer.alloc(7)]),
      "journal_corrupt",
    ],
    [
      "an expiry beyond 2^53",
      entryOfFields([1, Buffer.from("a")], [2, Buffer.from("v")], [3, Buffer.alloc(8, 0xff)]),
      "journal_corrupt",
    ],
    [
      "a field longer than its entry",
      Buffer.from([6, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0x61]),
      "journal_corrupt",
    ],
    [
      "an entry longer than its block",
      Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 1, 0, 0, 0, 0x61]),
      "journal_corrupt",
    ],
    ["half a field", Buffer.from([3, 0, 0, 0, 1, 1, 0]), "journal_corrupt"],
  ])("is refused when an entry has %s", async (_, content, code) => {
    const frame = { kind: frameKinds.block, entryCount: 1, content };
    expect(await load(snapshotBytes([frame, endFrame(1, 1)]))).toMatch(
      new RegExp(`^${code} at \\d+$`),
    );
  });

  it("is refused before memory is taken for a frame that the file does not hold", async () => {
    const bytes = snapshotBytes([blockFrame([entry("a")]), endFrame(1, 1)]);
    for (const length of [0xffff_ffff, 3_000_000, bytes.length]) {
      const hostile = Buffer.from(bytes);
      hostile.writeUInt32LE(length, firstFrame + 4);
      expect(await load(hostile)).toBe(`journal_corrupt at ${firstFrame + 4}`);
    }
  });

  it("is refused when its head says a newer format, and when it says so by a flipped bit", async () => {
    const bytes = snapshotBytes([endFrame(0, 0)]);
    bytes.writeUInt16LE(2, 8);
    expect(await load(bytes)).toBe("journal_corrupt at 12");
    const fields = bytes.subarray(16, firstFrame);
    bytes.writeUInt32LE(crc32(fields, crc32(bytes.subarray(0, 12))), 12);
    expect(await load(bytes)).toBe("journal_version_newer at 8");
  });

  it("is refused when frames of two files are joined", async () => {
    const first = snapshotBytes([blockFrame([entry("a")]), endFrame(1, 1)], 5);
    const second = snapshotBytes([blockFrame([entry("b")]), endFrame(1, 1)], 6);
    const joined = Buffer.concat([first.subarray(0, firstFrame), second.subarray(firstFrame)]);
    expect(await load(joined)).toBe(`journal_corrupt at ${firstFrame + 12}`);
  });

  it("ends in entries that ascend or in a typed refusal, whatever the entries' bytes are", async () => {
    const whole = Buffer.concat([entry("a"), entry("ab", "", 77), entry("b")].map(entryBytes));
    const arbitraryChange = fc.record({
      at: fc.nat({ max: whole.length - 1 }),
      with: fc.oneof(
        fc.uint8Array({ maxLength: 6 }),
        fc.constantFrom(Uint8Array.of(0xff, 0xff, 0xff, 0xff), Uint8Array.of(0, 0, 0, 0)),
      ),
      drop: fc.nat({ max: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(arbitraryChange, { minLength: 1, maxLength: 3 }),
        fc.nat({ max: 4 }),
        async (changes, entryCount) => {
          let content: Buffer = whole;
          for (const { at, with: bytes, drop } of changes) {
            content = Buffer.concat([content.subarray(0, at), bytes, content.subarray(at + drop)]);
          }
          const frame = { kind: frameKinds.block, entryCount, content };
          const outcome = await load(snapshotBytes([frame, endFrame(1, entryCount)]));
          if (/^journal_(corrupt|version_newer) at \d+$/.test(outcome)) return;
          const keys = outcome.split(" ").map((text) => text.split("=")[0] ?? "");
          expect(keys).toEqual([...new Set(keys)].sort());
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe("a store with damaged snapshot files", () => {
  async function exampleDisk(limits = smallStoreLimits): Promise<SimulatedDisk> {
    const disk = new SimulatedDisk();
    await using store = await Store.open(storeOptions(disk, { limits }));
    for (let round = 0; round < 3; round += 1) {
      for (let number = 0; number < 200; number += 1) {
        await store.put(Buffer.from(`key-${number}`), Buffer.from(`${round}`));
      }
      await store.compact(signal);
    }
    return SimulatedDisk.of(disk.files());
  }

  /** Paths of the snapshot files, newest first. */
  function snapshotPaths(disk: SimulatedDisk): string[] {
    return [...disk.files().keys()]
      .filter((path) => path.endsWith(".snapshot"))
      .sort()
      .reverse();
  }

  function damage(disk: SimulatedDisk, paths: readonly string[]): SimulatedDisk {
    const files = disk.files();
    for (const path of paths) {
      const bytes = files.get(path);
      if (bytes !== undefined) bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 0xff;
    }
    return SimulatedDisk.of(files);
  }

  it("goes back to the older one and the log, says so, and heals with the next compaction", async () => {
    const disk = await exampleDisk();
    const [newest] = snapshotPaths(disk);
    const damaged = damage(disk, [newest ?? ""]);
    {
      await using store = await Store.open(storeOptions(damaged));
      expect(store.recovery.damagedSnapshots).toMatchObject([
        { name: newest?.split("/").at(-1), error: { code: "journal_corrupt" } },
      ]);
      expect(store.recovery.replayedCommitCount).toBeGreaterThan(0);
      expect(Array.from(store.scan(), ({ value }) => value.toString())).toEqual(
        Array.from({ length: 200 }, () => "2"),
      );
      await store.put(Buffer.from("more"), Buffer.from("3"));
      await store.compact(signal);
    }
    await using store = await Store.open(storeOptions(damaged));
    expect(store.recovery.damagedSnapshots).toEqual([]);
    expect([...store.scan()]).toHaveLength(201);
  });

  it("refuses with the place when both are damaged and the log has let go of its beginning", async () => {
    const disk = await exampleDisk();
    const paths = snapshotPaths(disk);
    expect(paths).toHaveLength(2);
    const opening = Store.open(storeOptions(damage(disk, paths)));
    await expect(opening).rejects.toMatchObject({
      code: "journal_corrupt",
      place: { segment: paths[0]?.split("/").at(-1) },
    });
  });

  it("does without any when the log still holds everything", async () => {
    const limits = {
      ...smallStoreLimits,
      log: { batchBytesMax: 2_048, segmentBytesMax: 1_000_000 },
    };
    const disk = await exampleDisk(limits);
    await using store = await Store.open(
      storeOptions(damage(disk, snapshotPaths(disk)), { limits }),
    );
    expect(store.recovery.snapshotName).toBeUndefined();
    expect(store.recovery.damagedSnapshots).toHaveLength(2);
    expect([...store.scan()]).toHaveLength(200);
  });

  it("refuses a log that ends before the commits that a snapshot file holds", async () => {
    const disk = await exampleDisk();
    const files = disk.files();
    for (const path of files.keys()) if (path.includes("/log/")) files.delete(path);
    await expect(Store.open(storeOptions(SimulatedDisk.of(files)))).rejects.toMatchObject({
      code: "journal_corrupt",
      place: { segment: "log" },
    });
  });

  it("refuses a log without its beginning when there is no snapshot file, or one that needs it", async () => {
    const disk = await exampleDisk();
    const files = disk.files();
    for (const path of snapshotPaths(disk)) files.delete(path);
    const refusal = { code: "journal_corrupt", place: { segment: "log" } };
    await expect(Store.open(storeOptions(SimulatedDisk.of(files)))).rejects.toMatchObject(refusal);
    files.set(`${storeFolder}/${name}`, snapshotBytes([endFrame(0, 0)]));
    await expect(Store.open(storeOptions(SimulatedDisk.of(files)))).rejects.toMatchObject(refusal);
  });

  it("refuses a file of a newer format, and leaves it alone", async () => {
    const disk = await exampleDisk();
    const files = disk.files();
    const [newest] = snapshotPaths(disk);
    const bytes = snapshotBytes([
      { kind: 0x8001, entryCount: 0, content: new Uint8Array(0) },
      endFrame(0, 0),
    ]);
    files.set(newest ?? "", bytes);
    const withNewer = SimulatedDisk.of(files);
    await expect(Store.open(storeOptions(withNewer))).rejects.toMatchObject({
      code: "journal_version_newer",
    });
    expect(withNewer.files().get(newest ?? "")).toEqual(Uint8Array.from(bytes));
  });
});
