import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Allocator } from "./allocator.ts";
import { explainWait, type Remedy } from "./explain-wait.ts";
import type { JobRequest } from "./job.ts";
import { defaultTenantPolicy } from "./tenant-state.ts";
import { admittedIds, allocatorWith, jobOf, nodeOf, tenantId } from "./test/cluster.ts";

/** Does what an answer says; the ids of the jobs that start. */
function apply(
  allocator: Allocator,
  remedies: readonly Remedy[],
  { request, nowMs }: { readonly request: JobRequest; readonly nowMs: number },
): string[] {
  const started: string[] = [];
  let atMs = nowMs;
  for (const remedy of remedies) {
    switch (remedy.kind) {
      case "grant-credit":
        allocator.setCredit(remedy.tenantId, allocator.creditOf(remedy.tenantId) + remedy.micros);
        break;
      case "raise-quota":
        allocator.setTenant(remedy.tenantId, {
          ...allocator.policyOf(remedy.tenantId),
          deviceCountMax: { [remedy.deviceKind]: remedy.deviceCountMax },
        });
        break;
      case "raise-running-jobs":
        allocator.setTenant(remedy.tenantId, {
          ...allocator.policyOf(remedy.tenantId),
          runningJobCountMax: remedy.runningJobCountMax,
        });
        break;
      case "add-nodes":
        allocator.setNodes([...allocator.nodes(), ...remedy.nodes], atMs);
        break;
      case "shorten":
        allocator.end(request.id, atMs);
        allocator.submit({ ...request, durationMs: remedy.durationMs });
        break;
      case "wait":
        for (const jobId of remedy.endedJobIds) {
          const run = allocator.running().find((running) => running.jobId === jobId);
          atMs = Math.max(atMs, run?.endsAtMs ?? 0);
          allocator.end(jobId, atMs);
          started.push(...admittedIds(allocator.pass(atMs)));
        }
        expect(atMs).toBe(remedy.untilMs);
        break;
    }
    started.push(...admittedIds(allocator.pass(atMs)));
  }
  return started;
}

describe("why a job waits", () => {
  it("says what credit is missing", () => {
    const allocator = allocatorWith([nodeOf("n1")], []);
    allocator.setCredit(tenantId("a"), 3n);
    allocator.submit(jobOf("j", { costMicros: 10n }));
    allocator.pass(0);
    expect(explainWait(allocator, "j", 0)).toEqual({
      binding: { kind: "credit", askedMicros: 10n, spendableMicros: 3n },
      remedies: [{ kind: "grant-credit", tenantId: "a", micros: 7n }],
    });
  });

  it("says when the head starts and whom it waits for", () => {
    const allocator = allocatorWith([nodeOf("n1")]);
    allocator.submit(jobOf("long", { deviceCount: 4, durationMs: 900 }));
    allocator.submit(jobOf("short", { deviceCount: 4, durationMs: 100 }));
    allocator.pass(0);
    allocator.submit(jobOf("j", { deviceCount: 4 }));
    allocator.pass(10);
    expect(explainWait(allocator, "j", 10)).toEqual({
      binding: { kind: "capacity", startMs: 100, awaitedJobIds: ["short"] },
      remedies: [{ kind: "wait", untilMs: 100, endedJobIds: ["short"] }],
    });
  });

  it("says how short a job would have to be to pass the head", () => {
    const allocator = allocatorWith([nodeOf("n1")]);
    allocator.submit(jobOf("first", { deviceCount: 4, durationMs: 900 }));
    allocator.pass(0);
    allocator.submit(jobOf("head", { deviceCount: 8 }));
    allocator.submit(jobOf("j", { deviceCount: 2, durationMs: 5_000, submittedAtMs: 1 }));
    allocator.pass(10);
    expect(explainWait(allocator, "j", 10)).toMatchObject({
      binding: { kind: "turn", headJobId: "head", fitsNow: true, durationMsMax: 890 },
      remedies: [{ kind: "shorten", durationMs: 890 }],
    });
  });

  it("names nodes that would hold a job too large for all, and nothing for a job that runs", () => {
    const allocator = allocatorWith([nodeOf("n1")]);
    allocator.submit(jobOf("j", { deviceCount: 16, regions: ["us"] }));
    allocator.submit(jobOf("k"));
    allocator.pass(0);
    expect(explainWait(allocator, "j", 0)).toMatchObject({
      binding: { kind: "nodes" },
      remedies: [{ kind: "add-nodes", nodes: [{ region: "us", deviceCount: 16 }] }],
    });
    expect(explainWait(allocator, "k", 0)).toBeUndefined();
  });

  it("is answered so that the job starts when the answer is followed", () => {
    const job = fc.record({
      tenant: fc.constantFrom("a", "b"),
      durationMs: fc.integer({ min: 1, max: 50 }),
      priority: fc.integer({ min: 0, max: 2 }),
      memberCount: fc.constantFrom(1, 1, 2),
      deviceCount: fc.integer({ min: 1, max: 10 }),
      cpuCores: fc.integer({ min: 0, max: 20 }),
      costMicros: fc.bigInt({ min: 0n, max: 5n }),
      regions: fc.constantFrom<readonly string[]>([], ["eu"], ["us"]),
      antiAffinityGroup: fc.constantFrom(undefined, "g"),
    });
    const limits = fc.record({
      credit: fc.bigInt({ min: 0n, max: 20n }),
      deviceCountMax: fc.integer({ min: 1, max: 20 }),
      runningJobCountMax: fc.integer({ min: 1, max: 4 }),
    });
    const kinds = new Set<string>();
    let answeredCount = 0;
    fc.assert(
      fc.property(fc.array(job, { minLength: 3, maxLength: 20 }), limits, (jobs, limit) => {
        const allocator = allocatorWith(
          [nodeOf("e1", { cpuCores: 24 }), nodeOf("u1", { region: "us", deviceCount: 4 })],
          ["b"],
        );
        allocator.setCredit(tenantId("a"), limit.credit);
        allocator.setTenant(tenantId("a"), {
          ...defaultTenantPolicy,
          deviceCountMax: { gpu: limit.deviceCountMax },
          runningJobCountMax: limit.runningJobCountMax,
        });
        const requests = jobs.map((fields, index) =>
          jobOf(`j${index}`, { ...fields, submittedAtMs: index }),
        );
        for (const request of requests) allocator.submit(request);
        allocator.pass(20);
        for (const request of requests) {
          const explanation = explainWait(allocator, request.id, 20);
          if (explanation === undefined) continue;
          kinds.add(explanation.binding.kind);
          expect(explanation.remedies).not.toEqual([]);
          answeredCount += 1;
          const copy = allocator.copy();
          expect(apply(copy, explanation.remedies, { request, nowMs: 20 })).toContain(request.id);
        }
      }),
      { numRuns: 150 },
    );
    expect(answeredCount).toBeGreaterThan(300);
    expect([...kinds].toSorted()).toEqual(
      expect.arrayContaining(["capacity", "credit", "nodes", "quota", "running-jobs", "turn"]),
    );
  });
});
