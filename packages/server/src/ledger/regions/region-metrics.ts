/** Metrics of regions that share accounts. */

import { Gauge, type Registry } from "prom-client";

import type { RegionUse } from "./regions.ts";

const msPerSecond = 1_000;

/** Registers metrics that look at the regions whenever they are collected. */
export function registerRegionMetrics(registry: Registry, regions: { use(): RegionUse }): void {
  const registers = [registry];
  const homes = new Gauge({
    name: "faultline_region_home_silent_seconds",
    help: "Since the home of accounts was heard last, by its name; of several accounts the longest.",
    labelNames: ["home"],
    registers,
    collect() {
      homes.reset();
      const longest = new Map<string, number>();
      for (const { home, silentMs } of regions.use().homes)
        longest.set(home, Math.max(longest.get(home) ?? 0, silentMs));
      for (const [home, ms] of longest) homes.set({ home }, ms / msPerSecond);
    },
  });
  const escrows = new Gauge({
    name: "faultline_region_escrow_silent_seconds",
    help: "Since a region that accounts of this home may be lent to was heard last: its escrow stays held.",
    labelNames: ["region"],
    registers,
    collect() {
      escrows.reset();
      for (const { region, silentMs } of regions.use().regions)
        escrows.set({ region }, silentMs / msPerSecond);
    },
  });
  const documents = new Gauge({
    name: "faultline_region_documents",
    help: "Grants, budgets and credit lines: `conflict` was edited in two regions at once and waits for a person, `untold` is not known to the home yet.",
    labelNames: ["state"],
    registers,
    collect() {
      const { conflictCount, untoldCount } = regions.use();
      documents.set({ state: "conflict" }, conflictCount);
      documents.set({ state: "untold" }, untoldCount);
    },
  });
}
