import {
  array,
  assert,
  boolean,
  constantFrom,
  double,
  integer,
  option,
  property,
  record,
} from "fast-check";
import { describe, expect, it } from "vitest";

import {
  type CandidateHealth,
  findIncompatibility,
  nextCandidate,
  planRoute,
  type RequestNeeds,
  type RouteCandidate,
} from "./route.ts";

const able = {
  contextTokenCountMax: undefined,
  tools: true,
  vision: true,
  jsonSchema: true,
  safetyPolicies: ["strict"],
};

const plain: RequestNeeds = {
  contextTokenCount: 1_000,
  tools: false,
  vision: false,
  jsonSchema: false,
  safetyPolicy: undefined,
};

function candidate(id: string, overrides: Partial<RouteCandidate> = {}): RouteCandidate {
  const rest = { weight: 1, order: 0, eligible: true, health: "well" as const };
  return { id, ...rest, compatibility: able, ...overrides };
}

const idsOf = (candidates: readonly RouteCandidate[]): string[] => candidates.map(({ id }) => id);

describe("planRoute", () => {
  it("chooses by weight, and falls back to the others in order", () => {
    const route = [
      candidate("a", { weight: 3 }),
      candidate("b", { weight: 1 }),
      candidate("spare", { order: 1 }),
    ];
    expect(idsOf(planRoute(route, plain, 0.1).sequence)).toEqual(["a", "b", "spare"]);
    expect(idsOf(planRoute(route, plain, 0.8).sequence)).toEqual(["b", "a", "spare"]);
  });

  it("splits the draws in proportion to the weights, and so the fallbacks of each target", () => {
    const route = [
      candidate("a", { weight: 2 }),
      candidate("b", { weight: 1 }),
      candidate("c", { weight: 1 }),
    ];
    const counts = new Map<string, number>();
    for (let draw = 0; draw < 4_000; draw += 1) {
      const ids = idsOf(planRoute(route, plain, draw / 4_000).sequence).join("");
      counts.set(ids, (counts.get(ids) ?? 0) + 1);
    }
    const countOf = (start: string): number =>
      [...counts].reduce((sum, [ids, count]) => sum + (ids.startsWith(start) ? count : 0), 0);
    expect(["a", "b", "c"].map(countOf)).toEqual([2_000, 1_000, 1_000]);
    // Half of the callers of "a" would go to each of the others, and two thirds of those of "b" to "a".
    expect(Math.abs(countOf("ab") - 1_000)).toBeLessThan(100);
    expect(Math.abs(countOf("ba") - 667)).toBeLessThan(70);
  });

  it("leaves a draw with its target while others come and go in health", () => {
    const route = [candidate("a"), candidate("b"), candidate("c")];
    for (let draw = 0; draw < 1; draw += 0.01) {
      const [first] = idsOf(planRoute(route, plain, draw).sequence);
      const ill = route.map((one) => (one.id === "b" ? { ...one, health: "shut" as const } : one));
      const [second] = idsOf(planRoute(ill, plain, draw).sequence);
      if (first === "b") expect(second).not.toBe("b");
      else expect(second).toBe(first);
    }
  });

  it("says of each target that is left out why", () => {
    const small = { ...able, contextTokenCountMax: 999 };
    const route = [
      candidate("condition", { eligible: false }),
      candidate("small", { compatibility: small }),
      candidate("toolless", { compatibility: { ...able, tools: false } }),
      candidate("blind", { compatibility: { ...able, vision: false } }),
      candidate("free", { compatibility: { ...able, jsonSchema: false } }),
      candidate("lax", { compatibility: { ...able, safetyPolicies: [] } }),
      candidate("shut", { health: "shut" }),
      candidate("good"),
    ];
    const needs = { ...plain, tools: true, vision: true, jsonSchema: true, safetyPolicy: "strict" };
    const plan = planRoute(route, needs, 0.5);
    expect(idsOf(plan.sequence)).toEqual(["good"]);
    expect(plan.excluded.map(({ candidate: { id }, because }) => [id, because])).toEqual([
      ["condition", "condition"],
      ["small", "context-length"],
      ["toolless", "tools"],
      ["blind", "vision"],
      ["free", "json-schema"],
      ["lax", "safety-policy"],
      ["shut", "health"],
    ]);
  });

  it("keeps the ejected for last, and targets of weight 0 for fallback", () => {
    const route = [
      candidate("ejected", { health: "ejected", weight: 1_000 }),
      candidate("idle", { weight: 0 }),
      candidate("only"),
      candidate("spare", { order: 5 }),
    ];
    for (const draw of [0, 0.3, 0.999_999]) {
      const expected = ["only", "idle", "spare", "ejected"];
      expect(idsOf(planRoute(route, plain, draw).sequence)).toEqual(expected);
    }
  });

  it("plans every target once or leaves it out, compatible ones only, lower orders first", () => {
    const candidates = array(
      record({
        weight: integer({ min: 0, max: 100 }),
        order: integer({ min: 0, max: 3 }),
        eligible: boolean(),
        health: constantFrom<CandidateHealth>("well", "ejected", "shut"),
        compatibility: record({
          contextTokenCountMax: option(integer({ min: 0, max: 2_000 }), { nil: undefined }),
          tools: boolean(),
          vision: boolean(),
          jsonSchema: boolean(),
          safetyPolicies: array(constantFrom("strict", "mild"), { maxLength: 2 }),
        }),
      }),
      { maxLength: 10 },
    );
    const needs = record({
      contextTokenCount: integer({ min: 0, max: 2_000 }),
      tools: boolean(),
      vision: boolean(),
      jsonSchema: boolean(),
      safetyPolicy: option(constantFrom("strict", "mild"), { nil: undefined }),
    });
    const draws = double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    assert(
      property(candidates, needs, draws, (shapes, wanted, draw) => {
        const route = shapes.map((shape, index) => ({ ...shape, id: String(index) }));
        const { sequence, excluded } = planRoute(route, wanted, draw);
        const all = [...idsOf(sequence), ...excluded.map(({ candidate: { id } }) => id)];
        expect(all.toSorted()).toEqual(idsOf(route).toSorted());
        for (const one of sequence) {
          expect(findIncompatibility(one.compatibility, wanted)).toBeUndefined();
          expect(one.eligible && one.health !== "shut").toBe(true);
        }
        const well = sequence.filter(({ health }) => health === "well");
        expect(sequence.slice(0, well.length)).toEqual(well);
        expect(well.map(({ order }) => order)).toEqual(
          well.map(({ order }) => order).toSorted((left, right) => left - right),
        );
        expect(planRoute(route, wanted, draw)).toEqual({ sequence, excluded });
      }),
      { numRuns: 500 },
    );
  });
});

describe("nextCandidate", () => {
  const sized = (id: string, contextTokenCountMax: number | undefined): RouteCandidate =>
    candidate(id, { compatibility: { ...able, contextTokenCountMax } });

  it("gives the next in the sequence", () => {
    expect(nextCandidate([candidate("b")], candidate("a"), "unavailable")?.id).toBe("b");
    expect(nextCandidate([], candidate("a"), "unavailable")).toBeUndefined();
  });

  it("gives only one with a longer context when the prompt was too long", () => {
    const failed = sized("a", 8_000);
    const remaining = [sized("same", 8_000), sized("unknown", undefined), sized("larger", 32_000)];
    expect(nextCandidate(remaining, failed, "context-length")?.id).toBe("larger");
    expect(nextCandidate(remaining.slice(0, 2), failed, "context-length")).toBeUndefined();
  });
});
