import { describe, expect, it } from "vitest";

import { admittedIds, allocatorWith, jobOf, nodeOf, tenantId } from "./test/cluster.ts";
import { defaultTenantPolicy } from "./tenant-state.ts";

describe("admission", () => {
  it("starts a job that fits, on the fullest node that holds it", () => {
    const allocator = allocatorWith([nodeOf("n1"), nodeOf("n2", { deviceCount: 4 })]);
    allocator.submit(jobOf("j", { deviceCount: 3, durationMs: 500 }));
    expect(allocator.pass(100)).toEqual([
      {
        kind: "admitted",
        jobId: "j",
        tenantId: "a",
        placement: [{ nodeId: "n2", memberCount: 1 }],
        startsAtMs: 100,
        endsAtMs: 600,
        order: "turn",
        costMicros: 1n,
      },
    ]);
  });

  it("refuses a job that it knows and one that makes no sense", () => {
    const allocator = allocatorWith([nodeOf("n1")]);
    expect(allocator.submit(jobOf("j"))).toEqual({ kind: "waiting" });
    expect(allocator.submit(jobOf("j"))).toMatchObject({ reason: "job-known" });
    expect(allocator.submit(jobOf("k", { priority: 10 }))).toMatchObject({
      reason: "request-invalid",
      fault: "priority must be a whole number from 0 to 9.",
    });
    expect(allocator.submit(jobOf("k", { deviceCount: 0 }))).toMatchObject({
      reason: "request-invalid",
    });
    expect(allocator.submit(jobOf("k", { durationMs: 0.5 }))).toMatchObject({
      reason: "request-invalid",
    });
  });

  it("starts all members of a gang or none, in one region", () => {
    const allocator = allocatorWith([
      nodeOf("e1", { region: "eu", deviceCount: 4 }),
      nodeOf("u1", { region: "us", deviceCount: 4 }),
      nodeOf("u2", { region: "us", deviceCount: 4 }),
    ]);
    allocator.submit(jobOf("big", { memberCount: 3, deviceCount: 4 }));
    allocator.submit(jobOf("gang", { memberCount: 4, deviceCount: 2 }));
    expect(allocator.pass(0)).toMatchObject([
      {
        jobId: "gang",
        placement: [
          { nodeId: "u1", memberCount: 2 },
          { nodeId: "u2", memberCount: 2 },
        ],
      },
    ]);
  });

  it("keeps to the regions, the nodes' cores and memory, and members apart", () => {
    const allocator = allocatorWith([
      nodeOf("e1", { region: "eu", cpuCores: 4, memoryGigabytes: 10 }),
      nodeOf("u1", { region: "us", cpuCores: 4, memoryGigabytes: 10 }),
      nodeOf("u2", { region: "us", cpuCores: 4, memoryGigabytes: 10 }),
    ]);
    allocator.submit(jobOf("cores", { regions: ["eu"], cpuCores: 3 }));
    allocator.submit(jobOf("cores-again", { regions: ["eu"], cpuCores: 3, submittedAtMs: 1 }));
    allocator.submit(
      jobOf("apart", { memberCount: 2, distinctNodes: true, memoryGigabytes: 6, tenant: "b" }),
    );
    allocator.submit(jobOf("three-apart", { memberCount: 3, distinctNodes: true, tenant: "c" }));
    const decisions = allocator.pass(0);
    expect(admittedIds(decisions).toSorted()).toEqual(["apart", "cores"]);
    expect(decisions).toContainEqual(
      expect.objectContaining({
        jobId: "apart",
        placement: [
          { nodeId: "u1", memberCount: 1 },
          { nodeId: "u2", memberCount: 1 },
        ],
      }),
    );
  });

  it("keeps jobs of one anti-affinity group on different nodes, for each tenant alone", () => {
    const allocator = allocatorWith([nodeOf("n1"), nodeOf("n2")]);
    for (const id of ["g1", "g2", "g3"]) allocator.submit(jobOf(id, { antiAffinityGroup: "db" }));
    allocator.submit(jobOf("other", { tenant: "b", antiAffinityGroup: "db" }));
    const decisions = allocator.pass(0);
    expect(admittedIds(decisions).toSorted()).toEqual(["g1", "g2", "other"]);
    const nodeIds = decisions.flatMap((decision) =>
      decision.kind === "admitted" && decision.tenantId === "a"
        ? decision.placement.map(({ nodeId }) => nodeId)
        : [],
    );
    expect(nodeIds.toSorted()).toEqual(["n1", "n2"]);
    allocator.end("g1", 10);
    expect(admittedIds(allocator.pass(10))).toEqual(["g3"]);
  });

  it("admits no more than the credit pays for, and the rest when credit comes", () => {
    const allocator = allocatorWith([nodeOf("n1")], []);
    allocator.setCredit(tenantId("a"), 5n);
    allocator.submit(jobOf("j1", { costMicros: 3n }));
    allocator.submit(jobOf("j2", { costMicros: 3n, submittedAtMs: 1 }));
    allocator.submit(jobOf("j3", { costMicros: 2n, submittedAtMs: 2 }));
    expect(admittedIds(allocator.pass(0))).toEqual(["j1", "j3"]);
    allocator.setCredit(tenantId("a"), 3n);
    expect(admittedIds(allocator.pass(1))).toEqual(["j2"]);
  });

  it("keeps to the quota of devices and of running jobs, and keeps it for the first that waits for it", () => {
    const allocator = allocatorWith([nodeOf("n1"), nodeOf("c1", { deviceKind: "cpu" })]);
    allocator.setTenant(tenantId("a"), {
      ...defaultTenantPolicy,
      deviceCountMax: { gpu: 4 },
      runningJobCountMax: 3,
    });
    allocator.submit(jobOf("j1", { deviceCount: 2 }));
    allocator.submit(jobOf("j2", { deviceCount: 4, submittedAtMs: 1 }));
    allocator.submit(jobOf("j3", { deviceCount: 1, submittedAtMs: 2 }));
    allocator.submit(jobOf("never", { deviceCount: 5, submittedAtMs: -1 }));
    for (const id of ["c1", "c2", "c3"])
      allocator.submit(jobOf(id, { deviceKind: "cpu", submittedAtMs: 3 }));
    expect(admittedIds(allocator.pass(0))).toEqual(["j1", "c1", "c2"]);
    allocator.end("j1", 10);
    expect(admittedIds(allocator.pass(10))).toEqual(["j2"]);
    allocator.end("j2", 20);
    expect(admittedIds(allocator.pass(20))).toEqual(["j3"]);
  });

  it("serves the tenant that has least for its weight", () => {
    const allocator = allocatorWith([nodeOf("n1", { deviceCount: 9 })]);
    allocator.setTenant(tenantId("a"), { ...defaultTenantPolicy, weight: 2 });
    for (let index = 0; index < 9; index += 1) {
      allocator.submit(jobOf(`a${index}`, { tenant: "a", submittedAtMs: index }));
      allocator.submit(jobOf(`b${index}`, { tenant: "b", submittedAtMs: index }));
    }
    const ids = admittedIds(allocator.pass(0));
    expect(ids.filter((id) => id.startsWith("a"))).toHaveLength(6);
    expect(ids.filter((id) => id.startsWith("b"))).toHaveLength(3);
  });

  it("orders a tenant's jobs by priority, which grows by one with each span of ageing", () => {
    const allocator = allocatorWith([nodeOf("n1", { deviceCount: 1 })]);
    allocator.submit(jobOf("old", { priority: 0, submittedAtMs: 0 }));
    allocator.submit(jobOf("urgent", { priority: 2, submittedAtMs: 119_999 }));
    allocator.submit(jobOf("late", { priority: 2, submittedAtMs: 120_001 }));
    const order: string[] = [];
    for (let nowMs = 120_001; order.length < 3; nowMs += 1_000) {
      const [started] = admittedIds(allocator.pass(nowMs));
      order.push(started ?? "none");
      allocator.end(started ?? "none", nowMs + 1_000);
    }
    expect(order).toEqual(["urgent", "old", "late"]);
  });
});

