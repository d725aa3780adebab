/** Changes that remove an obstacle, and what each costs: the published table of the contract. */

import type { Situation } from "../filters/filter.ts";

/** One edit of one object. */
export interface Change {
  /** Equal keys are the same edit. */
  readonly key: string;
  /** What is edited. A set of changes edits each place once. */
  readonly place: string;
  readonly cost: number;
  /** What to do, as an instruction without a full stop. */
  readonly description: string;
  /** Edits of the pod help on every node, the others on one node alone. */
  readonly touches: "pod" | "node" | "storage";
  /** The pod then runs on a node that is not there yet. */
  readonly makesNode?: true;
  apply(situation: Situation): Situation;
}

/**
 * The smaller, the less the change reaches: first a slip in what the pod asks for, then what the pod asks for, then
 * other objects, last what somebody set up as a fence. Dropping a wish that some node fulfils counts as trespass.
 */
export const costs = {
  /** A wish of the pod that no node fulfils: take the value that a node has, or drop the wish. */
  correctValue: 2,
  dropWish: 3,
  dropAffinity: 4,
  /** The same for a wish that some node fulfils. */
  redirectValue: 10,
  dropFulfilledWish: 11,
  dropFulfilledAffinity: 12,
  /** A label on a node: one that no node carries, one that others carry, one that the cluster itself writes. */
  addLabel: 4,
  addFulfilledLabel: 10,
  addReservedLabel: 12,
  removeLabel: 10,
  /** The value or effect of a toleration whose key is the taint's; a new toleration; the taint. */
  correctToleration: 2,
  addToleration: 8,
  removeTaint: 9,
  /** The same for taints that keep the control plane to itself. */
  addControlPlaneToleration: 12,
  removeControlPlaneTaint: 13,
  /** A taint that says the node is unwell: make it well, or tolerate that. */
  repairNode: 7,
  tolerateCondition: 14,
  uncordon: 6,
  tolerateCordon: 14,
  /** One edit of the pod's requests; cutting more costs more, 1 for each further quarter of the largest cut. */
  lowerRequests: 2,
  lowerRequestsPerQuarter: 1,
  freeCapacity: 10,
  addCapacity: 12,
  freePodSlot: 7,
  changeHostPort: 3,
  dropHostPort: 4,
  freeHostPort: 9,
  changeNodeName: 2,
  dropNodeName: 3,
  /** Constraints between pods. */
  correctSpread: 3,
  nameNamespace: 3,
  raiseMaxSkew: 4,
  relaxSpread: 5,
  relaxAntiAffinity: 6,
  stopPod: 9,
  stopPods: 14,
  /** Storage. */
  nearVolume: 3,
  otherClaim: 3,
  provisioningClass: 4,
  createClaim: 5,
  createVolume: 5,
  createClass: 6,
  keepClaim: 8,
  freeClaim: 9,
  moveVolume: 14,
} as const;
