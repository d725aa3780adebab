/** Judges the calls that are known: from a workload that names a service to the pods of that service. */

import type { EvidenceReference } from "../model/evidence.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { isTrueAt } from "../kubernetes/fields.ts";
import { describeLabels, describeSelector } from "../kubernetes/label-selector.ts";
import { type Objects, referenceTo } from "../kubernetes/objects.ts";
import type { KnownPod } from "../kubernetes/pods.ts";
import { knownCalls, type KnownCall } from "./known-call.ts";
import { describeRules } from "./policy-words.ts";
import { type Answer, type Flow, isAllowed } from "./policy-match.ts";
import { type Direction, isolating, type Policy } from "./policy.ts";
import { selectedPods } from "./selection.ts";
import { portsMeant, targetOf } from "./service-target.ts";

/** Pods of one service that one call is judged against; those of one workload are alike. */
const serversJudgedMax = 20;

export interface PolicyContext {
  readonly objects: Objects;
  readonly policies: readonly Policy[];
  /** Pods that are not over, all and by their namespace. */
  readonly pods: readonly KnownPod[];
  readonly byNamespace: ReadonlyMap<string, readonly KnownPod[]>;
}

interface Verdict {
  readonly answer: Answer;
  readonly direction: Direction;
  readonly flow: Flow;
}

/** A finding for each known call that a policy concerns. */
export function connectionFindings(context: PolicyContext): FindingParts[] {
  return knownCalls(context.objects, context.pods).flatMap(
    (call) => judgeCall(call, context) ?? [],
  );
}

function judgeCall(call: KnownCall, context: PolicyContext): FindingParts | undefined {
  const { client, service } = call;
  const servers = selectedPods(service, context.byNamespace.get(service.namespace) ?? [])
    .filter((pod) => !isOnHost(pod))
    .slice(0, serversJudgedMax);
  if (isOnHost(client) || servers.length === 0) return undefined;
  const verdicts = servers.flatMap((server) =>
    portsMeant(service, call.port).flatMap((port): Verdict[] => {
      const target = targetOf(port, server);
      return target === undefined ? [] : [judgeFlow({ client, server, target }, context)];
    }),
  );
  const concerned = [
    ...isolating(context.policies, client, "egress"),
    ...servers.flatMap((server) => isolating(context.policies, server, "ingress")),
  ];
  if (concerned.length === 0 || verdicts.length === 0) return undefined;
  return finding(call, verdicts, concerned);
}

function judgeFlow(flow: Flow, context: PolicyContext): Verdict {
  const egress = isAllowed(flow, "egress", context);
  if (egress === "no") return { answer: "no", direction: "egress", flow };
  const ingress = isAllowed(flow, "ingress", context);
  if (ingress === "no") return { answer: "no", direction: "ingress", flow };
  const answer = egress === "yes" && ingress === "yes" ? "yes" : "unknown";
  return { answer, direction: ingress === "yes" ? "egress" : "ingress", flow };
}

function finding(
  call: KnownCall,
  verdicts: readonly Verdict[],
  concerned: readonly Policy[],
): FindingParts {
  const { client, service, evidence } = call;
  const clientName = `${client.workload.replace("/", " ")} of ${client.namespace}`;
  const port = call.port === undefined ? "" : `:${call.port}`;
  const base = {
    subject: {
      kind: "connection",
      name: `${client.namespace}/${client.workload} -> ${service.subject.name}${port}`,
    },
    evidence: [
      ...evidence,
      ...[...new Set(concerned)].slice(0, 10).map((policy) => policyReference(policy)),
    ],
    measures: {
      checkedFlowCount: verdicts.length,
      blockedFlowCount: verdicts.filter(({ answer }) => answer === "no").length,
    },
  };
  if (verdicts.some(({ answer }) => answer === "yes")) {
    return {
      ...base,
      verdict: "holds",
      title: `The network policies let ${clientName} call Service ${service.subject.name}${port}.`,
      actual: "Egress of the client and ingress of the pods are allowed.",
    };
  }
  const [blocked] = verdicts.filter(({ answer }) => answer === "no");
  if (blocked === undefined || verdicts.some(({ answer }) => answer === "unknown")) {
    return {
      ...base,
      verdict: "inconclusive",
      title: `Whether the network policies let ${clientName} call Service ${service.subject.name}${port} is not known.`,
      actual:
        "A rule selects by addresses or by labels of namespaces that the evidence does not tell.",
      missing: [
        `the labels of the namespaces ${client.namespace} and ${service.namespace}, and the addresses of the pods`,
      ],
      nextChecks: ["kubectl get namespaces --show-labels", "kubectl get pods -A -o wide"],
    };
  }
  return blockedFinding(base, call, { blocked, concerned });
}

