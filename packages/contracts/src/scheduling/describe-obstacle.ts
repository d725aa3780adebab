/** Says in words what stands in the way of a pod on a node, with the values on both sides. */

import { formatAmount } from "../kubernetes/quantity.ts";
import { describeExpression } from "../kubernetes/selector.ts";
import { describeTaint } from "./node.ts";
import type { ClaimObstacle, FailingExpression, Obstacle, PodObstacle, Skew } from "./obstacle.ts";
import type { Pod } from "./pod.ts";
import { describeSelector } from "./pod-terms.ts";

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
    case "disk":
      return `the disk ${obstacle.disk} is used by ${obstacle.holder} on this node`;
    case "volume-count":
      return `${obstacle.driver} has ${obstacle.used} of at most ${obstacle.max} volumes attached here, and the pod needs ${obstacle.wanted} more`;
    case "spread-label":
    case "spread-skew":
    case "pod-affinity":
    case "pod-anti-affinity":
    case "pod-guard":
      return describePodObstacle(obstacle);
    case "device-refused":
      return obstacle.why;
    case "device-elsewhere":
      return `the devices of claim ${obstacle.name} are allocated on another node`;
    case "devices-lacking":
      return `the pod wants ${obstacle.wanted} devices${obstacle.driver === undefined ? "" : ` of ${obstacle.driver}`}, free here are ${obstacle.available}`;
    default:
      return describeClaim(obstacle);
  }
}

function describePodObstacle(obstacle: PodObstacle): string {
  switch (obstacle.kind) {
    case "spread-label":
      return `the node lacks the topology label ${obstacle.key} that the pod is spread over`;
    case "spread-skew":
      return describeSkew(obstacle.skew);
    case "pod-affinity": {
      const { selector, topologyKey } = obstacle.term;
      if (obstacle.domain === undefined)
        return `the node lacks the topology label ${topologyKey} of the pod's affinity`;
      return `the pod wants to be near pods ${describeSelector(selector)}, of which none runs in ${topologyKey}=${obstacle.domain}`;
    }
    case "pod-anti-affinity": {
      const { selector, topologyKey } = obstacle.term;
      return `the pod avoids pods ${describeSelector(selector)}, of which ${holdersText(obstacle.holders)} in ${topologyKey}=${obstacle.domain}`;
    }
    case "pod-guard": {
      const { selector, topologyKey } = obstacle.term;
      return `${holdersText(obstacle.holders)} in ${topologyKey}=${obstacle.domain} and keeps away pods ${describeSelector(selector)}`;
    }
  }
}

function describeSkew({ constraint, domain, count, self, least, domainCount }: Skew): string {
  const { topologyKey, maxSkew, minDomains, selector } = constraint;
  const few =
    domainCount < minDomains
      ? ` (${domainCount} of the ${minDomains} domains that it asks for)`
      : "";
  return `${topologyKey}=${domain} would run ${count + self} pods ${describeSelector(selector)} and the emptiest domain ${least}${few}, which is more than maxSkew ${maxSkew} apart`;
}

function holdersText(holders: readonly Pod[]): string {
  const [first] = holders;
  const name = first === undefined ? "one" : `${first.namespace}/${first.name}`;
  return holders.length === 1 ? `${name} runs` : `${name} and ${holders.length - 1} more run`;
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
    case "claim-foreign":
      return `the claim ${obstacle.name} was made for another pod`;
    case "volume-space":
      return `the class ${obstacle.className} has no room left here for the claim ${obstacle.name}`;
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
