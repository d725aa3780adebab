/** The pods that answer for names in the cluster. */

import type { FindingParts } from "../model/make-finding.ts";
import type { Objects } from "../kubernetes/objects.ts";
import { type KnownPod, podsOf } from "../kubernetes/pods.ts";
import { podReference } from "./selection.ts";

/** Labels by which the installers of clusters know their DNS. */
const dnsLabels: readonly (readonly [string, string])[] = [
  ["k8s-app", "kube-dns"],
  ["k8s-app", "coredns"],
  ["app.kubernetes.io/name", "coredns"],
  ["dns.operator.openshift.io/daemonset-dns", "default"],
];

/** Whether a pod is one of the cluster's DNS. */
export function isDnsServer(pod: KnownPod): boolean {
  return (
    ["kube-system", "openshift-dns"].includes(pod.namespace) &&
    (dnsLabels.some(([key, value]) => pod.labels?.get(key) === value) ||
      /^(?:Deployment|DaemonSet)\/(?:coredns|kube-dns)/.test(pod.workload))
  );
}

/** A finding about the DNS of the cluster, where the evidence shows its pods. */
export function dnsServerFindings(objects: Objects): FindingParts[] {
  const pods = podsOf(objects).filter(isDnsServer);
  const running = pods.filter(
    (pod) => pod.state.kind !== "planned" && pod.state.kind !== "unknown",
  );
  if (running.length === 0) return [];
  const ready = running.filter((pod) => pod.state.kind === "ready");
  const subject = { kind: "dns", name: `${running[0]?.namespace ?? "kube-system"}/dns` };
  const base = {
    subject,
    expected: "At least one pod of the cluster's DNS is ready.",
    measures: { podCount: running.length, readyPodCount: ready.length },
    evidence: running.slice(0, 20).map(podReference),
  };
  if (ready.length > 0) {
    return [
      {
        ...base,
        verdict: "holds",
        title: `${ready.length} of ${running.length} pods of the cluster's DNS are ready.`,
        actual: ready.map((pod) => pod.subject.name).join(", "),
      },
    ];
  }
  const reasons = running.map(
    (pod) =>
      `${pod.subject.name}: ${"reason" in pod.state ? pod.state.reason : "it is scaled to no pods"}`,
  );
  return [
    {
      ...base,
      verdict: "violated",
      title: `No pod of the cluster's DNS is ready, so no name can be looked up: ${reasons[0] ?? ""}.`,
      actual: `${reasons.join("; ")}.`,
      causeKind: "dependency",
      fixes: running
        .filter((pod) => pod.state.kind === "none")
        .map((pod) => ({
          description: `Set spec.replicas of ${pod.subject.kind} ${pod.subject.name} from 0 to 2.`,
        })),
      nextChecks: [
        "kubectl logs -n kube-system -l k8s-app=kube-dns",
        "kubectl get configmap -n kube-system coredns -o yaml",
      ],
    },
  ];
}
