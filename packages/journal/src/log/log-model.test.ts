import {
  array,
  asyncProperty,
  assert,
  constant,
  integer,
  nat,
  oneof,
  record,
  uint8Array,
} from "fast-check";
import { describe, expect, it } from "vitest";

import { entriesOf, openLog, seededChance, signal } from "../../test/log-fixture.ts";
import { SimulatedDisk } from "../../test/simulated-disk.ts";
import { type Log, LogReader, type LogPosition, logPosition, logStart } from "../index.ts";

/** What a test does to a log, from outside. */
type Step =
  | { readonly kind: "append"; readonly calls: readonly (readonly Uint8Array[])[] }
  | { readonly kind: "read"; readonly choice: number }
  | { readonly kind: "drop"; readonly choice: number }
  | { readonly kind: "reopen" }
  | { readonly kind: "crash"; readonly seed: number };

const awkwardRecord = oneof(
  uint8Array({ maxLength: 40 }),
  constant(new Uint8Array(0)),
  // What looks like the head of a batch, and zeros, which look like what a crash leaves.
  constant(Uint8Array.of(0x46, 0x4c, 0x42, 0x31, 1, 1, 12, 0)),
  nat({ max: 60 }).map((length) => new Uint8Array(length)),
);

const step = oneof(
  { weight: 6, arbitrary: appendStep() },
  { weight: 2, arbitrary: record({ kind: constant("read" as const), choice: nat() }) },
  { weight: 1, arbitrary: record({ kind: constant("drop" as const), choice: nat() }) },
  { weight: 1, arbitrary: record({ kind: constant("reopen" as const) }) },
  { weight: 1, arbitrary: record({ kind: constant("crash" as const), seed: integer() }) },
);

function appendStep() {
  const calls = array(array(awkwardRecord, { minLength: 1, maxLength: 3 }), {
    minLength: 1,
    maxLength: 5,
  });
  return calls.map((calls) => ({ kind: "append" as const, calls }));
}

/** The log beside what it should hold. */
class Model {
  readonly entries: { position: LogPosition; record: Uint8Array }[] = [];
  start = 0;

  kept(from: number = this.start): { position: LogPosition; record: Uint8Array }[] {
    return this.entries.filter(({ position }) => position >= Math.max(from, this.start));
  }

  choose(choice: number): LogPosition | undefined {
    return this.entries[choice % Math.max(1, this.entries.length)]?.position;
  }
}

describe("a log beside a list", () => {
  it("holds the same, whatever is done to it", async () => {
    await assert(
      asyncProperty(array(step, { maxLength: 25 }), async (steps) => {
        let disk = new SimulatedDisk();
        let log = await openLog(disk);
        const model = new Model();
        for (const step of steps) {
          if (step.kind === "crash") {
            disk = disk.survivor(seededChance(step.seed));
            log = await openLog(disk);
          } else if (step.kind === "reopen") {
            await log[Symbol.asyncDispose]();
            log = await openLog(disk);
          } else await take(log, model, step);
          await compare(log, disk, model);
        }
        await log[Symbol.asyncDispose]();
      }),
      { numRuns: 150 },
    );
  });
});

async function take(log: Log, model: Model, step: Step): Promise<void> {
  switch (step.kind) {
    case "append": {
      const positions = await Promise.all(
        step.calls.map(async (records) => await log.appendMany(records)),
      );
      for (const [index, records] of step.calls.entries()) {
        for (const [at, record] of records.entries()) {
          const position = positions[index]?.[at] ?? logPosition(-1);
          expect(position).toBeGreaterThan(model.entries.at(-1)?.position ?? -1);
          model.entries.push({ position, record });
        }
      }
      return;
    }
    case "read": {
      const from = model.choose(step.choice);
      if (from === undefined || from < model.start) return;
      const found = await entriesOf(log, from);
      expect(found.map(({ record }) => [...record])).toEqual(
        model.kept(from).map(({ record }) => [...record]),
      );
      return;
    }
    case "drop": {
      const position = model.choose(step.choice);
      if (position === undefined) return;
      const before = log.segments;
      await log.dropBefore(position);
      model.start = before
        .slice(0, -1)
        .filter(({ end }) => end <= position)
        .reduce((start, { end }) => Math.max(start, end), model.start);
      expect(log.start).toBe(model.start);
      return;
    }
    default:
  }
}

async function compare(log: Log, disk: SimulatedDisk, model: Model): Promise<void> {
  const expected = model.kept().map(({ position, record }) => [position, ...record]);
  const found = await entriesOf(log);
  expect(found.map(({ position, record }) => [position, ...record])).toEqual(expected);
  // Beside the writer a reader sees the same, but for a last batch whose mark is not yet written.
  const reader = new LogReader({ folder: "/journal", from: logStart, fileSystem: disk });
  const seen = await Array.fromAsync(reader.read(signal));
  expect(seen.map(({ position, record }) => [position, ...record])).toEqual(
    expected.slice(0, seen.length),
  );
}
