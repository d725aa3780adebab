/** Whether a rule of a network policy lets a pod through: yes, no, or not known. */

import { textAt, textsAt } from "../kubernetes/fields.ts";
import { type LabelSelector, matchesLabels } from "../kubernetes/label-selector.ts";
import type { Objects } from "../kubernetes/objects.ts";
import type { KnownPod } from "../kubernetes/pods.ts";
import { isEverything, isInBlock } from "./cidr.ts";
import { containerPortsOf } from "./container-port.ts";
import { type Direction, isolating, type Peer, type Policy, type PolicyPort } from "./policy.ts";

export type Answer = "yes" | "no" | "unknown";

/** A port on which a pod takes traffic. */
export interface TargetPort {
  readonly port: number;
  readonly protocol: string;
}

/** Traffic from one pod to another. */
export interface Flow {
  readonly client: KnownPod;
  readonly server: KnownPod;
  readonly target: TargetPort;
}

const metadataName = "kubernetes.io/metadata.name";

/** Whether the policies that isolate one end of a flow let it through in that direction. */
export function isAllowed(
  flow: Flow,
  direction: Direction,
  { policies, objects }: { policies: readonly Policy[]; objects: Objects },
): Answer {
  const [own, other] =
    direction === "ingress" ? [flow.server, flow.client] : [flow.client, flow.server];
  if (own.labels === undefined) return "unknown";
  const isolated = isolating(policies, own, direction);
  if (isolated.length === 0) return "yes";
  return anyOf(
    isolated.flatMap((policy) =>
      policy.areRulesKnown
        ? policy.rules[direction].map((rule) =>
            allOf([
              peersMatch(rule.peers, other, { namespace: policy.namespace, objects }),
              portsMatch(rule.ports, flow.target, flow.server),
            ]),
          )
        : (["unknown"] as const),
    ),
  );
}

/** Where a policy lies, and what the cluster says of other namespaces. */
interface PolicyPlace {
  readonly namespace: string;
  readonly objects: Objects;
}

/** Whether one of the peers of a rule is this pod. */
function peersMatch(peers: readonly Peer[] | undefined, pod: KnownPod, place: PolicyPlace): Answer {
  if (peers === undefined) return "yes";
  return anyOf(peers.map((peer) => peerMatches(peer, pod, place)));
}

function peerMatches(peer: Peer, pod: KnownPod, { namespace, objects }: PolicyPlace): Answer {
  if (peer.block !== undefined) return blockMatches(peer.block, pod);
  const inNamespace =
    peer.namespaceSelector === undefined
      ? answerOf(pod.namespace === namespace)
      : namespaceMatches(peer.namespaceSelector, pod.namespace, objects);
  if (peer.podSelector === undefined || peer.podSelector.length === 0) return inNamespace;
  const isPod =
    pod.labels === undefined ? "unknown" : answerOf(matchesLabels(peer.podSelector, pod.labels));
  return allOf([inNamespace, isPod]);
}

function blockMatches({ cidr, except }: NonNullable<Peer["block"]>, pod: KnownPod): Answer {
  const address = textAt(pod.source.object, "status", "podIP");
  if (address === undefined) return isEverything(cidr) && except.length === 0 ? "yes" : "unknown";
  const isIn = isInBlock(address, cidr);
  if (isIn === undefined) return "unknown";
  return answerOf(isIn && !except.some((block) => isInBlock(address, block) === true));
}

/** Every namespace bears its name as a label; what else it bears only its object tells. */
export function namespaceMatches(
  selector: LabelSelector,
  namespace: string,
  objects: Objects,
): Answer {
  const source = objects.get("Namespace", "", namespace);
  const labels = new Map([
    ...(source === undefined ? [] : textsAt(source.object, "metadata", "labels")),
    [metadataName, namespace],
  ]);
  if (matchesLabels(selector, labels)) {
    const needsMore = selector.some(
      ({ key, operator }) =>
        key !== metadataName && (operator === "NotIn" || operator === "DoesNotExist"),
    );
    return source === undefined && needsMore ? "unknown" : "yes";
  }
  if (source !== undefined) return "no";
  const byName = selector.filter(({ key }) => key === metadataName);
  return matchesLabels(byName, labels) ? "unknown" : "no";
}

/** Names of ports are those of the containers of the pod that takes the traffic. */
export function portsMatch(
  ports: readonly PolicyPort[] | undefined,
  target: TargetPort,
  server: KnownPod,
): Answer {
  if (ports === undefined) return "yes";
  return anyOf(
    ports.map(({ protocol, port, endPort }): Answer => {
      if (protocol !== target.protocol) return "no";
      if (port === undefined) return "yes";
      if (typeof port === "number") {
        return answerOf(target.port >= port && target.port <= (endPort ?? port));
      }
      if (!server.isSpecKnown) return "unknown";
      return answerOf(
        containerPortsOf(server).some(
          (item) => item.name === port && item.port === target.port && item.protocol === protocol,
        ),
      );
    }),
  );
}

function answerOf(isSo: boolean): Answer {
  return isSo ? "yes" : "no";
}

function anyOf(answers: readonly Answer[]): Answer {
  if (answers.includes("yes")) return "yes";
  return answers.includes("unknown") ? "unknown" : "no";
}

function allOf(answers: readonly Answer[]): Answer {
  if (answers.includes("no")) return "no";
  return answers.includes("unknown") ? "unknown" : "yes";
}
