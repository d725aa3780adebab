/** Puts together what is wrong with the ports of one service. */

import type { FindingParts } from "../model/make-finding.ts";
import { type Objects, referenceTo } from "../kubernetes/objects.ts";
import type { KnownPod } from "../kubernetes/pods.ts";
import { plural } from "../text/plural.ts";
import { containerPortsOf } from "./container-port.ts";
import { portDeclarationFaults } from "./port-declaration.ts";
import { judgeTarget, type PortFault } from "./port-target.ts";
import { describePort, type Service } from "./service.ts";

const podsQuotedMax = 10;

export interface PortContext {
  readonly objects: Objects;
  readonly services: readonly Service[];
  readonly nodePortMin: number;
  readonly nodePortMax: number;
}

/** The finding about the ports of a service; nothing where it has none that concern pods. */
export function judgePorts(
  service: Service,
  pods: readonly KnownPod[],
  context: PortContext,
): FindingParts | undefined {
  if (service.type === "ExternalName") return undefined;
  const living = pods.filter((pod) => pod.isSpecKnown && pod.state.kind !== "over");
  const declared = portDeclarationFaults(service, context);
  const targets =
    living.length === 0 || !service.isTargetKnown
      ? []
      : service.ports.flatMap((port) => judgeTarget(service, port, { pods: living, ...context }));
  const faults = [...declared, ...targets];
  const violated = faults.filter((fault) => fault.isSure);
  if (violated.length > 0) return violatedFinding(service, living, violated);
  const [doubt] = faults;
  if (doubt !== undefined) return doubtFinding(service, living, faults);
  if (living.length === 0 || service.ports.length === 0) return undefined;
  return holdsFinding(service, living);
}

function violatedFinding(
  service: Service,
  pods: readonly KnownPod[],
  faults: readonly PortFault[],
): FindingParts {
  const [first] = faults;
  const more = faults.length === 1 ? "" : ` (and ${plural(faults.length - 1, "more fault")})`;
  return {
    ...about(service, pods, faults),
    verdict: "violated",
    title: `Service ${service.subject.name}: ${first?.what ?? ""}${more}.`,
    actual: `${faults.map((fault) => fault.what).join("; ")}.`,
    causeKind: "configuration",
    fixes: faults.flatMap((fault) => fault.fixes),
    nextChecks: [
      `kubectl get endpointslices -n ${service.namespace} -l kubernetes.io/service-name=${service.name} -o yaml`,
    ],
  };
}

function doubtFinding(
  service: Service,
  pods: readonly KnownPod[],
  faults: readonly PortFault[],
): FindingParts {
  return {
    ...about(service, pods, faults),
    verdict: "inconclusive",
    title: `Service ${service.subject.name}: ${faults.map((fault) => fault.what).join("; ")}.`,
    actual: `${faults.map((fault) => fault.what).join("; ")}.`,
    missing: faults.flatMap((fault) => fault.missing ?? []),
    fixes: faults.flatMap((fault) => fault.fixes),
    nextChecks: [
      `kubectl exec -n ${service.namespace} POD -- ss -ltn: on which ports the pod listens`,
    ],
  };
}

function holdsFinding(service: Service, pods: readonly KnownPod[]): FindingParts {
  const undeclared = pods.every((pod) => containerPortsOf(pod).length === 0);
  return {
    ...about(service, pods, []),
    verdict: "holds",
    title: `Service ${service.subject.name}: ${plural(service.ports.length, "port")} of ${plural(service.ports.length, "port")} lead to its pods.`,
    actual: service.ports
      .map((port) => `${describePort(port)} leads to ${String(port.targetPort)}`)
      .join(", ")
      .concat(
        undeclared
          ? ". The pods declare no ports, so that nothing speaks against these numbers."
          : ".",
      ),
  };
}

function about(
  service: Service,
  pods: readonly KnownPod[],
  faults: readonly PortFault[],
): Pick<FindingParts, "subject" | "measures" | "evidence"> {
  const ports = service.ports.map(
    (port) => `${describePort(port)} -> ${String(port.targetPort ?? "?")}`,
  );
  const quoted = [...faults.flatMap((fault) => fault.pods ?? []), ...pods].slice(0, podsQuotedMax);
  return {
    subject: service.subject,
    measures: {
      portCount: service.ports.length,
      podCount: pods.length,
      faultCount: faults.length,
    },
    evidence: [
      referenceTo(service.source, `ports: ${ports.join(", ")}`),
      ...quoted.map((pod) => referenceTo(pod.source, `container ports: ${declaredBy(pod)}`)),
      ...faults.flatMap((fault) => fault.evidence ?? []),
    ],
  };
}

function declaredBy(pod: KnownPod): string {
  const ports = containerPortsOf(pod).map(
    ({ container, name, port, protocol }) =>
      `${container} ${name === undefined ? "" : `${name}=`}${port}/${protocol}`,
  );
  return ports.length === 0 ? "none declared" : ports.join(", ");
}
