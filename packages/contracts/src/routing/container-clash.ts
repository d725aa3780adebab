/** Containers of one pod share its ports: two of them cannot listen on the same. */

import type { FindingParts } from "../model/make-finding.ts";
import { listAt, textAt } from "../kubernetes/fields.ts";
import { type Objects, referenceTo } from "../kubernetes/objects.ts";
import { type KnownPod, podsOf } from "../kubernetes/pods.ts";
import { type ContainerPort, containerPortsOf } from "./container-port.ts";

/** A finding for each pod or workload in which two containers declare one port, or two ports share a name. */
export function judgeContainerPorts(objects: Objects): FindingParts[] {
  return podsOf(objects).flatMap((pod) => {
    if (!pod.isSpecKnown || pod.state.kind === "over" || pod.state.kind === "ready") return [];
    const ports = containerPortsOf(pod);
    const clash = firstClash(ports);
    if (clash !== undefined) return [clashFinding(pod, clash)];
    const twins = firstTwins(ports);
    return twins === undefined ? [] : [twinsFinding(pod, twins)];
  });
}

function firstClash(
  ports: readonly ContainerPort[],
): readonly [ContainerPort, ContainerPort] | undefined {
  const holders = new Map<string, ContainerPort>();
  for (const port of ports) {
    const key = `${port.port}/${port.protocol}`;
    const holder = holders.get(key);
    if (holder !== undefined && holder.container !== port.container) return [holder, port];
    if (holder === undefined) holders.set(key, port);
  }
  return undefined;
}

/** Within one container a name stands for one port. */
function firstTwins(ports: readonly ContainerPort[]): ContainerPort | undefined {
  const seen = new Set<string>();
  return ports.find(({ container, name }) => {
    if (name === undefined) return false;
    const key = `${container} ${name}`;
    if (seen.has(key)) return true;
    seen.add(key);
    return false;
  });
}

function clashFinding(
  pod: KnownPod,
  [left, right]: readonly [ContainerPort, ContainerPort],
): FindingParts {
  const port = `${right.port}/${right.protocol}`;
  const states = listAt(pod.source.object, "status", "containerStatuses")
    .map(
      (item) =>
        `${textAt(item, "name") ?? ""}: ${textAt(item, "state", "waiting", "reason") ?? "no wait"}`,
    )
    .join(", ");
  return {
    verdict: "violated",
    subject: pod.subject,
    expected: "Each port of a pod is declared by one of its containers.",
    title: `The containers ${left.container} and ${right.container} of ${pod.subject.kind} ${pod.subject.name} both declare port ${port}; only one can listen on it.`,
    actual: states === "" ? `Both declare ${port}.` : `Both declare ${port}. States: ${states}.`,
    causeKind: "configuration",
    evidence: [
      referenceTo(pod.source, `${left.container}: containerPort ${left.port}`),
      referenceTo(pod.source, `${right.container}: containerPort ${right.port}`),
    ],
    fixes: [
      {
        description: `Let container ${right.container} listen on another port than ${right.port} and declare that, or run it in a pod of its own.`,
      },
    ],
    nextChecks: [`kubectl logs ${right.container}: whether it says that the address is in use`],
  };
}

function twinsFinding(pod: KnownPod, { container, name = "" }: ContainerPort): FindingParts {
  return {
    verdict: "violated",
    subject: pod.subject,
    expected: "Each port name stands for one port of a container.",
    title: `Container ${container} of ${pod.subject.kind} ${pod.subject.name} names two ports ${name}.`,
    actual: `Two ports of ${container} are named ${name}.`,
    causeKind: "configuration",
    evidence: [referenceTo(pod.source, `${container}: two ports named ${name}`)],
    fixes: [{ description: `Give each port of container ${container} a name of its own.` }],
  };
}
