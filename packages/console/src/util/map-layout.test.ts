/** Where the boundary map places things. */

import type { BoundaryEdge } from "@faultline/protocol";
import { describe, expect, it } from "vitest";

import { edgeHealth } from "./edge-health.ts";
import { layoutMap } from "./map-layout.ts";
import { boxHeight } from "./map-shapes.ts";

function edge(from: string, to: string, more: Partial<BoundaryEdge> = {}): BoundaryEdge {
  return {
    from,
    to,
    boundary: "service-service",
    count: 10,
    errorCount: 0,
    durationMsP95: 1,
    caseNumbers: [],
    ...more,
  };
}

const shop = [
  edge("web", "orders"),
  edge("web", "gateway"),
  edge("orders", "postgresql/orders", { boundary: "resolver-database" }),
  edge("orders", "gateway"),
  edge("gateway", "simulated", { boundary: "client-server" }),
  edge("gateway", "find_order", { boundary: "model-tool" }),
];
const awkward = [
  ...shop,
  edge("gateway", "web"),
  edge("orders", "orders"),
  edge("web", "orders", { boundary: "client-server" }),
  edge("island", "island"),
];

describe.each([
  ["across", 1_400],
  ["downward", 390],
])("a map that reads %s", (_, width) => {
  it.each([
    ["calls in one direction", shop],
    ["rings, twins and calls to oneself", awkward],
    ["a single call", [edge("a", "b")]],
  ])("places every party once and lets no two boxes touch: %s", (_, edges) => {
    const layout = layoutMap(edges, width);
    const names = new Set(edges.flatMap(({ from, to }) => [from, to]));
    expect(layout.parties.map((party) => party.name).sort()).toEqual([...names].sort());
    expect(layout.edges.length).toBe(edges.length);
    for (const one of layout.parties) {
      expect(one.at.x).toBeGreaterThanOrEqual(0);
      expect(one.at.x + one.width).toBeLessThanOrEqual(layout.width);
      expect(one.at.y).toBeGreaterThanOrEqual(0);
      expect(one.at.y + boxHeight).toBeLessThanOrEqual(layout.height);
      for (const other of layout.parties) {
        if (one === other) continue;
        const apart =
          one.at.x + one.width < other.at.x ||
          other.at.x + other.width < one.at.x ||
          one.at.y + boxHeight < other.at.y ||
          other.at.y + boxHeight < one.at.y;
        expect(apart, `${one.name} and ${other.name}`).toBe(true);
      }
    }
    for (const line of layout.edges) expect(line.path).not.toContain("NaN");
  });
});

it("draws calls from left to right and never wider than a narrow page", () => {
  const place = new Map(layoutMap(shop, 1_400).parties.map((party) => [party.name, party.at.x]));
  for (const { from, to } of shop) expect(place.get(from)).toBeLessThan(Number(place.get(to)));
  expect(layoutMap(awkward, 390).width).toBe(390);
});

it.each([320, 390, 768, 1_024, 1_280, 1_440, 2_560])("fits a page of %s pixels", (width) => {
  const layout = layoutMap(shop, width);
  expect(layout.width).toBe(width);
  for (const { at, width: boxWidth } of layout.parties) {
    expect(at.x + boxWidth).toBeLessThanOrEqual(width);
  }
});

it("tells services, databases, providers and tools apart", () => {
  const kinds = Object.fromEntries(
    layoutMap(shop, 1_400).parties.map(({ name, kind }) => [name, kind]),
  );
  expect(kinds).toEqual({
    web: "service",
    orders: "service",
    gateway: "service",
    "postgresql/orders": "database",
    simulated: "model",
    find_order: "tool",
  });
});

it("says health in words, a violated contract before errors", () => {
  expect(edgeHealth(edge("a", "b", { verdict: "violated", errorCount: 5 })).text).toBe("violated");
  expect(edgeHealth(edge("a", "b", { errorCount: 5 })).text).toBe("50 % errors");
  expect(edgeHealth(edge("a", "b", { verdict: "holds" })).text).toBe("holds");
  expect(edgeHealth(edge("a", "b")).text).toBe("no errors");
});
