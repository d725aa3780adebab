/** The ports that a pod declares among its containers: numbers are shared by all, names have a form. */

import type { FindingParts } from "../model/make-finding.ts";
import { integerAt, listAt, textAt } from "../kubernetes/fields.ts";
import { type Objects, referenceTo } from "../kubernetes/objects.ts";
import { type KnownPod, podsOf } from "../kubernetes/pods.ts";
import { type ContainerPort, containerPortsOf, runningContainers } from "./container-port.ts";

const nameLengthMax = 15;

interface PortsFault {
  readonly what: string;
  readonly fix: string;
  readonly quotes: readonly string[];
}

/** A finding for each pod or workload whose containers declare ports that cannot be. */
export function judgeContainerPorts(objects: Objects): FindingParts[] {
  return podsOf(objects).flatMap((pod) => {
    // What takes traffic shows that its ports can be; a text may have left out what would tell.
    if (!pod.isSpecKnown || pod.state.kind === "over" || pod.state.kind === "ready") return [];
    const ports = containerPortsOf(pod);
    const fault = clash(ports) ?? twins(ports) ?? badName(ports) ?? numberless(pod);
    return fault === undefined ? [] : [finding(pod, fault)];
  });
}

function finding(pod: KnownPod, { what, fix, quotes }: PortsFault): FindingParts {
  const states = listAt(pod.source.object, "status", "containerStatuses").flatMap((item) => {
    const reason = textAt(item, "state", "waiting", "reason");
    return reason === undefined ? [] : [`${textAt(item, "name") ?? ""} waits: ${reason}`];
  });
  return {
    verdict: "violated",
    subject: pod.subject,
    expected:
      "Each port of a pod is declared by one container, with a number and a name of its own.",
    title: `${pod.subject.kind} ${pod.subject.name}: ${what}.`,
    actual: [`${what}.`, ...states].join(" "),
    causeKind: "configuration",
    evidence: quotes.map((quote) => referenceTo(pod.source, quote)),
    fixes: [{ description: fix }],
    nextChecks: ["kubectl logs POD -c CONTAINER: whether it says that the address is in use"],
  };
}

/** Containers of one pod share its network: two of them cannot listen on the same port. */
function clash(ports: readonly ContainerPort[]): PortsFault | undefined {
  const holders = new Map<string, ContainerPort>();
  for (const port of ports) {
    const key = `${port.port}/${port.protocol}`;
    const holder = holders.get(key);
    if (holder === undefined) holders.set(key, port);
    if (holder === undefined || holder.container === port.container) continue;
    return {
      what: `the containers ${holder.container} and ${port.container} both declare port ${key}, and only one can listen on it`,
      fix: `Let container ${port.container} listen on another port than ${port.port} and declare that, or run it in a pod of its own.`,
      quotes: [holder, port].map((item) => `${item.container}: containerPort ${item.port}`),
    };
  }
  return undefined;
}

/** Within one container a name stands for one port. */
function twins(ports: readonly ContainerPort[]): PortsFault | undefined {
  const seen = new Set<string>();
  for (const { container, name } of ports) {
    if (name === undefined) continue;
    const key = `${container} ${name}`;
    if (seen.has(key)) {
      return {
        what: `container ${container} names two ports ${name}`,
        fix: `Give each port of container ${container} a name of its own.`,
        quotes: [`${container}: two ports named ${name}`],
      };
    }
    seen.add(key);
  }
  return undefined;
}

function badName(ports: readonly ContainerPort[]): PortsFault | undefined {
  const port = ports.find(({ name }) => name !== undefined && !isPortName(name));
  if (port === undefined) return undefined;
  const { container, name = "" } = port;
  return {
    what: `the port name ${name} of container ${container} is not made of at most ${nameLengthMax} characters of a-z, 0-9 and -, with a letter among them`,
    fix: `Rename port ${name} of container ${container}, and the targetPorts that name it.`,
    quotes: [`${container}: port named ${name}`],
  };
}

/** Whether a text can name a port of a container. */
export function isPortName(name: string): boolean {
  return (
    name.length <= nameLengthMax && /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name) && /[a-z]/.test(name)
  );
}

function numberless({ spec }: KnownPod): PortsFault | undefined {
  for (const container of runningContainers(spec)) {
    const port = listAt(container, "ports").find(
      (item) => integerAt(item, "containerPort") === undefined,
    );
    if (port === undefined) continue;
    const name = textAt(container, "name") ?? "";
    return {
      what: `a port of container ${name} has no containerPort, which each needs`,
      fix: `Set containerPort of that port of container ${name}.`,
      quotes: [`${name}: port ${textAt(port, "name") ?? ""} without containerPort`],
    };
  }
  return undefined;
}
