import { array, assert, constantFrom, oneof, property, string } from "fast-check";
import { describe, expect, it } from "vitest";

import type { Span } from "../model/span.ts";
import { SpanTable } from "./span-table.ts";
import { request, spansOf, times } from "./trace-builder.ts";
import { noParent, orderOf, parentsIfDistinct } from "./trace-order.ts";

const [model] = spansOf(request("/orders", []));

function spanOf(spanId: string, parentSpanId?: string): Span {
  if (model === undefined) throw new Error("the tree has a root");
  return { ...model, spanId, ...(parentSpanId === undefined ? {} : { parentSpanId }) };
}

/** Sixteen texts of eight letters with one hash: one step of a letter weighs as much as 31 of the next one. */
const collidingIds = times(16, (index) =>
  times(4, (pair) => ((index >> pair) & 1 ? "Aa" : "BB")).join(""),
);

describe("the table of a trace's spans", () => {
  it("finds what a map finds, list after list", () => {
    const table = new SpanTable();
    const ids = array(oneof(string(), constantFrom("a", "b", "00000001", "10000000")));
    assert(
      property(ids, ids, (held, asked) => {
        const spans = held.map((id) => spanOf(id));
        const indices = new Map(held.map((id, index) => [id, index]));
        const isDistinct = table.fill(spans);
        expect(isDistinct).toBe(indices.size === held.length);
        if (isDistinct !== true) return;
        for (const id of [...held, ...asked]) expect(table.get(id)).toBe(indices.get(id));
      }),
    );
  });

  it("tells ids apart that share a hash", () => {
    const ids = collidingIds;
    const table = new SpanTable();
    expect(table.fill(ids.map((id) => spanOf(id)))).toBe(true);
    expect(ids.map((id) => table.get(id))).toEqual(times(16, (index) => index));
  });

  it("gives up on more ids of one hash than chance makes, and their parents are found nevertheless", () => {
    const spans = times(2_000, (index) =>
      spanOf(`${index}-of-one-hash`, index === 0 ? undefined : `${index - 1}-of-one-hash`),
    );
    expect(new SpanTable().fill(spans)).toBe("unknown");
    const parents = times(2_000, (index) => (index === 0 ? noParent : index - 1));
    expect([...(parentsIfDistinct(spans) ?? [])]).toEqual(parents);
    expect(
      orderOf([...spans, ...spans].toSorted((a, b) => (a.spanId < b.spanId ? -1 : 1))).spans,
    ).toHaveLength(2_000);
  });
});
