/** Obstacles: what one filter holds against one node, with the scheduler's words for it. */

import type { Expression } from "../kubernetes/selector.ts";
import type { Taint } from "./node.ts";
import type { HostPort, Pod } from "./pod.ts";
import type { PodTerm, SpreadConstraint } from "./pod-terms.ts";

/** An expression of a node affinity that a node does not match, by its place in the pod. */
export interface FailingExpression {
  readonly term: number;
  readonly index: number;
  readonly expression: Expression;
  readonly actual: string | undefined;
}

export type Obstacle =
  | { readonly kind: "unschedulable" }
  | { readonly kind: "node-name"; readonly wanted: string }
  | { readonly kind: "taint"; readonly taint: Taint }
  | {
      readonly kind: "selector";
      readonly key: string;
      readonly wanted: string;
      readonly actual: string | undefined;
    }
  | { readonly kind: "affinity"; readonly failing: readonly FailingExpression[] }
  | { readonly kind: "port"; readonly port: HostPort; readonly holder: string }
  | {
      readonly kind: "resource";
      readonly resource: string;
      readonly requested: bigint;
      readonly used: bigint;
      readonly allocatable: bigint;
    }
  | { readonly kind: "pod-count"; readonly used: bigint; readonly max: bigint }
  | { readonly kind: "disk"; readonly holder: string; readonly disk: string }
  | {
      readonly kind: "volume-count";
      readonly driver: string;
      readonly used: number;
      readonly wanted: number;
      readonly max: number;
    }
  | ClaimObstacle
  | PodObstacle
  | DeviceObstacle;

/** Obstacles between pods. `constraint` is its place among the pod's topology spread constraints. */
export type PodObstacle =
  | { readonly kind: "spread-label"; readonly constraint: number; readonly key: string }
  | { readonly kind: "spread-skew"; readonly constraint: number; readonly skew: Skew }
  | {
      readonly kind: "pod-affinity";
      readonly term: PodTerm;
      /** The node's domain; absent when the node lacks the topology label. */
      readonly domain: string | undefined;
    }
  | {
      readonly kind: "pod-anti-affinity" | "pod-guard";
      readonly term: PodTerm;
      readonly domain: string;
      readonly holders: readonly Pod[];
    };

/** How the pods that one spread constraint counts lie, seen from a node. */
export interface Skew {
  readonly constraint: SpreadConstraint;
  readonly domain: string;
  /** Pods that are counted in the node's domain, without the pod itself. */
  readonly count: number;
  /** 1 when the constraint counts the pod itself. */
  readonly self: number;
  /** The count of the emptiest domain. */
  readonly least: number;
  readonly domainCount: number;
}

/** Obstacles of device claims. `device` is the place of the claim among those of the pod. */
export type DeviceObstacle =
  | {
      readonly kind: "device-refused";
      readonly device: number;
      readonly name: string;
      readonly reason: string;
      readonly why: string;
    }
  | { readonly kind: "device-elsewhere"; readonly device: number; readonly name: string }
  | {
      readonly kind: "devices-lacking";
      /** Absent when devices of any driver would do. */
      readonly driver: string | undefined;
      readonly wanted: number;
      readonly available: number;
    };

/** Obstacles of volumes. `claim` is the place of the claim among those of the pod. */
export type ClaimObstacle =
  | {
      readonly kind: "claim-missing";
      readonly claim: number;
      readonly name: string;
      readonly isEphemeral: boolean;
    }
  | {
      readonly kind: "claim-lost";
      readonly claim: number;
      readonly name: string;
      readonly volume: string;
    }
  | { readonly kind: "claim-deleting"; readonly claim: number; readonly name: string }
  | {
      readonly kind: "claim-foreign";
      readonly claim: number;
      readonly name: string;
      readonly reason: string;
    }
  | {
      readonly kind: "volume-space";
      readonly claim: number;
      readonly name: string;
      readonly className: string;
    }
  | {
      readonly kind: "claim-unbound";
      readonly claim: number;
      readonly name: string;
      readonly why: string;
    }
  | {
      readonly kind: "claim-in-use";
      readonly claim: number;
      readonly name: string;
      readonly holder: string;
    }
  | {
      readonly kind: "volume-gone";
      readonly claim: number;
      readonly name: string;
      readonly volume: string;
    }
  | {
      readonly kind: "volume-elsewhere";
      readonly claim: number;
      readonly name: string;
      readonly volume: string;
    }
  | {
      readonly kind: "volume-zone";
      readonly claim: number;
      readonly name: string;
      readonly volume: string;
      readonly label: string;
    }
  | {
      readonly kind: "volume-unavailable";
      readonly claim: number;
      readonly name: string;
      readonly why: string;
    };

