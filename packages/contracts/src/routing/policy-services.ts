/** Whether the policies admit anybody at all to the ports that services lead to. */

import type { FindingParts } from "../model/make-finding.ts";
import type { KnownPod } from "../kubernetes/pods.ts";
import { isOnHost, type PolicyContext, policyReference } from "./policy-connections.ts";
import { portsMatch } from "./policy-match.ts";
import { describeRules } from "./policy-words.ts";
import { isolating } from "./policy.ts";
import { podReference, selectedPods } from "./selection.ts";
import { targetOf } from "./service-target.ts";
import { describePort, type Service, type ServicePort, servicesOf } from "./service.ts";

/** A finding for each service whose pods are isolated and for whose port no rule stands. */
export function admittanceFindings(context: PolicyContext): FindingParts[] {
  return servicesOf(context.objects).flatMap((service) => {
    if (service.selector.size === 0 || !service.isTargetKnown) return [];
    const pods = selectedPods(service, context.byNamespace.get(service.namespace) ?? []).filter(
      (pod) => !isOnHost(pod) && pod.isSpecKnown,
    );
    const [first] = pods;
    const shut = service.ports.filter((port) => pods.every((pod) => isShut(port, pod, context)));
    const [port] = shut;
    if (first === undefined || port === undefined) return [];
    const isWhole = shut.length === service.ports.length;
    return [shutFinding({ service, port, pod: first, isWhole }, context)];
  });
}

/** Every rule that admits somebody names other ports than the one that the service leads to. */
function isShut(port: ServicePort, pod: KnownPod, { policies }: PolicyContext): boolean {
  const target = targetOf(port, pod);
  const isolated = isolating(policies, pod, "ingress");
  if (target === undefined || isolated.length === 0) return false;
  return isolated.every(
    (policy) =>
      policy.areRulesKnown &&
      policy.rules.ingress.every((rule) => portsMatch(rule.ports, target, pod) === "no"),
  );
}

interface Shut {
  readonly service: Service;
  readonly port: ServicePort;
  readonly pod: KnownPod;
  /** No port of the service is admitted. */
  readonly isWhole: boolean;
}

function shutFinding(
  { service, port, pod, isWhole }: Shut,
  { policies }: PolicyContext,
): FindingParts {
  const isolated = isolating(policies, pod, "ingress");
  const target = targetOf(port, pod);
  const names = isolated.map((policy) => policy.subject.name).join(", ");
  const rules = isolated.flatMap((policy) => policy.rules.ingress);
  const base = {
    subject: { kind: "service", name: service.subject.name },
    evidence: [...isolated.slice(0, 10).map(policyReference), podReference(pod)],
    measures: { port: port.port, targetPort: target?.port, ruleCount: rules.length },
  };
  const number = `${target?.port ?? "?"}/${port.protocol}`;
  if (rules.length === 0) {
    // To admit nobody may be meant, as a first step or for good; that a service stands before it speaks against it.
    return {
      ...base,
      verdict: "inconclusive",
      title: `NetworkPolicy ${names} admits nobody to the pods of Service ${service.subject.name}: no policy has an ingress rule for them.`,
      actual: `Ingress to ${pod.subject.name} is isolated, and no rule admits anybody.`,
      missing: ["who is meant to call the service"],
      fixes: [
        {
          description: `Add a NetworkPolicy for the pods of Service ${service.subject.name} with a rule from its clients on port ${number}.`,
        },
      ],
    };
  }
  const isServicePort = rules.some((rule) => rule.ports?.some((item) => item.port === port.port));
  const [policy] = isolated.filter((item) => item.rules.ingress.length > 0);
  const admitted = policy === undefined ? "nothing" : describeRules(policy, "ingress");
  // Rules that admit other ports of the service may leave this one out on purpose, as that of its metrics.
  const isSure = isWhole || isServicePort;
  return {
    ...base,
    verdict: isSure ? "violated" : "inconclusive",
    title: `NetworkPolicy ${names} shuts port ${describePort(port)} of Service ${service.subject.name}: it leads to ${number} of the pods, and the rules admit ${admitted}${isServicePort ? `. They name the port of the service; policies see that of the pod` : ""}.`,
    actual: `No ingress rule names ${number}.`,
    ...(isSure ? { causeKind: "configuration" as const } : {}),
    missing: isSure ? [] : [`whether anybody is meant to call port ${describePort(port)}`],
    fixes: [
      {
        description: `In NetworkPolicy ${policy?.subject.name ?? names}, change the port of the ingress rule ${isServicePort ? `from ${port.port ?? ""} ` : ""}to ${target?.port ?? ""} (${port.protocol}).`,
        cost: 2,
        verified: true,
      },
    ],
  };
}
