import { describe, expect, it } from "vitest";

import { staticCapacity } from "./capacity.ts";
import { configureAllocator } from "./configure-allocator.ts";
import { admittedIds, jobOf, nodeOf, tenantId } from "./test/cluster.ts";

describe("an allocator from the configuration", () => {
  it("keeps to the quotas and weights that are named, on the nodes that are named", async () => {
    const config = {
      ageingMs: 60_000,
      backFill: true,
      headDelayMsMax: 0,
      startMsMax: 1,
      intervalMs: 1,
      silenceMsMax: 1,
      nodes: [nodeOf("n1", { deviceCount: 9 })],
      quotas: [{ tenantId: tenantId("c"), deviceKind: "gpu", deviceCountMax: 0 }],
      prices: [],
    };
    const allocator = configureAllocator(config, { a: 2 });
    const { signal } = new AbortController();
    allocator.setNodes(await staticCapacity(config.nodes).listNodes(signal), 0);
    for (const tenant of ["a", "b", "c"]) {
      allocator.setCredit(tenantId(tenant), 100n);
      for (let at = 0; at < 9; at += 1) allocator.submit(jobOf(`${tenant}${at}`, { tenant }));
    }
    const ids = admittedIds(allocator.pass(0));
    const countOf = (tenant: string) => ids.filter((id) => id.startsWith(tenant)).length;
    expect([countOf("a"), countOf("b"), countOf("c")]).toEqual([6, 3, 0]);
  });
});
