import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import type { TenantId } from "@faultline/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { findJournals, readJournal } from "./usage-files.ts";
import { UsageJournal } from "./usage-journal.ts";
import { toUsageLine, type UsageEntry } from "./usage-line.ts";

const life = { workerId: "gateway-0", epoch: 7 };
let folder = "";

beforeEach(async () => {
  folder = await mkdtemp("/tmp/faultline-usage-");
});
afterEach(() => rm(folder, { recursive: true }));

function open(): UsageJournal {
  const eventLoop = { idleMs: () => 0, afterPoll: () => {} };
  const origin = { bootId: "b", processMark: "1:2" };
  const journal = new UsageJournal({ folder, life, ...origin, eventLoop, fileBytesMax: 10_000 });
  journal.open();
  return journal;
}

function entry(usageId: string, leaseId = "l"): UsageEntry {
  const attribution = { keyId: "k", tags: ["a"] };
  const bound = { usageId, usageKind: "tokens", amountMicros: 5n, attribution } as const;
  // The tenant of these tests.
  const tenantId = "acme" as TenantId;
  return { tenantId, record: { kind: "admitted", leaseId, bound }, details: undefined };
}

async function read() {
  const [journal] = await findJournals(folder);
  if (journal === undefined) throw new Error("there is a journal");
  return readJournal(journal);
}

describe("the journal of usage", () => {
  it("tells a call that it is written down once the system has it", async () => {
    const journal = open();
    const written: unknown[] = [];
    journal.write(entry("one"), (error) => written.push(error));
    journal.write(entry("two"));
    expect(written).toEqual([]);
    journal.flush();
    expect(written).toEqual([undefined]);
    expect(await read()).toEqual({
      entries: [entry("one"), entry("two")],
      origin: { bootId: "b", processMark: "1:2" },
      damage: undefined,
    });
  });

  it("leaves out the line in which its process died, and says where one before it is damaged", async () => {
    const journal = open();
    journal.write(entry("one"));
    journal.flush();
    const [name = ""] = await readdir(folder);
    const file = path.join(folder, name);
    await appendFile(file, "1234 {half");
    expect((await read()).entries).toEqual([entry("one")]);
    const whole = await readFile(file, "utf8");
    await writeFile(file, whole.replace("acme", "acne"));
    expect(await read()).toMatchObject({ entries: [], damage: expect.stringContaining("line 2") });
  });

  it("is removed when all that it tells of has ended, and kept otherwise", async () => {
    const first = open();
    first.write(entry("one"));
    first.close(false);
    expect(await readdir(folder)).toHaveLength(1);
    await rm(path.join(folder, (await readdir(folder))[0] ?? ""));
    const second = open();
    second.write(entry("two"));
    second.close(true);
    expect(await readdir(folder)).toEqual([]);
  });

  it("tells a torn line at its end from foreign bytes, and a whole one that lacks its end", async () => {
    const journal = open();
    journal.write(entry("one"));
    journal.flush();
    const [name = ""] = await readdir(folder);
    const file = path.join(folder, name);
    const whole = await readFile(file, "utf8");
    const line = toUsageLine(entry("two"));
    const readWith = async (tail: string) => {
      await writeFile(file, whole + tail);
      const { entries, damage } = await read();
      return { count: entries.length, isDamaged: damage !== undefined };
    };
    for (const length of [1, 5, 9, 10, 40, line.length - 2])
      expect(await readWith(line.slice(0, length))).toEqual({ count: 1, isDamaged: false });
    expect(await readWith(line.slice(0, -1))).toEqual({ count: 2, isDamaged: false });
    expect(await readWith(`${line.slice(0, -1)}?`)).toEqual({ count: 2, isDamaged: false });
    for (const foreign of ["\0\0\0", "hello", "\u007fELF", "12ab {\u0001", "\n"])
      expect(await readWith(foreign)).toEqual({ count: 1, isDamaged: true });
  });

  it("refuses calls whose records the disk does not take", async () => {
    const journal = open();
    await rm(folder, { recursive: true });
    journal.close(false);
    const failures: unknown[] = [];
    journal.write(entry("one"), (error) => failures.push(error));
    journal.flush();
    expect(failures).toEqual([expect.objectContaining({ code: "ENOENT" })]);
    folder = await mkdtemp("/tmp/faultline-usage-");
  });
});
