/** Rules of network policies in words. */

import { describeSelector } from "../kubernetes/label-selector.ts";
import type { Direction, Peer, Policy, PolicyPort } from "./policy.ts";

const rulesDescribedMax = 5;

/** What the rules of a direction let through: `pods with tier=backend on 80/TCP`, or `nothing`. */
export function describeRules(policy: Policy, direction: Direction): string {
  if (!policy.areRulesKnown) return "what the text does not print";
  const rules = policy.rules[direction];
  if (rules.length === 0) return "nothing";
  return rules
    .slice(0, rulesDescribedMax)
    .map(({ peers, ports }) => `${describePeers(peers)}${describePorts(ports)}`)
    .join(", ");
}

function describePeers(peers: readonly Peer[] | undefined): string {
  return peers === undefined ? "everybody" : peers.map(describePeer).join(" or ");
}

function describePeer({ podSelector, namespaceSelector, block }: Peer): string {
  if (block !== undefined) {
    return `${block.cidr}${block.except.length === 0 ? "" : ` without ${block.except.join(", ")}`}`;
  }
  const pods =
    podSelector === undefined || podSelector.length === 0
      ? "all pods"
      : `pods with ${describeSelector(podSelector)}`;
  if (namespaceSelector === undefined) return pods;
  return namespaceSelector.length === 0
    ? `${pods} of all namespaces`
    : `${pods} of namespaces with ${describeSelector(namespaceSelector)}`;
}

function describePorts(ports: readonly PolicyPort[] | undefined): string {
  if (ports === undefined) return "";
  const words = ports.map(
    ({ port, endPort, protocol }) =>
      `${port ?? "all ports"}${endPort === undefined ? "" : `-${endPort}`}/${protocol}`,
  );
  return ` on ${words.join(", ")}`;
}
