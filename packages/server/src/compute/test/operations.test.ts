import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Allocator } from "../allocator.ts";
import type { ComputeNode } from "../capacity.ts";
import type { Decision } from "../decision.ts";
import { deviceCountOf, type JobRequest } from "../job.ts";
import { allocatorWith, jobOf, nodeOf, tenantId } from "./cluster.ts";

const nodes: readonly ComputeNode[] = [
  nodeOf("e1", { deviceCount: 4, cpuCores: 16 }),
  nodeOf("e2", { deviceCount: 8, cpuCores: 16 }),
  nodeOf("u1", { region: "us", deviceCount: 6 }),
  nodeOf("c1", { deviceKind: "cpu", deviceCount: 3 }),
];
const tenants = ["a", "b", "c"];
const tenant = fc.constantFrom(...tenants);

const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("submit" as const),
      tenant,
      deviceKind: fc.constantFrom("gpu", "gpu", "gpu", "cpu"),
      durationMs: fc.integer({ min: 1, max: 60 }),
      priority: fc.integer({ min: 0, max: 3 }),
      memberCount: fc.constantFrom(1, 1, 2, 3),
      deviceCount: fc.integer({ min: 1, max: 6 }),
      cpuCores: fc.integer({ min: 0, max: 8 }),
      costMicros: fc.bigInt({ min: 0n, max: 4n }),
      regions: fc.constantFrom<readonly string[]>([], [], ["eu"]),
      antiAffinityGroup: fc.constantFrom(undefined, undefined, "g"),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("end" as const), at: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("credit" as const),
      tenant,
      micros: fc.bigInt({ min: 0n, max: 12n }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("policy" as const),
      tenant,
      weight: fc.integer({ min: 1, max: 3 }),
      deviceCountMax: fc.integer({ min: 0, max: 12 }),
      runningJobCountMax: fc.constantFrom(undefined, undefined, 2),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("nodes" as const), mask: fc.nat(15) }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** What the decisions say, kept apart from the allocator. */
class Books {
  readonly running = new Map<string, { request: JobRequest; decision: Decision }>();
  readonly requests = new Map<string, JobRequest>();
  nodes: readonly ComputeNode[] = nodes;

  note(decisions: readonly Decision[]): void {
    for (const decision of decisions) {
      const request = this.requests.get(decision.jobId);
      if (request === undefined) throw new Error("a decision is about a job that was submitted");
      if (decision.kind === "admitted") this.running.set(decision.jobId, { request, decision });
      else {
        this.running.delete(decision.jobId);
        this.requests.delete(decision.jobId);
      }
    }
  }

  /** Every node holds what stands on it; gangs are whole, in one region, and groups apart. */
  check(): void {
    const used = new Map<string, { devices: number; cores: number; groups: string[] }>();
    for (const { request, decision } of this.running.values()) {
      if (decision.kind !== "admitted") continue;
      const regions = new Set<string>();
      let memberCount = 0;
      for (const seat of decision.placement) {
        const node = this.nodes.find(({ id }) => id === seat.nodeId);
        expect(node?.deviceKind).toBe(request.deviceKind);
        regions.add(node?.region ?? "none");
        memberCount += seat.memberCount;
        const use = used.get(seat.nodeId) ?? { devices: 0, cores: 0, groups: [] };
        use.devices += seat.memberCount * request.member.deviceCount;
        use.cores += seat.memberCount * request.member.cpuCores;
        if (request.antiAffinityGroup !== undefined) use.groups.push(request.tenantId);
        used.set(seat.nodeId, use);
        expect(use.devices).toBeLessThanOrEqual(node?.deviceCount ?? 0);
        expect(use.cores).toBeLessThanOrEqual(node?.cpuCores ?? 0);
        expect(new Set(use.groups).size).toBe(use.groups.length);
      }
      expect(memberCount).toBe(request.memberCount);
      expect(regions.size).toBe(1);
      if (request.regions.length > 0) expect(request.regions).toContain([...regions][0]);
    }
    const devices = this.nodes.reduce((sum, { deviceCount }) => sum + deviceCount, 0);
    const taken = [...this.running.values()].reduce(
      (sum, { request }) => sum + deviceCountOf(request),
      0,
    );
    expect(taken).toBeLessThanOrEqual(devices);
  }
}

function apply(allocator: Allocator, books: Books, step: { operation: Operation; atMs: number }) {
  const { operation, atMs } = step;
  switch (operation.kind) {
    case "submit": {
      const { kind: _kind, ...fields } = operation;
      const request = jobOf(`j${atMs}`, { ...fields, submittedAtMs: atMs });
      books.requests.set(request.id, request);
      allocator.submit(request);
      break;
    }
    case "end": {
      const ids = [...books.requests.keys()];
      const jobId = ids[operation.at % Math.max(1, ids.length)];
      if (jobId === undefined) return;
      books.requests.delete(jobId);
      books.running.delete(jobId);
      allocator.end(jobId, atMs);
      break;
    }
    case "credit":
      allocator.setCredit(tenantId(operation.tenant), operation.micros);
      break;
    case "policy": {
      const { weight, deviceCountMax, runningJobCountMax } = operation;
      allocator.setTenant(tenantId(operation.tenant), {
        weight,
        deviceCountMax: { gpu: deviceCountMax },
        runningJobCountMax,
      });
      break;
    }
    case "nodes": {
      books.nodes = nodes.filter((_node, index) => ((operation.mask >> index) & 1) === 1);
      books.note(allocator.setNodes(books.nodes, atMs));
      break;
    }
  }
}

describe("an allocator under any operations", () => {
  it.each([true, false])("keeps to every limit, and forgets no job (back-fill %s)", (backFill) => {
    fc.assert(
      fc.property(fc.array(operation, { minLength: 5, maxLength: 60 }), (operations) => {
        const allocator = allocatorWith(nodes, tenants, { backFill, headDelayMsMax: 5 });
        const books = new Books();
        operations.forEach((operation, index) => {
          const atMs = index * 3 + 1;
          apply(allocator, books, { operation, atMs });
          books.note(allocator.pass(atMs));
          books.check();
          expect(allocator.copy().fullPass(atMs)).toEqual([]);
          expect(allocator.counts().runningCount).toBe(books.running.size);
          for (const name of tenants)
            if (operation.kind !== "credit")
              expect(allocator.creditOf(tenantId(name))).toBeGreaterThanOrEqual(0n);
        });
      }),
      { numRuns: 200 },
    );
  });
});
