/** Obstacles: what one filter holds against one node, with the scheduler's words for it. */

import { describeTaint, type Taint } from "./node.ts";
import type { HostPort } from "./pod.ts";
import { formatAmount } from "../kubernetes/quantity.ts";
import { describeExpression, type Expression } from "../kubernetes/selector.ts";

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
  | ClaimObstacle;

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
    default:
      return claimReason(obstacle);
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
    case "claim-unbound":
      return "pod has unbound immediate PersistentVolumeClaims";
    case "claim-in-use":
      return "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode";
    case "volume-gone":
      return "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";
    case "volume-elsewhere":
      return "node(s) had volume node affinity conflict";
    case "volume-zone":
      return "node(s) had no available volume zone";
    case "volume-unavailable":
      return "node(s) didn't find available persistent volumes to bind";
  }
}

/** What stands in the way, with the values on both sides. */
export function describeObstacle(obstacle: Obstacle): string {
  switch (obstacle.kind) {
    case "unschedulable":
      return "the node is cordoned (spec.unschedulable)";
    case "node-name":
      return `the pod asks for the node ${obstacle.wanted} by name`;
    case "taint":
      return `the taint ${describeTaint(obstacle.taint)} is not tolerated`;
    case "selector":
      return `nodeSelector wants ${obstacle.key}=${obstacle.wanted}, the node has ${labelText(obstacle.key, obstacle.actual)}`;
    case "affinity":
      return describeAffinity(obstacle.failing);
    case "port":
      return `host port ${obstacle.port.port}/${obstacle.port.protocol} is held by ${obstacle.holder}`;
    case "resource":
      return describeShortage(obstacle);
    case "pod-count":
      return `the node runs ${obstacle.used} of at most ${obstacle.max} pods`;
    default:
      return describeClaim(obstacle);
  }
}

function describeAffinity(failing: readonly FailingExpression[]): string {
  if (failing.length === 0) return "required node affinity has no term that can match";
  const texts = failing.map(
    ({ expression, actual }) =>
      `${describeExpression(expression)}, the node has ${labelText(expression.key, actual)}`,
  );
  return `required node affinity wants ${texts.join("; or ")}`;
}

function labelText(key: string, actual: string | undefined): string {
  return actual === undefined ? `no ${key}` : `${key}=${actual}`;
}

function describeShortage(obstacle: Extract<Obstacle, { kind: "resource" }>): string {
  const { resource, requested, used, allocatable } = obstacle;
  const free = allocatable > used ? allocatable - used : 0n;
  const format = (amount: bigint): string => formatAmount(resource, amount);
  return `${resource} requested ${format(requested)}, free ${format(free)} of ${format(allocatable)}`;
}

function describeClaim(obstacle: ClaimObstacle): string {
  switch (obstacle.kind) {
    case "claim-missing":
      return `the claim ${obstacle.name} does not exist`;
    case "claim-lost":
    case "volume-gone":
      return `the claim ${obstacle.name} is bound to the volume ${obstacle.volume}, which does not exist`;
    case "claim-deleting":
      return `the claim ${obstacle.name} is being deleted`;
    case "claim-unbound":
    case "volume-unavailable":
      return `the claim ${obstacle.name} is not bound: ${obstacle.why}`;
    case "claim-in-use":
      return `the claim ${obstacle.name} (ReadWriteOncePod) is used by ${obstacle.holder}`;
    case "volume-elsewhere":
      return `the volume ${obstacle.volume} of claim ${obstacle.name} cannot be reached from this node`;
    case "volume-zone":
      return `the volume ${obstacle.volume} of claim ${obstacle.name} lies in another zone (${obstacle.label})`;
  }
}

/** Whether the scheduler rejects the pod before it looks at any node. */
export function isBeforeNodes(obstacle: Obstacle): boolean {
  switch (obstacle.kind) {
    case "claim-missing":
    case "claim-lost":
    case "claim-deleting":
    case "claim-unbound":
      return true;
    default:
      return false;
  }
}
