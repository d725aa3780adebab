import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Allocator } from "../allocator.ts";
import type { ComputeNode } from "../capacity.ts";
import { allocatorWith, jobOf, nodeOf } from "./cluster.ts";
import { replay, type TracedJob } from "./replay.ts";

const nodes: readonly ComputeNode[] = [
  nodeOf("e1", { region: "eu", deviceCount: 4, cpuCores: 16 }),
  nodeOf("e2", { region: "eu", deviceCount: 8, cpuCores: 16 }),
  nodeOf("u1", { region: "us", deviceCount: 8, cpuCores: 32 }),
];

interface TraceOptions {
  /** Whether jobs end before their time, and have priorities. */
  readonly isUnruly: boolean;
}

function traces({ isUnruly }: TraceOptions): fc.Arbitrary<TracedJob[]> {
  const job = fc.record({
    tenant: fc.constantFrom("a", "b", "c"),
    submittedAtMs: fc.integer({ min: 0, max: 60 }),
    durationMs: fc.integer({ min: 1, max: 40 }),
    part: isUnruly ? fc.integer({ min: 1, max: 10 }) : fc.constant(10),
    priority: isUnruly ? fc.integer({ min: 0, max: 2 }) : fc.constant(0),
    memberCount: fc.constantFrom(1, 1, 1, 2, 3),
    deviceCount: fc.integer({ min: 1, max: 8 }),
    cpuCores: fc.integer({ min: 0, max: 12 }),
    regions: fc.constantFrom<readonly string[]>([], [], ["eu"], ["us"]),
    distinctNodes: fc.boolean(),
    antiAffinityGroup: fc.constantFrom(undefined, undefined, "g"),
  });
  return fc.array(job, { minLength: 5, maxLength: 40 }).map((jobs) =>
    jobs.map(({ part, ...fields }, index) => ({
      request: jobOf(`j${index}`, fields),
      runsMs: Math.ceil((fields.durationMs * part) / 10),
    })),
  );
}

describe("an allocator", () => {
  it("finds in a pass after each change all that a pass over everything finds", () => {
    fc.assert(
      fc.property(traces({ isUnruly: true }), (trace) => {
        const allocator = allocatorWith(nodes);
        replay(allocator, trace, (nowMs) => {
          expect(allocator.copy().fullPass(nowMs)).toEqual([]);
        });
      }),
      { numRuns: 300 },
    );
  });

  it("leaves no job waiting that could ever run", () => {
    fc.assert(
      fc.property(traces({ isUnruly: true }), (trace) => {
        const allocator = allocatorWith(nodes);
        const { startMsOf } = replay(allocator, trace);
        for (const { request } of trace) {
          const alone = allocatorWith(nodes);
          alone.submit(request);
          const mayRun = alone.pass(0).length > 0;
          expect(startMsOf.has(request.id)).toBe(mayRun);
        }
        expect(allocator.counts().freeDeviceCount).toBe(allocator.counts().deviceCount);
      }),
      { numRuns: 200 },
    );
  });

  it("gives the same decisions as its copy", () => {
    fc.assert(
      fc.property(traces({ isUnruly: true }), traces({ isUnruly: true }), (before, after) => {
        const original = allocatorWith(nodes);
        for (const { request } of before) original.submit(request);
        original.pass(60);
        const copy = original.copy();
        const later = after.map(({ request, runsMs }) => ({
          request: {
            ...request,
            id: `later-${request.id}`,
            submittedAtMs: 61 + request.submittedAtMs,
          },
          runsMs,
        }));
        expect([...replay(copy, later).startMsOf]).toEqual([...replay(original, later).startMsOf]);
      }),
      { numRuns: 100 },
    );
  });
});

