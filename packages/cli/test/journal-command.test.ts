import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Log, logStart } from "@faultline/journal";
import { seededRandom, systemClock } from "@faultline/server/kernel/index.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { UsageError } from "../src/command.ts";
import { command } from "../src/commands/journal.ts";
import { runIn } from "./run-command.ts";

const signal = new AbortController().signal;
const run = runIn(() => "/");

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "faultline-journal-command-"));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

async function openLog(folder: string): Promise<Log> {
  const random = seededRandom(folder);
  return await Log.open({ folder, clock: systemClock, random, signal });
}

/** A closed log of five records in two batches. */
async function makeLog(name: string): Promise<{ folder: string; segment: string }> {
  const folder = join(root, name);
  await using log = await openLog(folder);
  await log.appendMany(["a", "bb", "\u001b[31m"].map((text) => Buffer.from(text)));
  await log.appendMany(["dddd", "eeeee"].map((text) => Buffer.from(text)));
  return { folder, segment: join(folder, "0000000000000001.segment") };
}

async function damage(segment: string, offset: number): Promise<Buffer> {
  const bytes = await readFile(segment);
  bytes[offset] = (bytes[offset] ?? 0) ^ 1;
  await writeFile(segment, bytes);
  return bytes;
}

describe("faultline journal", () => {
  it("shows what is in the journals below a folder", async () => {
    await makeLog("one");
    await makeLog(join("deep", "two"));
    const { code, output } = await run(command, ["inspect", root]);
    expect(code).toBe(0);
    expect(output).toContain(`${join(root, "deep/two")}: 5 records, 1 segment of`);
    expect(output).toContain(`${join(root, "one")}: 5 records, 1 segment of`);
    expect(output).toMatch(/0000000000000001\.segment {2}0 +\d+ +2 +5 +\d+ .*open$/m);
  });

  it("shows records without letting their bytes reach the terminal", async () => {
    const { folder } = await makeLog("one");
    const options = { records: "3" };
    const { output } = await run(command, ["inspect", folder], { options });
    expect(output).toMatch(/^116 {2}1 bytes {2}a$/m);
    expect(output).toContain(String.raw`5 bytes  \x1b[31m`);
    expect(output).not.toContain("dddd");
    const later = await run(command, ["inspect", folder], { options: { ...options, from: "125" } });
    expect(later.output).toMatch(/^125 {2}2 bytes {2}bb$/m);
    const wrong = await run(command, ["inspect", folder], { options: { ...options, from: "126" } });
    expect(wrong.code).toBe(2);
    expect(wrong.notes).toContain("journal_position_unknown");
  });

  it("verifies a whole journal, also while it is written to", async () => {
    const { folder } = await makeLog("one");
    await using log = await openLog(folder);
    await log.append(Buffer.from("more"));
    const { code, output, notes } = await run(command, ["verify", folder]);
    expect({ code, notes }).toEqual({ code: 0, notes: "" });
    expect(output).toContain(`Whole: ${folder}: 6 records`);
  });

  it("names segment, byte and records of what is lost, and repairs it with nothing destroyed", async () => {
    const { folder, segment } = await makeLog("one");
    const damaged = await damage(segment, 130);
    await expect(openLog(folder)).rejects.toMatchObject({ code: "journal_corrupt" });

    const verified = await run(command, ["verify", folder]);
    expect(verified.code).toBe(1);
    expect(verified.output).toContain(
      "0000000000000001.segment, byte 72: 76 bytes lost with 3 records: the checksum of the batch does not match.",
    );
    expect(verified.notes).toContain("journal repair");
    expect(await readFile(segment)).toEqual(damaged);

    const repaired = await run(command, ["repair", folder]);
    expect(repaired.code).toBe(1);
    expect(repaired.output).toContain("with 3 records");
    expect(repaired.output).toContain("0000000000000001.segment.damaged-1");
    expect(await readFile(`${segment}.damaged-1`)).toEqual(damaged);

    expect((await run(command, ["verify", folder])).code).toBe(0);
    expect((await run(command, ["repair", folder])).output).toContain("Nothing to repair");
    await using log = await openLog(folder);
    const entries = await Array.fromAsync(log.read(logStart, signal));
    expect(entries.map(({ record }) => Buffer.from(record).toString())).toEqual(["dddd", "eeeee"]);
  });

  it("says the same as JSON", async () => {
    const { folder, segment } = await makeLog("one");
    await damage(segment, 130);
    const options = { format: "json" };
    const verified = await run(command, ["verify", folder], { options });
    expect(verified.code).toBe(1);
    const [report] = JSON.parse(verified.output).journals;
    expect(report).toMatchObject({
      folder,
      state: "damaged",
      recordCount: 2,
      damages: [{ kind: "range", segment: "0000000000000001.segment", offset: 72, recordCount: 3 }],
      segments: [{ number: 1, start: 0, state: "damaged", batchCount: 1, isMarked: true }],
    });
    const repaired = await run(command, ["repair", folder], { options });
    expect(JSON.parse(repaired.output).journals[0]).toMatchObject({
      state: "whole",
      found: [{ offset: 72 }],
      keptAside: ["0000000000000001.segment.damaged-1"],
      madeAnew: [],
    });
    const inspected = await run(command, ["inspect", folder], {
      options: { ...options, records: "9" },
    });
    expect(JSON.parse(inspected.output).journals[0].records).toMatchObject([
      { bytes: 4, content: "dddd" },
      { bytes: 5, content: "eeeee" },
    ]);
  });

  it("refuses to repair beside a writer", async () => {
    const { folder, segment } = await makeLog("one");
    await using log = await openLog(folder);
    await damage(segment, 130);
    const { code, notes } = await run(command, ["repair", folder]);
    expect(code).toBe(2);
    expect(notes).toContain("journal_locked");
    expect((await readdir(folder)).filter((name) => name.includes("damaged"))).toEqual([]);
    expect(log.failure).toBeUndefined();
  });

  it.each(["inspect", "verify", "repair"])(
    "%s says when there is nothing to look at",
    async (action) => {
      const empty = await run(command, [action, root]);
      expect(empty).toMatchObject({ code: 2, output: "" });
      expect(empty.notes).toContain(`There is no journal in ${root}.`);
      const none = await run(command, [action, join(root, "none")]);
      expect(none.code).toBe(2);
      expect(none.notes).toContain("ENOENT");
    },
  );

  it("refuses words that it does not know", async () => {
    const calls: [string[], Record<string, string>][] = [
      [[], {}],
      [["look", root], {}],
      [["verify"], {}],
      [["verify", root, root], {}],
      [["verify", root], { format: "xml" }],
      [["inspect", root], { from: "3" }],
      [["inspect", root], { records: "many" }],
      [["inspect", root], { records: "99999999" }],
    ];
    await makeLog("one");
    for (const [words, options] of calls) {
      await expect(run(command, words, { options })).rejects.toThrow(UsageError);
    }
  });
});
