import { expect, it } from "vitest";

import { spansOf, snapshotOfSpans } from "./trace-builder.ts";
import { isWithin } from "./is-within.ts";
import { tracesOf } from "./trace.ts";

it("finds a span at or below others, and none beside them", () => {
  const [trace] = tracesOf(
    snapshotOfSpans(
      spansOf({ name: "a", children: [{ name: "b", children: [{ name: "c" }] }, { name: "d" }] }),
    ),
  );
  if (trace === undefined) throw new Error("The spans make a trace.");
  const indexOf = (name: string): number => trace.spans.findIndex((span) => span.name === name);
  const scopes = new Set([indexOf("b")]);
  expect(["a", "b", "c", "d"].map((name) => isWithin(trace, indexOf(name), scopes))).toEqual([
    false,
    true,
    true,
    false,
  ]);
  expect(isWithin(trace, indexOf("c"), new Set([indexOf("a")]))).toBe(true);
});