/** The reason that the scheduler's event gives. */
export function reasonOf(obstacle: Obstacle): string {
  switch (obstacle.kind) {
    case "unschedulable":
      return "node(s) were unschedulable";
    case "node-name":
      return "node(s) didn't match the requested node name";
    case "taint":
      return `node(s) had untolerated taint {${obstacle.taint.key}: ${obstacle.taint.value}}`;
    case "selector":
    case "affinity":
      return "node(s) didn't match Pod's node affinity/selector";
    case "port":
      return "node(s) didn't have free ports for the requested pod ports";
    case "resource":
      return `Insufficient ${obstacle.resource}`;
    case "pod-count":
      return "Too many pods";
    case "disk":
      return "node(s) had no available disk";
    case "volume-count":
      return "node(s) exceed max volume count";
    case "spread-label":
    case "spread-skew":
    case "pod-affinity":
    case "pod-anti-affinity":
    case "pod-guard":
      return podReason(obstacle);
    case "device-refused":
    case "device-elsewhere":
    case "devices-lacking":
      return deviceReason(obstacle);
    default:
      return claimReason(obstacle);
  }
}

function podReason({ kind }: PodObstacle): string {
  switch (kind) {
    case "spread-label":
      return "node(s) didn't match pod topology spread constraints (missing required label)";
    case "spread-skew":
      return "node(s) didn't match pod topology spread constraints";
    case "pod-affinity":
      return "node(s) didn't match pod affinity rules";
    case "pod-anti-affinity":
      return "node(s) didn't match pod anti-affinity rules";
    case "pod-guard":
      return "node(s) didn't satisfy existing pods anti-affinity rules";
  }
}

function deviceReason(obstacle: DeviceObstacle): string {
  switch (obstacle.kind) {
    case "device-refused":
      return obstacle.reason;
    case "device-elsewhere":
      return "resourceclaim not available on the node";
    case "devices-lacking":
      return "cannot allocate all claims";
  }
}

function claimReason(obstacle: ClaimObstacle): string {
  switch (obstacle.kind) {
    case "claim-missing":
      return obstacle.isEphemeral
        ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${obstacle.name}"`
        : `persistentvolumeclaim "${obstacle.name}" not found`;
    case "claim-lost":
      return `persistentvolumeclaim "${obstacle.name}" bound to non-existent persistentvolume "${obstacle.volume}"`;
    case "claim-deleting":
      return `persistentvolumeclaim "${obstacle.name}" is being deleted`;
    case "claim-foreign":
      return obstacle.reason;
    case "volume-space":
      return "node(s) did not have enough free storage";
    case "claim-unbound":
      return "pod has unbound immediate PersistentVolumeClaims";
    case "claim-in-use":
      return "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode";
    case "volume-gone":
      return `persistentvolume "${obstacle.volume}" not found`;
    case "volume-elsewhere":
      return "node(s) had volume node affinity conflict";
    case "volume-zone":
      return "node(s) had no available volume zone";
    case "volume-unavailable":
      return "node(s) didn't find available persistent volumes to bind";
  }
}

/** What the scheduler looks at before any node, in its order: who is missing comes before who cannot be used. */
const beforeNodes: readonly (readonly Obstacle["kind"][])[] = [
  ["claim-missing"],
  ["claim-lost", "claim-deleting", "claim-foreign"],
  ["claim-unbound"],
  ["volume-gone"],
  ["device-refused"],
];

/** Whether the scheduler rejects the pod before it looks at any node. */
export function isBeforeNodes({ kind }: Obstacle): boolean {
  return beforeNodes.some((kinds) => kinds.includes(kind));
}

/** What the scheduler rejects the pod for before it looks at any node. */
export function firstBeforeNodes(obstacles: readonly Obstacle[]): Obstacle | undefined {
  for (const kinds of beforeNodes) {
    const found = obstacles.find(({ kind }) => kinds.includes(kind));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether the node could take the pod once pods on it are gone: only then does the scheduler try preemption. */
export function isResolvable(obstacle: Obstacle): boolean {
  switch (obstacle.kind) {
    case "port":
    case "pod-count":
    case "disk":
    case "volume-count":
    case "claim-in-use":
    case "spread-skew":
    case "pod-anti-affinity":
    case "pod-guard":
      return true;
    case "resource":
      // What the whole node does not have no eviction can free.
      return obstacle.requested <= obstacle.allocatable;
    default:
      return false;
  }
}

/** Whether an obstacle lies in what runs elsewhere, so that a change to another fact may remove it. */
export function dependsOnSurroundings({ kind }: Obstacle): boolean {
  return [
    "volume-elsewhere",
    "volume-unavailable",
    "volume-space",
    "volume-zone",
    "device-elsewhere",
    "devices-lacking",
    "spread-label",
    "spread-skew",
    "pod-affinity",
    "pod-anti-affinity",
    "pod-guard",
  ].includes(kind);
}
