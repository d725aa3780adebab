import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { Log, LogReader, logStart } from "../src/index.ts";
import { seededChance, signal } from "./log-fixture.ts";
import { numberOf } from "./numbered-record.ts";

const writerFile = fileURLToPath(new URL("./writer-process.ts", import.meta.url));
const roundCount = 8;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "faultline-kill-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Runs the writer until so many records are acknowledged, then kills it. Gives all that it said. */
async function writeAndKill(first: number, count: number): Promise<number[]> {
  const child = spawn(process.execPath, [writerFile, folder, String(first)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const acknowledged: number[] = [];
  const exited = once(child, "exit");
  for await (const line of linesOf(child)) {
    if (line === "open") continue;
    acknowledged.push(Number(line));
    if (acknowledged.length === count) child.kill("SIGKILL");
  }
  await exited;
  expect(child.signalCode).toBe("SIGKILL");
  return acknowledged;
}

function linesOf(child: ChildProcess): AsyncIterable<string> {
  if (child.stdout === null) throw new Error("standard output is a pipe");
  return createInterface(child.stdout);
}

async function numbersInLog(): Promise<number[]> {
  await using log = await Log.open({
    folder,
    clock: { nowMs: () => 1 },
    random: { bytes: (length) => new Uint8Array(length) },
    signal,
  });
  const entries = await Array.fromAsync(log.read(logStart, signal));
  return entries.map(({ record }) => numberOf(record));
}

describe("a writer that is killed again and again", () => {
  it("loses no acknowledged record and leaves no partial one, and a reader beside it sees only what stays", async () => {
    const chance = seededChance(42);
    const acknowledged = new Set<number>();
    const reader = new LogReader({ folder, from: logStart });
    const read: number[] = [];
    let next = 0;
    for (let round = 0; round < roundCount; round += 1) {
      const writer = { isDone: false };
      const writing = writeAndKill(next, 1 + chance.integer(3_000)).finally(() => {
        writer.isDone = true;
      });
      do {
        for await (const { record } of reader.read(signal)) read.push(numberOf(record));
      } while (!writer.isDone);
      for (const number of await writing) acknowledged.add(number);

      const numbers = await numbersInLog();
      const present = new Set(numbers);
      expect(present.size).toBe(numbers.length);
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      expect([...acknowledged].filter((number) => !present.has(number))).toEqual([]);
      expect(read).toEqual(numbers.slice(0, read.length));
      next = (numbers.at(-1) ?? -1) + 1;
    }
    for await (const { record } of reader.read(signal)) read.push(numberOf(record));
    expect(read).toEqual(await numbersInLog());
    expect(acknowledged.size).toBeGreaterThan(1_000);
  });
});
