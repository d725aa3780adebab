import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import type { TenantId } from "@faultline/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { toUsageBlock, type UsageEntry } from "./usage-block.ts";
import { findJournals, readJournal } from "./usage-files.ts";
import { UsageJournal } from "./usage-journal.ts";
import {
  admittedText,
  fromReportText,
  settledText,
  toReportText,
  UsageSection,
} from "./usage-text.ts";
import { toTerms, type UseTerms } from "./use-terms.ts";

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

const attribution = { keyId: "k", model: "a/m", tags: ["a"] };
const base = { usageKind: "tokens", provider: "a", priceVersion: "p1" } as const;
const terms = toTerms({ ...base, attribution });
const otherTerms = toTerms({ ...base, attribution: { keyId: 'ö\u2028"\n' }, bundleHash: "h" });
// The tenant of these tests.
const reserve = { tenantId: "acme" as TenantId, reserveId: "l" };
const tokens = { inputTokens: 1, cachedInputTokens: 2, outputTokens: 3, reasoningTokens: 4 };

function admit(
  journal: UsageJournal,
  usageId: string,
  onWritten: (error: Error | undefined) => void = () => {},
): void {
  journal.admit(reserve, { terms, text: admittedText(usageId, 5) }, { onWritten });
}

function admitted(usageId: string, own: UseTerms = terms): UsageEntry {
  const bound = { usageId, usageKind: "tokens", amountMicros: 5n, attribution: own.attribution };
  const record = { kind: "admitted", leaseId: "l", bound } as const;
  return { tenantId: reserve.tenantId, record, details: undefined } as UsageEntry;
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
    admit(journal, "one", (error) => written.push(error));
    admit(journal, "two");
    expect(written).toEqual([]);
    journal.flush();
    expect(written).toEqual([undefined]);
    expect(await read()).toEqual({
      entries: [admitted("one"), admitted("two")],
      origin: { bootId: "b", processMark: "1:2" },
      damage: undefined,
    });
  });

  it("leaves out the line in which its process died, and says where one before it is damaged", async () => {
    const journal = open();
    admit(journal, "one");
    journal.flush();
    const [name = ""] = await readdir(folder);
    const file = path.join(folder, name);
    await appendFile(file, "12345678 [half");
    expect((await read()).entries).toEqual([admitted("one")]);
    const whole = await readFile(file, "utf8");
    await writeFile(file, whole.replace("acme", "acne"));
    expect(await read()).toMatchObject({ entries: [], damage: expect.stringContaining("line 2") });
  });

  it("is removed when all that it tells of has ended, and kept otherwise", async () => {
    const first = open();
    admit(first, "one");
    first.close(false);
    expect(await readdir(folder)).toHaveLength(1);
    await rm(path.join(folder, (await readdir(folder))[0] ?? ""));
    const second = open();
    admit(second, "two");
    second.close(true);
    expect(await readdir(folder)).toEqual([]);
  });

  it("tells a torn line at its end from foreign bytes, and a whole one that lacks its end", async () => {
    const journal = open();
    admit(journal, "one");
    journal.flush();
    const [name = ""] = await readdir(folder);
    const file = path.join(folder, name);
    const whole = await readFile(file, "utf8");
    const section = new UsageSection(reserve, terms);
    section.admit(admittedText("two", 5));
    const line = toUsageBlock([section]).toString();
    const readWith = async (tail: string) => {
      await writeFile(file, whole + tail);
      const { entries, damage } = await read();
      return { count: entries.length, isDamaged: damage !== undefined };
    };
    for (const length of [1, 5, 9, 10, 40, line.length - 2])
      expect(await readWith(line.slice(0, length))).toEqual({ count: 1, isDamaged: false });
    expect(await readWith(line.slice(0, -1))).toEqual({ count: 2, isDamaged: false });
    expect(await readWith(`${line.slice(0, -1)}?`)).toEqual({ count: 2, isDamaged: false });
    for (const foreign of [
      "\0\0\0",
      "hello",
      "\u007fELF",
      "12ab [",
      "0123456789",
      "12345678 {}",
      "12345678 [\u0001",
      "\n",
    ])
      expect(await readWith(foreign)).toEqual({ count: 1, isDamaged: true });
  });

  it("tells what uses of a turn were and cost, whatever their terms", async () => {
    const journal = open();
    const uses = [terms, otherTerms, terms].map((own, index) => {
      const text = settledText(`use:${index}`, index, tokens);
      return journal.settle(reserve, { terms: own, text });
    });
    journal.settle(reserve, { terms, text: settledText("unasked", 0, undefined) });
    journal.flush();
    const { entries, damage } = await read();
    expect(damage).toBeUndefined();
    const found = new Map(
      entries.map(({ record, details }) => [
        record.kind === "settled" ? record.charge.usageId : undefined,
        { charge: record.kind === "settled" ? record.charge : undefined, details },
      ]),
    );
    expect(found.size).toBe(4);
    for (const { usageId, usageKind, amountMicros, attribution: own } of uses)
      expect(found.get(usageId)).toMatchObject({
        charge: { usageId, usageKind, amountMicros, attribution: own },
        details: { ...tokens, ...own, provider: "a", model: own.model ?? "", priceVersion: "p1" },
      });
    expect(found.get("use:1")?.details?.bundleHash).toBe("h");
    expect(found.get("unasked")?.details).toBeUndefined();
  });

  it("reports each use once, however reports are cut, before and after its turn is over", async () => {
    const journal = open();
    const uses = [terms, otherTerms, terms, terms, otherTerms].map((own, index) => {
      const text = settledText(`use:${index}`, index, index === 3 ? undefined : tokens);
      return journal.settle(reserve, { terms: own, text });
    });
    const told = (from: number, until: number) => {
      const { charges, details } = fromReportText(toReportText(uses.slice(from, until)));
      expect(details.size).toBe(charges.filter(({ usageId }) => usageId !== "use:3").length);
      return charges.map(({ usageId, amountMicros }) => `${usageId} ${amountMicros}`).toSorted();
    };
    const all = uses.map((_use, index) => `use:${index} ${index}`);
    for (let turn = 0; turn < 2; turn += 1) {
      for (let from = 0; from <= all.length; from += 1)
        for (let until = from; until <= all.length; until += 1)
          expect(told(from, until)).toEqual(all.slice(from, until));
      expect(uses.map(({ usageId, amountMicros }) => `${usageId} ${amountMicros}`)).toEqual(all);
      journal.flush();
    }
    expect((await read()).entries).toHaveLength(all.length);
  });

  it("is whole to its last byte or says that it is damaged, whatever bit of it is another", async () => {
    const journal = open();
    admit(journal, "one");
    journal.flush();
    admit(journal, "two");
    journal.flush();
    const [name = ""] = await readdir(folder);
    const file = path.join(folder, name);
    const whole = await readFile(file);
    for (let index = 0; index < whole.length; index += 1) {
      const bytes = Buffer.from(whole);
      bytes[index] = (bytes[index] ?? 0) ^ (1 << (index % 8));
      await writeFile(file, bytes);
      // The end of the last line is the only byte that may be another.
      expect((await read()).damage === undefined, String(index)).toBe(index === whole.length - 1);
    }
  });

  it("refuses calls whose records the disk does not take", async () => {
    const journal = open();
    await rm(folder, { recursive: true });
    journal.close(false);
    const failures: unknown[] = [];
    admit(journal, "one", (error) => failures.push(error));
    journal.flush();
    expect(failures).toEqual([expect.objectContaining({ code: "ENOENT" })]);
    folder = await mkdtemp("/tmp/faultline-usage-");
  });
});
