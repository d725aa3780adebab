import { describe, expect, it } from "vitest";

import type { Attributes } from "../model/span.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { lostUpdate } from "./lost-update.ts";

function history(...steps: readonly Attributes[]): Snapshot {
  return createSnapshot([
    {
      source: { name: "history", format: "test", notes: [] },
      content: {
        kind: "logs",
        lines: steps.map((attributes, index) => ({
          timeMicros: 1.7e15 + index * 1e6,
          text: `step ${index}`,
          attributes,
        })),
      },
    },
  ]);
}

const write = (process: number, base: number, next: number): Attributes => ({
  op: "write",
  key: "account-7",
  process,
  base_version: base,
  new_version: next,
});
const add = (process: number, delta: number): Attributes => ({
  op: "incr",
  key: "hits",
  process,
  delta,
});
const read = (value: number): Attributes => ({ op: "read", key: "hits", process: 9, value });

describe("a lost update", () => {
  it("is seen where two writes went out from one version", () => {
    const [finding] = lostUpdate.check(history(write(1, 4, 5), write(2, 5, 6), write(3, 5, 7)));
    expect(finding).toMatchObject({
      verdict: "violated",
      causeKind: "data",
      subject: { kind: "key", name: "account-7" },
      measures: { version: "5", writeCount: 2 },
    });
  });

  it("is none where each write goes out from the one before, a failed one changed nothing, or one was sent twice", () => {
    const chain = [write(1, 4, 5), write(2, 5, 6), write(1, 6, 7)];
    expect(lostUpdate.check(history(...chain))).toMatchObject([{ verdict: "holds" }]);
    const refused = { ...write(3, 5, 9), outcome: "conflict" };
    expect(lostUpdate.check(history(...chain, refused))).toMatchObject([{ verdict: "holds" }]);
    expect(lostUpdate.check(history(...chain, write(2, 5, 6)))).toMatchObject([
      { verdict: "holds" },
    ]);
  });

  it("is seen where a counter ends below what was added to it", () => {
    const [finding] = lostUpdate.check(
      history(read(10), add(1, 5), add(2, 5), add(3, 5), read(20)),
    );
    expect(finding).toMatchObject({
      verdict: "violated",
      measures: { added: 15, grown: 10, lost: 5 },
    });
  });

  it("is none where all is in the sum, and unknown where nothing was read before or after", () => {
    expect(lostUpdate.check(history(read(10), add(1, 5), add(2, 5), read(20)))).toEqual([]);
    expect(lostUpdate.check(history(add(1, 5), add(2, 5), read(3)))).toEqual([]);
    expect(lostUpdate.check(history(read(10), add(1, 5), add(2, 5), read(0)))).toEqual([]);
    expect(lostUpdate.check(history(read(10), add(1, 5), read(12), add(2, 5)))).toEqual([]);
  });

  it("is none where one number names records of two tables or two tenants", () => {
    const numbered = (process: number, place: Attributes): Attributes => ({
      ...write(process, 1, process + 1),
      ...place,
      key: 7,
    });
    const tables = history(numbered(1, { table: "orders" }), numbered(2, { table: "items" }));
    expect(lostUpdate.check(tables).filter(({ verdict }) => verdict === "violated")).toEqual([]);
    const tenants = history(numbered(1, { tenant: "a" }), numbered(2, { tenant: "b" }));
    expect(lostUpdate.check(tenants).filter(({ verdict }) => verdict === "violated")).toEqual([]);
    const one = history(numbered(1, { table: "orders" }), numbered(2, { table: "orders" }));
    expect(lostUpdate.check(one)[0]).toMatchObject({ verdict: "violated" });
  });

  it("is the same in any order and with keys of others", () => {
    const steps = [write(1, 4, 5), write(2, 5, 6), write(3, 5, 7)];
    const other = { ...write(8, 5, 9), key: "account-8" };
    const before = lostUpdate.check(history(...steps))[0];
    const after = lostUpdate.check(history(...steps.toReversed(), other))[0];
    expect(after?.title).toBe(before?.title);
  });
});
