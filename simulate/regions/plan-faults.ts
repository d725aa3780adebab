/** The faults of one simulation of regions. */

import type { Chance } from "../chance.ts";
import type { RegionProcess } from "./region-process.ts";
import type { RegionWorld } from "./region-world.ts";

const longPartitionMs = 1_300_000;

/** Plans all faults; gives the time from which on there are none. */
export function planFaults(
  world: RegionWorld,
  parts: {
    chance: Chance;
    home: RegionProcess;
    remotes: readonly RegionProcess[];
    durationMs: number;
  },
): number {
  const { home, remotes, durationMs } = parts;
  const chance = parts.chance.fork("faults");
  let overMs = durationMs + 5_000;
  const times = (low: number, high: number, run: (region: RegionProcess) => void): void => {
    for (let count = chance.between(low, high); count > 0; count -= 1) {
      const region = remotes[chance.between(0, remotes.length - 1)] ?? home;
      world.queue.after(chance.between(500, durationMs), () => run(region));
    }
  };
  times(2, 4, (region) => {
    const partMs = chance.between(1_000, 25_000);
    world.table.note("partition", region.states());
    world.cut(region.name, home.name, partMs);
    world.cut(home.name, region.name, partMs);
  });
  times(1, 2, (region) => {
    const [from, to] = chance.happens(0.5) ? [region, home] : [home, region];
    world.table.note("one-way cut", region.states());
    world.cut(from.name, to.name, chance.between(1_000, 15_000));
  });
  if (chance.happens(0.1)) {
    overMs += longPartitionMs;
    const region = remotes[chance.between(0, remotes.length - 1)] ?? home;
    world.queue.after(durationMs / 2, () => {
      world.table.note("long partition", region.states());
      world.cut(region.name, home.name, longPartitionMs);
      world.cut(home.name, region.name, longPartitionMs);
    });
  }
  times(2, 5, (region) => region.die());
  times(1, 3, () => home.die());
  times(1, 2, (region) => {
    const victim = chance.happens(0.5) ? region : home;
    world.table.note("database away", victim.states());
    victim.database.isAway = true;
    world.queue.after(chance.between(200, 6_000), () => (victim.database.isAway = false));
  });
  times(1, 2, (region) => {
    const victim = chance.happens(0.5) ? region : home;
    world.table.note("clock off", victim.states());
    victim.clockOffMs = chance.between(-20_000, 20_000);
  });
  times(1, 3, (region) => {
    const victim = chance.happens(0.7) ? region : home;
    world.table.note("commit uncertain", victim.states());
    victim.database.loseNextAnswer();
  });
  planRecalls(world, parts);
  return overMs;
}

/** A person at the home wants back what a region was lent. */
function planRecalls(
  world: RegionWorld,
  {
    chance: whole,
    home,
    remotes,
    durationMs,
  }: {
    readonly chance: Chance;
    readonly home: RegionProcess;
    readonly remotes: readonly RegionProcess[];
    readonly durationMs: number;
  },
): void {
  const chance = whole.fork("recalls");
  for (let count = chance.between(0, 2); count > 0; count -= 1) {
    const region = remotes[chance.between(0, remotes.length - 1)] ?? home;
    world.queue.after(chance.between(500, durationMs), () => {
      world.table.note("escrow recalled", region.states());
      home.recall(region, chance.between(1_000, 9_000));
    });
  }
}
