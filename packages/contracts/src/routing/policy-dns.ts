/** Workloads whose egress is isolated without a way to the DNS of the cluster. */

import type { FindingParts } from "../model/make-finding.ts";
import { type LabelSelector, matchesLabels } from "../kubernetes/label-selector.ts";
import type { KnownPod } from "../kubernetes/pods.ts";
import { isDnsServer } from "./dns-server.ts";
import type { FailedLookup } from "./failed-lookup.ts";
import { namesOf } from "./name-reference.ts";
import { isOnHost, type PolicyContext, policyReference } from "./policy-connections.ts";
import { type Answer, namespaceMatches } from "./policy-match.ts";
import { isolating, type Peer, type Policy, type PolicyRule } from "./policy.ts";

const dnsPort = 53;
/** As the installers of clusters label the pods of the DNS, where the evidence does not show them. */
const usualDnsLabels: readonly ReadonlyMap<string, string>[] = [
  new Map([["k8s-app", "kube-dns"]]),
  new Map([["k8s-app", "coredns"]]),
  new Map([
    ["app.kubernetes.io/name", "coredns"],
    ["k8s-app", "kube-dns"],
  ]),
  new Map([["dns.operator.openshift.io/daemonset-dns", "default"]]),
  new Map([["k8s-app", "node-local-dns"]]),
];
const dnsNamespaces = ["kube-system", "openshift-dns"] as const;

/** A finding for each workload whose egress policies leave out the DNS. */
export function dnsFindings(
  context: PolicyContext,
  unanswered: readonly FailedLookup[],
): FindingParts[] {
  const byWorkload = Map.groupBy(
    context.pods.filter((pod) => !isOnHost(pod) && !isDnsServer(pod)),
    (pod) => `${pod.namespace}/${pod.workload}`,
  );
  return [...byWorkload].flatMap(([name, [pod]]) => {
    if (pod === undefined) return [];
    const isolated = isolating(context.policies, pod, "egress");
    if (isolated.length === 0 || isolated.some((policy) => !policy.areRulesKnown)) return [];
    if (reachesDns(isolated, context) !== "no") return [];
    return [finding(name, pod, { isolated, context, unanswered })];
  });
}

function reachesDns(isolated: readonly Policy[], context: PolicyContext): Answer {
  const answers = isolated.flatMap((policy) =>
    policy.rules.egress
      .filter((rule) => namesDnsPort(rule))
      .flatMap((rule): Answer[] =>
        rule.peers === undefined
          ? ["yes"]
          : rule.peers.map((peer) => isDnsPeer(peer, policy.namespace, context)),
      ),
  );
  if (answers.includes("yes")) return "yes";
  return answers.includes("unknown") ? "unknown" : "no";
}

/** Lookups go by UDP first; a rule for TCP alone does not carry them. */
function namesDnsPort({ ports }: PolicyRule): boolean {
  return (
    ports === undefined ||
    ports.some(
      ({ protocol, port, endPort }) =>
        protocol === "UDP" &&
        (port === undefined ||
          typeof port === "string" ||
          (port <= dnsPort && dnsPort <= (endPort ?? port))),
    )
  );
}

/** Whether a peer can be the cluster's DNS. A block of addresses may hold it. */
function isDnsPeer(peer: Peer, namespace: string, { objects, pods }: PolicyContext): Answer {
  if (peer.block !== undefined) return "unknown";
  const servers = pods.filter(isDnsServer);
  const labelSets =
    servers.length > 0
      ? servers.map((pod) => pod.labels ?? new Map<string, string>())
      : usualDnsLabels;
  const isPod = isAnySelected(peer.podSelector, labelSets);
  if (!isPod) return "no";
  if (peer.namespaceSelector === undefined) {
    return dnsNamespaces.some((item) => item === namespace) ? "yes" : "no";
  }
  const { namespaceSelector } = peer;
  const answers = dnsNamespaces.map((item) => namespaceMatches(namespaceSelector, item, objects));
  if (answers.includes("yes")) return "yes";
  return answers.includes("unknown") ? "unknown" : "no";
}

function isAnySelected(
  selector: LabelSelector | undefined,
  labelSets: readonly ReadonlyMap<string, string>[],
): boolean {
  return selector === undefined || labelSets.some((labels) => matchesLabels(selector, labels));
}

interface Isolation {
  readonly isolated: readonly Policy[];
  readonly context: PolicyContext;
  readonly unanswered: readonly FailedLookup[];
}

function finding(
  name: string,
  pod: KnownPod,
  { isolated, context, unanswered }: Isolation,
): FindingParts {
  const policies = isolated.map((policy) => policy.subject.name).join(", ");
  const rules = isolated.flatMap((policy) => policy.rules.egress);
  const names = namesOf(pod, context.objects);
  const failed = unanswered.find((item) => item.namespaces.includes(pod.namespace));
  const toPods = rules.some(
    (rule) => rule.peers?.some((peer) => peer.block === undefined) === true,
  );
  const onlyTcp = rules.some((rule) =>
    rule.ports?.some(({ port, protocol }) => port === dnsPort && protocol === "TCP"),
  );
  const words = `${pod.workload.replace("/", " ")} of ${pod.namespace}`;
  const base = {
    subject: { kind: "workload", name },
    expected: "A workload whose egress is isolated may still ask the cluster's DNS on port 53.",
    evidence: [
      ...isolated.slice(0, 10).map(policyReference),
      ...(failed?.evidence.slice(0, 3) ?? []),
    ],
    measures: { egressPolicyCount: isolated.length, egressRuleCount: rules.length },
    fixes: [
      {
        description: `Add to spec.egress of NetworkPolicy ${isolated[0]?.subject.name ?? ""} a rule to namespaces with kubernetes.io/metadata.name=kube-system and pods with k8s-app=kube-dns on port 53, UDP and TCP.`,
        cost: 3,
        verified: true,
      },
    ],
    nextChecks: [
      `kubectl exec -n ${pod.namespace} POD -- nslookup kubernetes.default: whether a lookup is answered`,
    ],
  };
  const why =
    failed !== undefined
      ? `lookups of ${failed.host === "" ? "names" : failed.host} went unanswered`
      : names.length > 0
        ? `it calls ${names.slice(0, 3).join(", ")} by name`
        : toPods
          ? "its rules let it call pods, which are called by names"
          : undefined;
  const hint = onlyTcp ? " Port 53 is open for TCP alone, and lookups go by UDP." : "";
  if (why === undefined) {
    return {
      ...base,
      verdict: "inconclusive",
      title: `NetworkPolicy ${policies} leaves ${words} no way to look up a name; whether it needs one is not known.`,
      actual: `No egress rule leads to port 53 of the cluster's DNS.${hint}`,
      missing: ["whether the workload calls anything by name"],
    };
  }
  return {
    ...base,
    verdict: "violated",
    title: `NetworkPolicy ${policies} keeps ${words} from the cluster's DNS: no egress rule allows port 53/UDP, and ${why}.${hint}`,
    actual: `No egress rule leads to port 53 of the cluster's DNS; ${why}.`,
    causeKind: "configuration",
  };
}
