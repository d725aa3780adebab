import { array, assert, integer, property, record } from "fast-check";
import { describe, expect, it } from "vitest";

import { listNode, type ListNode } from "./linked-list.ts";
import { LongestFirst } from "./longest-first.ts";
import { RoundRobin } from "./round-robin.ts";

interface Call {
  readonly tenant: string;
  readonly cost: number;
  readonly rank: number;
}

describe("RoundRobin", () => {
  it("serves tenants that always have calls waiting by weight, whatever their calls cost", () => {
    const tenants = array(
      record({
        weight: integer({ min: 1, max: 8 }),
        costs: array(integer({ min: 1, max: 4_000 }), { minLength: 1, maxLength: 5 }),
      }),
      { minLength: 2, maxLength: 5 },
    );
    assert(
      property(tenants, (shapes) => {
        const robin = new RoundRobin<Call>();
        const nodes = new Map<Call, ListNode<Call>>();
        const spent = shapes.map(() => 0);
        const append = (index: number, turn: number): void => {
          const shape = shapes[index]!;
          const call = {
            tenant: String(index),
            cost: shape.costs[turn % shape.costs.length]!,
            rank: 0,
          };
          const node = listNode(call);
          nodes.set(call, node);
          robin.append(call.tenant, shape.weight, node);
        };
        shapes.forEach((_, index) => append(index, 0));
        shapes.forEach((_, index) => append(index, 1));
        for (let turn = 2; turn < 400; turn += 1) {
          const call = robin.next()!;
          const index = Number(call.tenant);
          robin.remove(call.tenant, nodes.get(call)!);
          spent[index] = spent[index]! + call.cost;
          append(index, turn);
        }
        // Shares drift apart by what one turn and one call can be, never more.
        const slack = 2 * (4_000 + 4_000 / Math.min(...shapes.map(({ weight }) => weight)));
        const shares = spent.map((cost, index) => cost / shapes[index]!.weight);
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(slack);
      }),
      { numRuns: 200 },
    );
  });
});

describe("LongestFirst", () => {
  it("knows the longest as a count over all would", () => {
    const step = record({ tenant: integer({ min: 0, max: 4 }), adds: integer({ min: 0, max: 2 }) });
    assert(
      property(array(step, { maxLength: 200 }), (steps) => {
        const longest = new LongestFirst();
        const counts = [0, 0, 0, 0, 0];
        const weightOf = (tenant: number): number => (tenant % 3) + 1;
        for (const { tenant, adds } of steps) {
          if (adds > 0) {
            longest.add(String(tenant), weightOf(tenant));
            counts[tenant]! += 1;
          } else if (counts[tenant]! > 0) {
            longest.remove(String(tenant));
            counts[tenant]! -= 1;
          }
          const levels = counts.map((count, index) => Math.ceil(count / weightOf(index)));
          const top = Math.max(...levels);
          expect(longest.topLevel).toBe(top);
          if (top === 0) expect(longest.longest).toBeUndefined();
          else expect(levels[Number(longest.longest)]).toBe(top);
        }
      }),
    );
  });
});
