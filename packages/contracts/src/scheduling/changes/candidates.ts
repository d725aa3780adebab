/** Every change that can remove an obstacle. */

import type { Situation } from "../filters/filter.ts";
import { nodeResources } from "../filters/node-resources.ts";
import type { Obstacle } from "../obstacle.ts";
import type { Pod } from "../pod.ts";
import type { Change } from "./change.ts";
import { claimChanges } from "./claim-changes.ts";
import { deviceChanges, volumeCountChanges } from "./device-changes.ts";
import { podChanges, stopPods } from "./pod-changes.ts";
import {
  addCapacity,
  podCountChanges,
  portChanges,
  roomierNodeChanges,
  shortageChanges,
} from "./resource-changes.ts";
import { affinityChanges, nodeNameChanges, selectorChanges } from "./selector-changes.ts";
import type { Background } from "./surroundings.ts";
import { cordonChanges, taintChanges } from "./taint-changes.ts";

/**
 * The candidate changes against an obstacle in a situation. The list is complete: a set of candidates that makes the
 * pod fit holds at least one of them, which is what makes the search exact.
 */
export function changesAgainst(
  obstacle: Obstacle,
  situation: Situation,
  background: Background,
): Change[] {
  switch (obstacle.kind) {
    case "unschedulable":
      return [...cordonChanges(situation), ...roomierNodeChanges(situation)];
    case "node-name":
      return nodeNameChanges(obstacle.wanted, situation);
    case "taint":
      return [...taintChanges(obstacle.taint, situation), ...roomierNodeChanges(situation)];
    case "selector":
      return selectorChanges(obstacle, situation, background);
    case "affinity":
      return affinityChanges(obstacle, situation, background);
    case "port":
      return portChanges(obstacle.port, obstacle.holder, situation);
    case "resource": {
      const shortages = nodeResources.judge(situation).filter((other) => other.kind === "resource");
      return shortageChanges(shortages, situation);
    }
    case "pod-count":
      return podCountChanges(situation);
    case "disk":
      return [stopPods(holdersOf(obstacle.holder, situation), situation), addCapacity(situation)];
    case "volume-count":
      return volumeCountChanges(obstacle, situation);
    case "spread-label":
    case "spread-skew":
    case "pod-affinity":
    case "pod-anti-affinity":
    case "pod-guard":
      return podChanges(obstacle, situation, background);
    case "device-refused":
    case "device-elsewhere":
    case "devices-lacking":
      return deviceChanges(obstacle, situation);
    default:
      return claimChanges(obstacle, situation);
  }
}

function holdersOf(holder: string, { node }: Situation): Pod[] {
  return node.pods.filter(({ namespace, name }) => `${namespace}/${name}` === holder);
}