describe("back-fill", () => {
  it("starts what ends before the head is due, and what stands beside it, and nothing else", () => {
    const allocator = allocatorWith([nodeOf("n1", { deviceCount: 4 }), nodeOf("n2")]);
    allocator.submit(jobOf("first", { tenant: "c", deviceCount: 6, durationMs: 1_000 }));
    allocator.pass(0);
    allocator.submit(jobOf("head", { deviceCount: 7, submittedAtMs: 1 }));
    allocator.submit(jobOf("short", { deviceCount: 2, durationMs: 900, submittedAtMs: 2 }));
    allocator.submit(jobOf("beside", { deviceCount: 4, durationMs: 9_000, submittedAtMs: 3 }));
    allocator.submit(jobOf("long", { deviceCount: 2, durationMs: 9_000, submittedAtMs: 4 }));
    const decisions = allocator.pass(10);
    expect(admittedIds(decisions)).toEqual(
      ["short", "beside"].toSorted((x, y) => y.localeCompare(x)),
    );
    expect(decisions).toMatchObject([{ order: "back-fill" }, { order: "back-fill" }]);
    allocator.end("short", 910);
    allocator.end("first", 1_000);
    expect(admittedIds(allocator.pass(1_000))).toEqual(["head"]);
  });

  it("starts nothing past the head when it is off", () => {
    const allocator = allocatorWith([nodeOf("n1")], ["a"], { backFill: false });
    allocator.submit(jobOf("first", { deviceCount: 6 }));
    allocator.pass(0);
    allocator.submit(jobOf("head", { deviceCount: 7, submittedAtMs: 1 }));
    allocator.submit(jobOf("short", { durationMs: 1, submittedAtMs: 2 }));
    expect(allocator.pass(10)).toEqual([]);
  });

  it("keeps the head's credit and quota from jobs of the same tenant", () => {
    const allocator = allocatorWith([nodeOf("n1")], ["b"]);
    allocator.setCredit(tenantId("a"), 10n);
    allocator.setTenant(tenantId("a"), { ...defaultTenantPolicy, deviceCountMax: { gpu: 4 } });
    allocator.submit(jobOf("first", { tenant: "b", deviceCount: 6 }));
    allocator.pass(0);
    allocator.submit(jobOf("head", { deviceCount: 4, costMicros: 8n, submittedAtMs: 1 }));
    allocator.submit(jobOf("dear", { costMicros: 3n, durationMs: 1, submittedAtMs: 2 }));
    allocator.submit(jobOf("long", { costMicros: 1n, durationMs: 9_000, submittedAtMs: 3 }));
    allocator.submit(jobOf("fine", { costMicros: 1n, durationMs: 1, submittedAtMs: 4 }));
    expect(admittedIds(allocator.pass(10))).toEqual(["fine"]);
  });

  it("gives a tenant back in every lane what was kept for a head that lost its place", () => {
    const allocator = allocatorWith([nodeOf("g1"), nodeOf("c1", { deviceKind: "cpu" })], ["a"]);
    allocator.setCredit(tenantId("c"), 2n);
    allocator.submit(
      jobOf("first", { tenant: "c", deviceKind: "cpu", deviceCount: 8, costMicros: 0n }),
    );
    allocator.pass(0);
    allocator.submit(jobOf("head", { tenant: "c", deviceKind: "cpu", costMicros: 1n }));
    allocator.submit(jobOf("dear", { tenant: "c", costMicros: 2n, submittedAtMs: 1 }));
    expect(allocator.pass(1)).toEqual([]);
    allocator.submit(jobOf("urgent", { tenant: "a", deviceKind: "cpu", priority: 1 }));
    // The first is preempted as well: its tenant has more than the job's will have.
    expect(admittedIds(allocator.pass(2))).toContain("dear");
  });
});

