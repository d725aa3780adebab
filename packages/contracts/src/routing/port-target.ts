/** Whether one port of a service leads to a port of the pods behind it. */

import type { EvidenceReference } from "../model/evidence.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { listAt, textAt, textListAt } from "../kubernetes/fields.ts";
import { eventsInOrder } from "../kubernetes/event-order.ts";
import { type Objects, referenceTo } from "../kubernetes/objects.ts";
import type { KnownPod } from "../kubernetes/pods.ts";
import { nearestName } from "../text/nearest-name.ts";
import {
  type ContainerPort,
  containerPortsOf,
  listenSigns,
  runningContainers,
} from "./container-port.ts";
import { describePort, type Service, type ServicePort } from "./service.ts";

/** Something that is wrong with a port, or may be. */
export interface PortFault {
  readonly isSure: boolean;
  /** A clause without a full stop. */
  readonly what: string;
  readonly fixes: NonNullable<FindingParts["fixes"]>;
  readonly missing?: readonly string[];
  readonly pods?: readonly KnownPod[];
  readonly evidence?: readonly EvidenceReference[];
}

interface Surroundings {
  /** The selected pods whose containers are known. */
  readonly pods: readonly KnownPod[];
  readonly objects: Objects;
}

/** A port of a service, and what it is judged by. */
interface Ask extends Surroundings {
  readonly service: Service;
  readonly port: ServicePort;
}

/** What stands between a port of a service and its pods. */
export function judgeTarget(
  service: Service,
  port: ServicePort,
  around: Surroundings,
): PortFault[] {
  const { targetPort } = port;
  const ask = { service, port, ...around };
  if (typeof targetPort === "string") return namedTarget(targetPort, ask);
  if (targetPort === undefined) return [];
  // Clients of a headless service go to the pods themselves, with the port that they know.
  if (service.isHeadless) return [];
  return numberedTarget(targetPort, ask);
}

/** A name is looked up in each pod, with the protocol of the service's port. */
function namedTarget(target: string, { service, port, pods }: Ask): PortFault[] {
  const lacking = pods.filter(
    (pod) =>
      !containerPortsOf(pod).some(
        (item) => item.name === target && item.protocol === port.protocol,
      ),
  );
  const [first] = lacking;
  if (first === undefined) return [];
  // The text of `kubectl describe` does not print the names of ports in every version.
  if (
    lacking.every(
      (pod) => containerPortsOf(pod).every((item) => item.name === undefined) && isText(pod),
    )
  ) {
    return [
      {
        isSure: false,
        what: `whether a container port is named ${target} is not printed`,
        missing: ["the pods as YAML or JSON"],
        fixes: [],
      },
    ];
  }
  if (lacking.length < pods.length) {
    return [
      {
        isSure: false,
        what: `${String(lacking.length)} of ${pods.length} pods have no port named ${target} and get no traffic of port ${describePort(port)}`,
        missing: ["whether these pods are meant to answer on that port"],
        pods: lacking,
        fixes: [],
      },
    ];
  }
  return [missingName(service, port, { target, first, lacking })];
}

function isText({ source }: KnownPod): boolean {
  return source.object["faultlineText"] !== undefined;
}

function missingName(
  service: Service,
  port: ServicePort,
  { target, first, lacking }: { target: string; first: KnownPod; lacking: readonly KnownPod[] },
): PortFault {
  const declared = containerPortsOf(first);
  const otherProtocol = declared.find((item) => item.name === target);
  if (otherProtocol !== undefined) {
    return {
      isSure: true,
      what: `port ${describePort(port)} is ${port.protocol}, and the container port ${target} is ${otherProtocol.protocol}`,
      pods: lacking,
      fixes: [
        {
          description: `Set protocol of port ${describePort(port)} in Service ${service.subject.name} from ${port.protocol} to ${otherProtocol.protocol}.`,
          cost: 2,
          verified: true,
        },
      ],
    };
  }
  const named = declared.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const near = nearestName(target, named) ?? (named.length === 1 ? named[0] : undefined);
  const [only] = declared.length === 1 ? declared : [];
  const known = declared.length === 0 ? "no ports" : declared.map(describeDeclared).join(", ");
  const change = (to: number | string): NonNullable<FindingParts["fixes"]>[number] => ({
    description: `Set targetPort of port ${describePort(port)} in Service ${service.subject.name} from ${target} to ${to}.`,
    cost: 2,
    verified: declared.some(
      (item) => (item.name === to || item.port === to) && item.protocol === port.protocol,
    ),
  });
  return {
    isSure: true,
    what: `targetPort ${target} names no container port of ${first.subject.kind} ${first.subject.name}, which declares ${known}`,
    pods: lacking,
    fixes: [
      ...(near === undefined ? [] : [change(near)]),
      ...(near === undefined && only !== undefined ? [change(only.port)] : []),
      {
        description: `Or name the container port of ${first.subject.kind} ${first.subject.name} ${target}.`,
        cost: 4,
      },
    ],
  };
}

