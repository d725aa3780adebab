/** Network policies, with what the API fills in where they say nothing. */

import type { Subject } from "../model/finding.ts";
import {
  fieldsAt,
  integerAt,
  isPresentAt,
  listAt,
  textAt,
  textListAt,
} from "../kubernetes/fields.ts";
import { type LabelSelector, matchesLabels } from "../kubernetes/label-selector.ts";
import { nameOf, type Objects, type Source } from "../kubernetes/objects.ts";
import type { KnownPod } from "../kubernetes/pods.ts";
import { readLabelSelector } from "../kubernetes/selector.ts";
import { unknownFields } from "../kubernetes/text-mark.ts";

export type Direction = "ingress" | "egress";

export interface Peer {
  readonly podSelector: LabelSelector | undefined;
  readonly namespaceSelector: LabelSelector | undefined;
  readonly block: { readonly cidr: string; readonly except: readonly string[] } | undefined;
}

export interface PolicyPort {
  readonly protocol: string;
  /** Absent for all ports of the protocol. */
  readonly port: number | string | undefined;
  readonly endPort: number | undefined;
}

/** Absent peers stand for everybody, absent ports for all. */
export interface PolicyRule {
  readonly peers: readonly Peer[] | undefined;
  readonly ports: readonly PolicyPort[] | undefined;
}

export interface Policy {
  readonly source: Source;
  readonly subject: Subject;
  readonly namespace: string;
  readonly selector: LabelSelector;
  readonly directions: readonly Direction[];
  readonly rules: Readonly<Record<Direction, readonly PolicyRule[]>>;
  /** Some texts do not print the rules. */
  readonly areRulesKnown: boolean;
}

/** The policies of Kubernetes; projects that enforce them have kinds of that name, too. */
export function policiesOf(objects: Objects): readonly Policy[] {
  return objects
    .of("NetworkPolicy")
    .filter(({ object }) => /^(?:networking\.k8s\.io|extensions)\//.test(object.apiVersion))
    .map(readPolicy);
}

function readPolicy(source: Source): Policy {
  const { object } = source;
  const unknown = unknownFields(object);
  const types = textListAt(object, "spec", "policyTypes").map((type) => type.toLowerCase());
  const hasEgress = listAt(object, "spec", "egress").length > 0;
  const directions: Direction[] =
    types.length > 0
      ? (["ingress", "egress"] as const).filter((direction) => types.includes(direction))
      : ["ingress", ...(hasEgress ? (["egress"] as const) : [])];
  return {
    source,
    subject: { kind: "networkpolicy", name: nameOf(object) },
    namespace: object.metadata.namespace ?? "default",
    selector: readLabelSelector(fieldsAt(object, "spec", "podSelector")) ?? [],
    directions,
    rules: {
      ingress: listAt(object, "spec", "ingress").map((rule) => readRule(rule, "from")),
      egress: listAt(object, "spec", "egress").map((rule) => readRule(rule, "to")),
    },
    areRulesKnown: !unknown.includes("spec.ingress") && !unknown.includes("spec.egress"),
  };
}

function readRule(rule: unknown, field: "from" | "to"): PolicyRule {
  const peers = listAt(rule, field).map(readPeer);
  const ports = listAt(rule, "ports").map((item) => ({
    protocol: textAt(item, "protocol") || "TCP",
    port: integerAt(item, "port") ?? textAt(item, "port"),
    endPort: integerAt(item, "endPort"),
  }));
  // An empty list means the same as none.
  return {
    peers: peers.length === 0 ? undefined : peers,
    ports: ports.length === 0 ? undefined : ports,
  };
}

function readPeer(item: unknown): Peer {
  const selector = (field: string): LabelSelector | undefined =>
    isPresentAt(item, field) ? readLabelSelector(fieldsAt(item, field)) : undefined;
  const cidr = textAt(item, "ipBlock", "cidr");
  return {
    podSelector: selector("podSelector"),
    namespaceSelector: selector("namespaceSelector"),
    block: cidr === undefined ? undefined : { cidr, except: textListAt(item, "ipBlock", "except") },
  };
}

/** The policies that isolate a pod in a direction. */
export function isolating(
  policies: readonly Policy[],
  pod: KnownPod,
  direction: Direction,
): readonly Policy[] {
  const byPod = isolatingByPod.get(policies) ?? new WeakMap<KnownPod, readonly Policy[]>();
  isolatingByPod.set(policies, byPod);
  const all = byPod.get(pod) ?? selecting(policies, pod);
  byPod.set(pod, all);
  return all.filter((policy) => policy.directions.includes(direction));
}

/** A memory and no state: the same policies always isolate the same pods. */
const isolatingByPod = new WeakMap<readonly Policy[], WeakMap<KnownPod, readonly Policy[]>>();

function selecting(policies: readonly Policy[], pod: KnownPod): readonly Policy[] {
  const { labels } = pod;
  if (labels === undefined) return [];
  return policies.filter(
    (policy) => policy.namespace === pod.namespace && matchesLabels(policy.selector, labels),
  );
}
