import { readFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { array, assert as check, asyncProperty, integer, nat, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";

import { bytes, entriesOf, folder, openLog, signal, textsOf } from "../../test/log-fixture.ts";
import { SimulatedDisk } from "../../test/simulated-disk.ts";
import { examineLog, JournalError, LogReader, logStart, repairLog } from "../index.ts";
import { decodeBatchHeader, writeBatchHeader } from "./batch-header.ts";
import { checksum } from "./checksum.ts";
import { decodeFields, encodeFields } from "./fields.ts";
import { decodeSegmentHeader, encodeSegmentHeader } from "./segment-header.ts";

const page = readFileSync(new URL("../../../../docs/formats/journal.md", import.meta.url), "utf8");
const path = `${folder}/0000000000000001.segment`;
const exampleMs = Date.UTC(2026, 0, 1);
const exampleId = Uint8Array.from({ length: 16 }, (_, index) => index);

function exampleOfPage(): Uint8Array {
  const dump = /```hex\n([^`]*)```/.exec(page)?.[1] ?? "";
  const digits = dump.replaceAll(/^[0-9a-f]{8} /gm, "").replaceAll(/\s/g, "");
  return Uint8Array.from(Buffer.from(digits, "hex"));
}

describe("the format's page", () => {
  it("has an example that is read as it says", async () => {
    const disk = SimulatedDisk.of(new Map([[path, exampleOfPage()]]));
    await using log = await openLog(disk);
    expect(
      (await entriesOf(log)).map(({ position, record }) => [
        position,
        Buffer.from(record).toString(),
      ]),
    ).toEqual([
      [116, "hello"],
      [129, ""],
    ]);
    expect(log.end).toBe(137);
    const report = await examineLog({ folder, signal, fileSystem: disk });
    expect(report.segments[0]).toMatchObject({
      header: { number: 1, base: 0, createdAtMs: exampleMs, logId: exampleId },
      lastWrittenAtMs: exampleMs,
    });
  });

  it("has an example that is written so to this day", async () => {
    const disk = new SimulatedDisk();
    {
      await using log = await openLog(disk, {
        clock: { nowMs: () => exampleMs },
        random: { bytes: () => exampleId },
      });
      await log.appendMany([bytes("hello"), bytes("")]);
    }
    expect(Buffer.from(disk.files().get(path) ?? []).toString("hex")).toBe(
      Buffer.from(exampleOfPage()).toString("hex"),
    );
  });

  it("says how the checksum is computed", () => {
    expect(page).toContain(checksum(bytes("123456789")).toString(16));
    expect(checksum(bytes("12345"), bytes("6789"))).toBe(checksum(bytes("123456789")));
  });
});

describe("fields of a head", () => {
  const lengths = new Map([
    [1, 2],
    [5, 1],
  ]);
  const known = [
    { type: 1, value: Uint8Array.of(7, 8) },
    { type: 5, value: Uint8Array.of(9) },
  ];

  it("are read beside unknown ones, which are skipped", () => {
    const fields = [known[0]!, { type: 3, value: bytes("unknown") }, known[1]!];
    const outcome = decodeFields(
      encodeFields([...fields, { type: 900, value: bytes("") }]),
      lengths,
    );
    expect(outcome).toEqual({
      kind: "fields",
      values: new Map([
        [1, Uint8Array.of(7, 8)],
        [5, Uint8Array.of(9)],
      ]),
    });
  });

  it("count as newer when an unknown one must be understood", () => {
    const outcome = decodeFields(
      encodeFields([...known, { type: 0x8007, value: bytes("") }]),
      lengths,
    );
    expect(outcome.kind).toBe("newer");
  });

  it.each([
    ["twice", [known[0]!, known[0]!, known[1]!]],
    ["out of order", [known[1]!, known[0]!]],
    ["missing", [known[0]!]],
    ["of another length", [{ type: 1, value: Uint8Array.of(7) }, known[1]!]],
  ])("are refused when one is %s", (_, fields) => {
    expect(decodeFields(encodeFields(fields), lengths).kind).toBe("bad");
  });

  it("are refused when they are cut anywhere, or bytes follow", () => {
    const whole = encodeFields(known);
    for (let length = 0; length < whole.length; length += 1) {
      expect(decodeFields(whole.subarray(0, length), lengths).kind).toBe("bad");
    }
    expect(decodeFields(Buffer.concat([whole, bytes("\u0000")]), lengths).kind).toBe("bad");
  });
});

describe("a head of a segment", () => {
  const header = { logId: exampleId, number: 3, base: 2 ** 40 + 5, createdAtMs: exampleMs };

  /** The head with a change to its fixed part or its fields, under a checksum that matches. */
  function changed(change: (head: Uint8Array) => Uint8Array): Uint8Array {
    const head = change(encodeSegmentHeader(header));
    const view = new DataView(head.buffer, head.byteOffset);
    view.setUint32(12, checksum(head.subarray(0, 12), head.subarray(16)), true);
    return head;
  }

  it("gives what was written", () => {
    expect(decodeSegmentHeader(encodeSegmentHeader(header))).toEqual({
      kind: "header",
      header,
      bytes: 72,
    });
  });

  it("is refused as newer when its version is, whatever else it says", () => {
    const outcome = decodeSegmentHeader(changed((head) => head.fill(2, 8, 9)));
    expect(outcome).toMatchObject({ kind: "newer", reason: "the segment has format version 2" });
  });

  it("is read when it has fields that this version does not know", () => {
    const extra = encodeFields([{ type: 77, value: bytes("later") }]);
    const longer = changed((head) => {
      new DataView(head.buffer).setUint16(10, 56 + extra.length, true);
      return Uint8Array.from(Buffer.concat([head, extra]));
    });
    expect(decodeSegmentHeader(longer)).toEqual({
      kind: "header",
      header,
      bytes: 72 + extra.length,
    });
  });

  it("is refused when a number is beyond what is counted exactly", () => {
    for (const offset of [40, 52, 64]) {
      const outcome = decodeSegmentHeader(changed((head) => head.fill(0xff, offset, offset + 8)));
      expect(outcome.kind).toBe("bad");
    }
  });
});

describe("a head of a batch", () => {
  const place = { position: 2 ** 35 + 72, logSeed: 99 };

  function batch(
    kind: "records" | "mark" | "gap",
    recordCount: number,
    payload: number,
  ): Uint8Array {
    const whole = new Uint8Array(44 + payload);
    writeBatchHeader(whole, { kind, recordCount, writtenAtMs: exampleMs, ...place });
    return whole;
  }

  it("is refused at another place and in another log", () => {
    const whole = batch("records", 1, 8);
    expect(decodeBatchHeader(whole, place).kind).toBe("header");
    expect(decodeBatchHeader(whole, { ...place, position: place.position + 1 }).kind).toBe("bad");
    expect(decodeBatchHeader(whole, { ...place, logSeed: 98 }).kind).toBe("bad");
  });

  it("is refused when its numbers do not fit together", () => {
    const wrong: [Parameters<typeof batch>[0], number, number][] = [
      ["records", 0, 8],
      ["records", 2, 8],
      ["mark", 0, 1],
      ["mark", 1, 0],
      ["gap", 1, 8],
    ];
    for (const [kind, recordCount, payload] of wrong) {
      expect(decodeBatchHeader(batch(kind, recordCount, payload), place).kind).toBe("bad");
    }
  });

  it("is refused when it promises more than any batch may hold, before memory is taken for it", async () => {
    const whole = batch("records", 1, 8);
    new DataView(whole.buffer).setUint32(20, 0xffffffff, true);
    new DataView(whole.buffer).setUint32(28, headerChecksum(whole), true);
    expect(decodeBatchHeader(whole, place).kind).toBe("bad");
  });

  it("counts as newer when its version or its kind is", () => {
    for (const offset of [4, 5]) {
      const whole = batch("records", 1, 8);
      whole[offset] = 9;
      new DataView(whole.buffer).setUint32(28, headerChecksum(whole), true);
      expect(decodeBatchHeader(whole, place).kind).toBe("newer");
    }
  });

  function headerChecksum(whole: Uint8Array): number {
    return checksumFrom(place.logSeed, whole.subarray(0, 28), whole.subarray(32, 44));
  }
});

describe("a journal that a newer version wrote", () => {
  it("is refused with the place, is not changed, and is not repaired", async () => {
    const example = exampleOfPage();
    example[76 + 1] = 9;
    const view = new DataView(example.buffer);
    const head = example.subarray(72, 116);
    view.setUint32(
      72 + 28,
      checksumFrom(checksum(exampleId), head.subarray(0, 28), head.subarray(32)),
      true,
    );
    const disk = SimulatedDisk.of(new Map([[path, example]]));
    await expect(openLog(disk)).rejects.toMatchObject({
      code: "journal_version_newer",
      place: { segment: "0000000000000001.segment", offset: 72 },
    });
    const clock = { nowMs: () => 1 };
    await expect(repairLog({ folder, signal, fileSystem: disk, clock })).rejects.toMatchObject({
      code: "journal_version_newer",
    });
    expect(disk.files().get(path)).toEqual(example);
    expect(disk.effectCount).toBe(0);
    expect((await examineLog({ folder, signal, fileSystem: disk })).state).toBe("newer");
  });
});

describe("files that are no journal", () => {
  it("end in a typed error, never in a crash or a wrong record, whatever they hold", async () => {
    await check(
      asyncProperty(
        array(uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 3 }),
        nat({ max: 181 }),
        integer({ min: 0, max: 2 }),
        async (files, cut, how) => {
          const example = exampleOfPage();
          const contents = files.map((file, index) => {
            if (how === 0) return file;
            // Behind a part of a real segment, so that the fuzz reaches the inner parts.
            return index === 0
              ? Uint8Array.from(Buffer.concat([example.subarray(0, cut), file]))
              : file;
          });
          const disk = SimulatedDisk.of(
            new Map(
              contents.map((file, index) => [
                `${folder}/${String(index + 1).padStart(16, "0")}.segment`,
                file,
              ]),
            ),
          );
          await expectTyped(async () => await readBeside(disk));
          await expectTyped(async () => {
            await using log = await openLog(disk);
            return await textsOf(log);
          });
          await examineLog({ folder, signal, fileSystem: disk });
          await expectTyped(async () => {
            const clock = { nowMs: () => 1 };
            const report = await repairLog({ folder, signal, fileSystem: disk, clock });
            expect(report.after.damages).toEqual([]);
            await using log = await openLog(disk);
            return await textsOf(log);
          });
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** The checksum of a head goes on from that of the journal's id. */
function checksumFrom(seed: number, fixed: Uint8Array, fields: Uint8Array): number {
  return crc32(fields, crc32(fixed, seed));
}

async function readBeside(disk: SimulatedDisk): Promise<string[]> {
  const reader = new LogReader({ folder, from: logStart, fileSystem: disk });
  const entries = await Array.fromAsync(reader.read(signal));
  return entries.map(({ record }) => Buffer.from(record).toString());
}

async function expectTyped(read: () => Promise<string[]>): Promise<void> {
  try {
    const texts = await read();
    expect(["hello", ""].slice(0, texts.length)).toEqual(texts);
  } catch (error) {
    expect(error).toBeInstanceOf(JournalError);
  }
}
