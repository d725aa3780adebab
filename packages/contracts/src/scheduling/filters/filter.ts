/** What a filter is: one question of the scheduler about one pod and one node. */

import type { ClaimState } from "../claims.ts";
import type { Device } from "../device-pools.ts";
import type { DeviceState } from "../devices.ts";
import type { Neighbours } from "../neighbours.ts";
import type { Node } from "../node.ts";
import type { Obstacle } from "../obstacle.ts";
import type { Pod } from "../pod.ts";
import type { Attachments } from "../attachments.ts";

/** A pod before a node, and what surrounds them. */
export interface Situation {
  readonly pod: Pod;
  readonly node: Node;
  /** The node as the cluster has it; absent for one that is not there yet or not known. */
  readonly original: Node | undefined;
  /** The state of the pod's claims, in the order of `pod.claims`. */
  readonly claims: readonly ClaimState[];
  /** The state of the pod's device claims, in the order of `pod.deviceClaims`, and of what device classes stand in for. */
  readonly devices: readonly DeviceState[];
  readonly neighbours: Neighbours;
  readonly attachments: Attachments;
  /** The devices of the cluster; absent when the evidence does not tell. */
  readonly pools: readonly Device[] | undefined;
  /** Pods of other nodes that are taken to be gone. */
  readonly stopped: readonly Pod[];
}

export interface Filter {
  /** The name of the scheduler's plugin. */
  readonly plugin: string;
  /** Everything that this filter holds against the node, in a stable order. */
  judge(situation: Situation): readonly Obstacle[];
  /** What the evidence does not tell this filter; empty when its judgement is complete. */
  unknown(situation: Situation): readonly string[];
}

/** Shared by all filters: most nodes pass most filters, and a list for each would be most of the work. */
export const nothing: readonly never[] = Object.freeze<never[]>([]);
