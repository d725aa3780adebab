/** What a filter is: one question of the scheduler about one pod and one node. */

import type { ClaimState } from "../claims.ts";
import type { Node } from "../node.ts";
import type { Obstacle } from "../obstacle.ts";
import type { Pod } from "../pod.ts";

/** A pod before a node, with the state of the pod's claims in the order of `pod.claims`. */
export interface Situation {
  readonly pod: Pod;
  readonly node: Node;
  readonly claims: readonly ClaimState[];
}

export interface Filter {
  /** The name of the scheduler's plugin. */
  readonly plugin: string;
  /** Everything that this filter holds against the node, in a stable order. */
  judge(situation: Situation): Obstacle[];
  /** What the evidence does not tell this filter; empty when its judgement is complete. */
  unknown(situation: Situation): string[];
}