describe("back-fill", () => {
  it("lets every head start when it would start without back-fill, when jobs take the time that they reserved", () => {
    let headCount = 0;
    fc.assert(
      fc.property(traces({ isUnruly: false }), (trace) => {
        const allocator = allocatorWith(nodes);
        const expected = new Map<string, number>();
        const { startMsOf } = replay(allocator, trace, (nowMs) => {
          for (const { jobId } of allocator.heads()) {
            if (expected.has(jobId)) continue;
            headCount += 1;
            expected.set(jobId, startWithout(allocator, jobId, { nowMs, trace }));
          }
        });
        for (const [jobId, startMs] of expected) expect(startMsOf.get(jobId)).toBe(startMs);
      }),
      { numRuns: 300 },
    );
    expect(headCount).toBeGreaterThan(200);
  });

  it.each([0, 7])(
    "delays no head beyond its first promise by more than %i ms, when jobs end early",
    (bound) => {
      fc.assert(
        fc.property(traces({ isUnruly: true }), (unruly) => {
          const trace = unruly.map(({ request, runsMs }) => ({
            request: { ...request, priority: 0 },
            runsMs,
          }));
          const allocator = allocatorWith(nodes, ["a", "b", "c"], { headDelayMsMax: bound });
          const promised = new Map<string, number>();
          const { startMsOf } = replay(allocator, trace, () => {
            for (const { jobId, promisedMs } of allocator.heads())
              promised.set(jobId, Math.min(promisedMs, promised.get(jobId) ?? promisedMs));
          });
          for (const [jobId, promisedMs] of promised)
            expect(startMsOf.get(jobId)).toBeLessThanOrEqual(promisedMs + bound);
        }),
        { numRuns: 300 },
      );
    },
  );

  it("uses the devices at least as well as first come, first served, on a trace with heavy tails", () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const trace = heavyTailed(seed);
      const filled = replay(allocatorWith(nodes, ["a"]), trace);
      const queued = replay(allocatorWith(nodes, ["a"], { backFill: false }), trace);
      const work = trace.reduce(
        (sum, { request, runsMs }) => sum + request.member.deviceCount * runsMs,
        0,
      );
      const utilisation = (endMs: number): number => work / (20 * endMs);
      expect(utilisation(filled.endMs)).toBeGreaterThanOrEqual(utilisation(queued.endMs));
    }
  });
});

/** When a head starts if nothing is started past it from now on. Jobs take the time that they reserved. */
function startWithout(
  allocator: Allocator,
  jobId: string,
  { nowMs, trace }: { readonly nowMs: number; readonly trace: readonly TracedJob[] },
): number {
  const copy = allocator.copy({ backFill: false });
  const running = copy.running();
  const later = trace.filter(({ request }) => request.submittedAtMs > nowMs);
  const events = new Set([
    ...running.map(({ endsAtMs }) => endsAtMs),
    ...later.map(({ request }) => request.submittedAtMs),
  ]);
  for (const atMs of [...events].toSorted((x, y) => x - y)) {
    for (const { jobId, endsAtMs } of running) if (endsAtMs === atMs) copy.end(jobId, atMs);
    for (const { request } of later) if (request.submittedAtMs === atMs) copy.submit(request);
    for (const decision of copy.pass(atMs))
      if (decision.kind === "admitted" && decision.jobId === jobId) return atMs;
  }
  return Number.POSITIVE_INFINITY;
}

/** Durations after Pareto, from a generator of its own (the multiplier of Lewis, Goodman and Miller). */
function heavyTailed(seed: number): TracedJob[] {
  let state = seed;
  const next = (): number => {
    state = (state * 16_807) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  let submittedAtMs = 0;
  return Array.from({ length: 400 }, (_item, index) => {
    submittedAtMs += Math.floor(next() * 12);
    const durationMs = Math.min(5_000, Math.ceil(10 / next() ** (1 / 1.1)));
    const deviceCount = 2 ** Math.floor(next() * 4);
    const request = jobOf(`j${index}`, { deviceCount, durationMs, submittedAtMs });
    return { request, runsMs: durationMs };
  });
}