function blockedFinding(
  base: Pick<FindingParts, "subject" | "evidence" | "measures">,
  call: KnownCall,
  { blocked, concerned }: { blocked: Verdict; concerned: readonly Policy[] },
): FindingParts {
  const { client, service } = call;
  const { flow, direction } = blocked;
  const { target, server } = flow;
  const own = direction === "ingress" ? server : client;
  // A policy that selects both ends is concerned twice.
  const names = [...new Set(isolating(concerned, own, direction).map((item) => item.subject.name))];
  const [policy] = isolating(concerned, own, direction);
  const rules = policy === undefined ? "" : describeRules(policy, direction);
  const port = `${target.port}/${target.protocol}`;
  const servicePort = portsMeant(service, call.port)[0]?.port;
  const isServicePort =
    policy?.rules[direction].some((rule) =>
      rule.ports?.some((item) => item.port === servicePort && servicePort !== target.port),
    ) === true;
  const note = isServicePort
    ? ` It names ${servicePort ?? ""}, the port of the service; policies see the port of the pod, ${target.port}.`
    : "";
  const clientLabels =
    client.labels === undefined ? "unknown labels" : describeLabels(client.labels);
  return {
    ...base,
    verdict: "violated",
    title: `NetworkPolicy ${names.join(", ")} blocks ${client.workload.replace("/", " ")} of ${client.namespace} from Service ${service.subject.name}: its ${direction} rules let through ${rules}, not ${direction === "ingress" ? `pods with ${clientLabels}` : `calls to ${server.subject.name}`} on ${port}.${note}`,
    actual: `${direction} of ${own.subject.kind} ${own.subject.name} is isolated by ${names.join(", ")}; no rule lets this call through.`,
    causeKind: "configuration",
    measures: { ...base.measures, direction, port: target.port, protocol: target.protocol },
    fixes: [
      ...(isServicePort
        ? [
            {
              description: `In NetworkPolicy ${names[0] ?? ""}, change the port from ${servicePort ?? ""} to ${target.port}.`,
              cost: 2,
            },
          ]
        : []),
      {
        description:
          direction === "ingress"
            ? `Add to spec.ingress of NetworkPolicy ${names[0] ?? ""} a rule from pods with ${peerFor(client, own)} on port ${port}.`
            : `Add to spec.egress of NetworkPolicy ${names[0] ?? ""} a rule to pods with ${peerFor(server, own)} on port ${port}.`,
        cost: 3,
        verified: true,
      },
    ],
    nextChecks: [
      `kubectl exec -n ${client.namespace} POD -- nc -zv ${service.name}.${service.namespace} ${servicePort ?? ""}`,
    ],
  };
}

function peerFor(peer: KnownPod, own: KnownPod): string {
  const labels = peer.labels === undefined ? "their labels" : describeLabels(peer.labels);
  return peer.namespace === own.namespace
    ? labels
    : `${labels} in namespaces with kubernetes.io/metadata.name=${peer.namespace}`;
}

/** Pods on the network of their node are not seen as pods. */
export function isOnHost({ spec }: KnownPod): boolean {
  return isTrueAt(spec, "hostNetwork");
}

/** A policy as evidence: what it selects, and what it lets through. */
export function policyReference(policy: Policy): EvidenceReference {
  const rules = policy.directions
    .map((direction) => `${direction}: ${describeRules(policy, direction)}`)
    .join("; ");
  return referenceTo(policy.source, `podSelector: ${describeSelector(policy.selector)}; ${rules}`);
}