describe("preemption", () => {
  it("stops the lowest priorities that suffice, and tells what they have left", () => {
    const allocator = allocatorWith([nodeOf("n1", { deviceCount: 4 })]);
    allocator.submit(jobOf("p1", { deviceCount: 1, priority: 1, durationMs: 100 }));
    allocator.submit(jobOf("p0", { deviceCount: 1, priority: 0, durationMs: 100 }));
    allocator.submit(jobOf("p2", { deviceCount: 2, priority: 2, durationMs: 100 }));
    allocator.pass(0);
    allocator.submit(jobOf("urgent", { deviceCount: 2, priority: 3, submittedAtMs: 40 }));
    expect(allocator.pass(40)).toMatchObject([
      { kind: "preempted", jobId: "p0", byJobId: "urgent", unusedMs: 60 },
      { kind: "preempted", jobId: "p1", byJobId: "urgent", unusedMs: 60 },
      { kind: "admitted", jobId: "urgent" },
    ]);
  });

  it("takes nothing from a tenant that has no more than the job's tenant will have", () => {
    const allocator = allocatorWith([nodeOf("n1", { deviceCount: 4 })]);
    for (const tenant of ["a", "b"]) {
      allocator.submit(jobOf(`${tenant}1`, { tenant }));
      allocator.submit(jobOf(`${tenant}2`, { tenant }));
    }
    allocator.pass(0);
    allocator.submit(jobOf("urgent", { tenant: "c", deviceCount: 2, priority: 9 }));
    expect(allocator.pass(10)).toEqual([]);
    allocator.submit(jobOf("modest", { tenant: "c", deviceCount: 1, priority: 9 }));
    allocator.end("urgent", 11);
    expect(allocator.pass(11)).toMatchObject([
      { kind: "preempted", jobId: "a1" },
      { kind: "admitted", jobId: "modest" },
    ]);
  });
});

describe("capacity", () => {
  it("loses the jobs of a node that is gone and uses one that comes", () => {
    const allocator = allocatorWith([nodeOf("n1")]);
    allocator.submit(jobOf("j1", { deviceCount: 8, durationMs: 100 }));
    allocator.submit(jobOf("j2", { deviceCount: 8, submittedAtMs: 1 }));
    allocator.pass(0);
    expect(allocator.setNodes([nodeOf("n2")], 30)).toEqual([
      { kind: "lost", jobId: "j1", tenantId: "a", nodeId: "n1", unusedMs: 70 },
    ]);
    expect(admittedIds(allocator.pass(30))).toEqual(["j2"]);
    expect(allocator.setNodes([nodeOf("n2"), nodeOf("n3")], 31)).toEqual([]);
    expect(allocator.counts()).toEqual({
      waitingCount: 0,
      runningCount: 1,
      deviceCount: 16,
      freeDeviceCount: 8,
    });
  });
});