/** A number that no container declares still works when a process listens on it. */
function numberedTarget(target: number, { service, port, pods, objects }: Ask): PortFault[] {
  const declared = pods.flatMap(containerPortsOf);
  const same = declared.filter((item) => item.port === target);
  if (same.some((item) => item.protocol === port.protocol)) return [];
  const [other] = same;
  if (other !== undefined) {
    const isBoth = service.ports.some(
      (item) => item.targetPort === target && item.protocol !== port.protocol,
    );
    return isBoth ? [] : [otherProtocol(service, port, other)];
  }
  const refused = refusedConnection(target, pods, objects);
  if (refused !== undefined) {
    return [
      {
        isSure: true,
        what: `nothing listens on targetPort ${target}: a probe of that port was refused`,
        evidence: [refused],
        fixes: declared.slice(0, 1).map((item) => changeTo(service, port, item.port)),
      },
    ];
  }
  if (declared.length === 0) return [];
  return [undeclaredNumber(service, port, { target, pods, declared })];
}

function otherProtocol(service: Service, port: ServicePort, other: ContainerPort): PortFault {
  return {
    isSure: true,
    what: `port ${describePort(port)} is ${port.protocol}, and the container port ${other.port} is declared as ${other.protocol}`,
    fixes: [
      {
        description: `Set protocol of port ${describePort(port)} in Service ${service.subject.name} from ${port.protocol} to ${other.protocol}.`,
        cost: 2,
        verified: true,
      },
    ],
  };
}

function undeclaredNumber(
  service: Service,
  port: ServicePort,
  {
    target,
    pods,
    declared,
  }: { target: number; pods: readonly KnownPod[]; declared: readonly ContainerPort[] },
): PortFault {
  const candidates = declared.filter((item) => item.protocol === port.protocol);
  const signs = pods.flatMap(listenSigns);
  // A sign that another port of the service leads to tells of that port, and nothing of this one.
  const others = service.ports.filter((item) => item !== port);
  const elsewhere = signs.find(
    (sign) =>
      declared.some((item) => item.port === sign.port) &&
      !others.some((item) => (item.targetPort ?? item.port) === sign.port),
  );
  const listensThere = pods.some((pod) => isWritten(target, pod));
  const numbers = [...new Set(declared.map(describeDeclared))].join(", ");
  if (elsewhere !== undefined && !listensThere) {
    return {
      isSure: true,
      what: `targetPort ${target} is not where the pods listen: they declare ${numbers} and say so by ${elsewhere.what}`,
      fixes: [changeTo(service, port, elsewhere.port)],
    };
  }
  return {
    isSure: false,
    what: `targetPort ${target} is not among the ports that the pods declare (${numbers}); an undeclared port works when a process listens on it`,
    missing: [`on which ports the pods listen: whether one is ${target}`],
    fixes:
      candidates.length === 1 ? candidates.map((item) => changeTo(service, port, item.port)) : [],
  };
}

/** Whether a variable or an argument holds the number, as when a program has a port for each protocol. */
function isWritten(target: number, { spec }: KnownPod): boolean {
  const whole = new RegExp(`(?:^|\\D)${target}(?:\\D|$)`);
  return runningContainers(spec).some((container) =>
    [
      ...textListAt(container, "command"),
      ...textListAt(container, "args"),
      ...listAt(container, "env").map((item) => textAt(item, "value") ?? ""),
    ].some((word) => whole.test(word)),
  );
}

function changeTo(
  service: Service,
  port: ServicePort,
  to: number,
): NonNullable<FindingParts["fixes"]>[number] {
  return {
    description: `Set targetPort of port ${describePort(port)} in Service ${service.subject.name} from ${String(port.targetPort)} to ${to}.`,
    cost: 2,
    verified: true,
  };
}

/** A probe that names the target and was refused shows that no process listens there. */
function refusedConnection(
  target: number,
  pods: readonly KnownPod[],
  objects: Objects,
): EvidenceReference | undefined {
  const names = new Set(pods.map((pod) => pod.subject.name));
  for (const event of eventsInOrder(objects)) {
    const message = textAt(event.object, "message") ?? "";
    if (!message.includes(`:${target}`)) continue;
    if (!new RegExp(`:${target}[/: ].*connect(?:ion)?(?:: connection)? refused`).test(message)) {
      continue;
    }
    const namespace =
      textAt(event.object, "involvedObject", "namespace") ??
      event.object.metadata.namespace ??
      "default";
    if (!names.has(`${namespace}/${textAt(event.object, "involvedObject", "name") ?? ""}`))
      continue;
    return referenceTo(event, message);
  }
  return undefined;
}

function describeDeclared({ name, port, protocol }: ContainerPort): string {
  const number = protocol === "TCP" ? `${port}` : `${port}/${protocol}`;
  return name === undefined ? number : `${name} (${number})`;
}
