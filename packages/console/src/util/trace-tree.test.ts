/** How a waterfall nests and folds. */

import type { Span } from "@faultline/contracts";
import { describe, expect, it } from "vitest";

import { sharedName, spanSignature } from "./span-signature.ts";
import { type RowState, buildTraceTree, descendants, visibleRows } from "./trace-tree.ts";

interface Plan {
  parent?: number;
  name?: string;
  service?: string;
  at?: number;
  attributes?: Span["attributes"];
}

function span(id: number, plan: Plan = {}): Span {
  return {
    traceId: "1".repeat(32),
    spanId: spanId(id),
    ...(plan.parent === undefined ? {} : { parentSpanId: spanId(plan.parent) }),
    name: plan.name ?? `span ${String.fromCharCode(97 + id)}`,
    kind: "internal",
    service: plan.service ?? "api",
    startMicros: 1e15 + (plan.at ?? id) * 1_000,
    durationNanos: 1e6,
    status: { code: "unset" },
    attributes: plan.attributes ?? {},
    resource: {},
    scope: { name: "test" },
    events: [],
    links: [],
  };
}

function spanId(id: number): string {
  return id.toString(16).padStart(16, "0");
}

/** A list resolver over `count` items, each with a query of its own. */
function listOf(count: number): Span[] {
  const items = Array.from({ length: count }, (_, index) => [
    span(10 + 2 * index, { parent: 1, name: `posts.${index}.author` }),
    span(11 + 2 * index, { parent: 10 + 2 * index, name: "SELECT" }),
  ]);
  return [span(1, { name: "query" }), ...items.flat()];
}

function draw(
  spans: readonly Span[],
  states: [string, RowState][] = [],
  reveal?: string,
): string[] {
  return visibleRows(buildTraceTree(spans), new Map(states), reveal).map((row) => {
    const count = row.kind === "fold" ? `${row.spans.length} × ` : "";
    return `${"  ".repeat(row.depth)}${count}${sharedName(row.spans)}`;
  });
}

const foldKey = `x-${spanId(10)}`;

describe("the tree", () => {
  it("nests by parent in the order of start, whatever the order of arrival", () => {
    const spans = [
      span(3, { parent: 1, at: 5 }),
      span(2, { parent: 1, at: 9 }),
      span(4, { parent: 3, at: 6 }),
      span(1, { at: 1 }),
    ];
    expect(draw(spans)).toEqual(["span b", "  span d", "    span e", "  span c"]);
  });

  it("keeps at the top what has lost its parent and what stands in a ring", () => {
    const spans = [
      span(1, { parent: 99 }),
      span(2, { parent: 3 }),
      span(3, { parent: 2 }),
      span(4, { parent: 4 }),
    ];
    expect(draw(spans)).toEqual(["span b", "span c", "span d", "span e"]);
    expect(draw([])).toEqual([]);
  });

  it("nests a chain of ten thousand spans without exhausting the stack", () => {
    const spans = Array.from({ length: 10_000 }, (_, index) =>
      span(index + 1, index === 0 ? {} : { parent: index }),
    );
    const tree = buildTraceTree(spans);
    expect(visibleRows(tree, new Map()).length).toBe(10_000);
    expect(descendants(tree.roots, tree).length).toBe(9_999);
  });
});

describe("folding", () => {
  it("folds repeated siblings and merges what is beneath them", () => {
    expect(draw(listOf(40))).toEqual(["query", "  40 × posts.*.author", "    40 × SELECT"]);
  });

  it("leaves a few repeated siblings as they are", () => {
    expect(draw(listOf(3)).length).toBe(7);
    expect(draw(listOf(4))).toEqual(["query", "  4 × posts.*.author", "    4 × SELECT"]);
  });

  it("unfolds to the members, each with its own children", () => {
    const rows = draw(listOf(4), [[foldKey, "members"]]);
    expect(rows.length).toBe(10);
    expect(rows.slice(0, 4)).toEqual([
      "query",
      "  4 × posts.*.author",
      "    posts.0.author",
      "      SELECT",
    ]);
  });

  it("hides everything beneath a row that is collapsed", () => {
    expect(draw(listOf(4), [[foldKey, "collapsed"]])).toEqual(["query", "  4 × posts.*.author"]);
    expect(draw(listOf(4), [[spanId(1), "collapsed"]])).toEqual(["query"]);
  });

  it("never folds away the span that is to be seen", () => {
    const rows = visibleRows(buildTraceTree(listOf(40)), new Map(), spanId(31));
    expect(rows.some((row) => row.key === spanId(31))).toBe(true);
    expect(rows.length).toBe(2 + 80);
  });

  it("tells spans apart by service, statement and path, not by the values in them", () => {
    const statement = (text: string) =>
      spanSignature(span(1, { attributes: { "db.query.text": text } }));
    expect(statement("SELECT 1 FROM a WHERE b = 'x'")).toBe(
      statement("SELECT 1 FROM  a\nWHERE b = 'it''s'"),
    );
    expect(statement("SELECT 1 FROM a")).not.toBe(statement("SELECT 1 FROM b"));
    const named = (name: string) => spanSignature(span(1, { name }));
    expect(named("posts.7.author")).toBe(named("posts.12.author"));
    expect(named("GET /users/0a1b2c3d-0000-4000-8000-000000000000")).toBe(named("GET /users/7"));
    expect(spanSignature(span(1, { service: "web", name: "a" }))).not.toBe(named("a"));
  });
});
