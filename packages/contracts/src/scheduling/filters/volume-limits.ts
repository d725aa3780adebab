/** Refuses nodes that take no more volumes of a driver. */

import type { Obstacle } from "../obstacle.ts";
import { type Filter, nothing } from "./filter.ts";

export const volumeLimits: Filter = {
  plugin: "NodeVolumeLimits",
  judge({ pod, node, original, attachments }) {
    if (node.volumeCountMax.size === 0) return nothing;
    const wanted = attachments.of(pod);
    if (wanted.size === 0) return nothing;
    const attached = new Map([
      ...(original === undefined ? [] : attachments.attachedTo(node.name)),
      ...node.pods.flatMap((other) => [...attachments.of(other)]),
    ]);
    const counts = new Map<string, { used: number; wanted: number }>();
    const count = (driver: string): { used: number; wanted: number } => {
      const known = counts.get(driver) ?? { used: 0, wanted: 0 };
      counts.set(driver, known);
      return known;
    };
    for (const driver of attached.values()) count(driver).used += 1;
    for (const [volume, driver] of wanted) {
      // A volume that several pods of the node share is attached once.
      if (!attached.has(volume)) count(driver).wanted += 1;
    }
    return [...counts].flatMap(([driver, sum]): Obstacle[] => {
      const max = node.volumeCountMax.get(driver);
      if (max === undefined || sum.wanted === 0 || sum.used + sum.wanted <= max) return [];
      return [{ kind: "volume-count", driver, used: sum.used, wanted: sum.wanted, max }];
    });
  },
  unknown: () => nothing,
};
