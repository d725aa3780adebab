import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { defaultTenantPolicy } from "../tenant-state.ts";
import { admittedIds, allocatorWith, jobOf, nodeOf, tenantId } from "./cluster.ts";

/*
 * Jobs are not divisible, so the properties of dominant-resource fairness hold up to jobs. Each is stated here for one pool
 * without fragmentation (one node), on which every tenant has more jobs of one form waiting than fit, with back-fill off.
 * `size` of a tenant is the dominant share of one of its jobs, W the sum of all weights.
 */

interface Tenant {
  readonly weight: number;
  readonly deviceCount: number;
  readonly cpuCores: number;
  readonly memoryGigabytes: number;
}

const pool = { deviceCount: 400, cpuCores: 400, memoryGigabytes: 400 };
const jobCount = 120;

const tenants = fc.array(
  fc.record<Tenant>({
    weight: fc.integer({ min: 1, max: 4 }),
    deviceCount: fc.integer({ min: 4, max: 40 }),
    cpuCores: fc.integer({ min: 0, max: 40 }),
    memoryGigabytes: fc.integer({ min: 0, max: 40 }),
  }),
  { minLength: 2, maxLength: 5 },
);

/** How many jobs each tenant runs after one pass. */
function startedCounts(asked: readonly Tenant[]): number[] {
  const names = asked.map((_tenant, index) => `t${index}`);
  const allocator = allocatorWith([nodeOf("n", pool)], names, { backFill: false });
  asked.forEach(({ weight, ...demand }, index) => {
    const tenant = `t${index}`;
    allocator.setTenant(tenantId(tenant), { ...defaultTenantPolicy, weight });
    for (let at = 0; at < jobCount; at += 1)
      allocator.submit(jobOf(`${tenant}-${at}`, { ...demand, tenant, submittedAtMs: at }));
  });
  const ids = admittedIds(allocator.pass(jobCount));
  return names.map((name) => ids.filter((id) => id.startsWith(`${name}-`)).length);
}

function sizeOf({ deviceCount, cpuCores, memoryGigabytes }: Tenant): number {
  return Math.max(deviceCount, cpuCores, memoryGigabytes) / pool.deviceCount;
}

describe("weighted dominant-resource fairness", () => {
  it("gives every tenant its part of the pool, less one job of each tenant (sharing incentive)", () => {
    fc.assert(
      fc.property(tenants, (asked) => {
        const counts = startedCounts(asked);
        const weightSum = asked.reduce((sum, { weight }) => sum + weight, 0);
        const sizeSum = asked.reduce((sum, tenant) => sum + sizeOf(tenant), 0);
        asked.forEach((tenant, index) => {
          const share = (counts[index] ?? 0) * sizeOf(tenant);
          expect(share / tenant.weight).toBeGreaterThan((1 - sizeSum) / weightSum - 1e-9);
        });
      }),
      { numRuns: 300 },
    );
  });

  it("lets no tenant run more jobs on another's part less one job, scaled by the weights (envy-freeness)", () => {
    fc.assert(
      fc.property(tenants, (asked) => {
        const counts = startedCounts(asked);
        asked.forEach((envious, index) => {
          asked.forEach((envied, other) => {
            const jobs = Math.max(0, (counts[other] ?? 0) - 1);
            const scale = (jobs * envious.weight) / envied.weight;
            const fitting = Math.min(
              (envied.deviceCount * scale) / envious.deviceCount,
              partOf(envied.cpuCores * scale, envious.cpuCores),
              partOf(envied.memoryGigabytes * scale, envious.memoryGigabytes),
            );
            expect(fitting).toBeLessThanOrEqual((counts[index] ?? 0) + 1e-9);
          });
        });
      }),
      { numRuns: 300 },
    );
  });

  it("lets who asks for more than it needs gain less than one of its jobs and one of another (strategy-proofness)", () => {
    const lie = fc.record({
      deviceCount: fc.integer({ min: 0, max: 40 }),
      cpuCores: fc.integer({ min: 0, max: 40 }),
      memoryGigabytes: fc.integer({ min: 0, max: 40 }),
    });
    fc.assert(
      fc.property(tenants, lie, (asked, more) => {
        const [liar, ...others] = asked;
        if (liar === undefined) return;
        const inflated: Tenant = {
          weight: liar.weight,
          deviceCount: liar.deviceCount + more.deviceCount,
          cpuCores: liar.cpuCores + more.cpuCores,
          memoryGigabytes: liar.memoryGigabytes + more.memoryGigabytes,
        };
        const [honestCount = 0] = startedCounts(asked);
        const [count = 0] = startedCounts([inflated, ...others]);
        const gain = (count - honestCount) * sizeOf(liar);
        const scaled = others.map((other) => (liar.weight / other.weight) * sizeOf(other));
        expect(gain).toBeLessThanOrEqual(sizeOf(inflated) + Math.max(...scaled) + 1e-9);
      }),
      { numRuns: 300 },
    );
  });
});

function partOf(amount: number, divisor: number): number {
  return divisor === 0 ? Number.POSITIVE_INFINITY : amount / divisor;
}
