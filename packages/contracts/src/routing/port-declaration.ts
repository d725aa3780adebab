/** Faults in the list of a service's ports itself, which the API refuses or which two services fight over. */

import { plural } from "../text/plural.ts";
import { isPortName } from "./container-clash.ts";
import type { PortFault } from "./port-target.ts";
import { describePort, type Service, type ServicePort } from "./service.ts";

const portMax = 65_535;

interface Surroundings {
  readonly services: readonly Service[];
  readonly nodePortMin: number;
  readonly nodePortMax: number;
}

/** What is wrong with the ports of a service whatever stands behind it. */
export function portDeclarationFaults(service: Service, around: Surroundings): PortFault[] {
  const { ports } = service;
  if (ports.length === 0) {
    return service.isHeadless || service.isLive
      ? []
      : [
          {
            isSure: false,
            what: "it declares no ports, and the API takes only a headless service without any",
            missing: ["its ports"],
            fixes: [],
          },
        ];
  }
  return [
    ...nameFaults(service),
    ...ports.flatMap((port) => numberFaults(port)),
    ...twins(service),
    ...ports.flatMap((port) => nodePortFaults(service, port, around)),
  ];
}

function nameFaults(service: Service): PortFault[] {
  const { ports, subject } = service;
  const unnamed = ports.filter((port) => port.name === undefined);
  const names = ports.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const repeated = [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
  const badNames = names.filter((name) => !/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(name));
  // The text of kubectl leaves names out, so only an object of the API or a manifest lacks them surely.
  const lacks =
    ports.length > 1 && unnamed.length > 0 && service.source.object["faultlineText"] === undefined;
  return [
    ...(lacks
      ? [
          sure(
            `${unnamed.length} of ${plural(ports.length, "port")} have no name, which each needs where there are several`,
            unnamed.map(
              (port) => `Give port ${describePort(port)} of Service ${subject.name} a name.`,
            ),
          ),
        ]
      : []),
    ...repeated.map((name) =>
      sure(`two ports are named ${name}`, [
        `Give the ports of Service ${subject.name} that are named ${name} names of their own.`,
      ]),
    ),
    ...badNames.map((name) =>
      sure(`the port name ${name} is not made of a-z, 0-9 and -`, [
        `Rename port ${name} of Service ${subject.name} to ${name.toLowerCase().replaceAll(/[^a-z0-9-]/g, "-")}.`,
      ]),
    ),
  ];
}

function numberFaults(port: ServicePort): PortFault[] {
  const inRange = (value: number): boolean => value >= 1 && value <= portMax;
  const { targetPort } = port;
  return [
    ...(port.port === undefined ? [sure("a port has no number", [])] : []),
    ...(port.port !== undefined && !inRange(port.port)
      ? [sure(`port ${port.port} is not between 1 and ${portMax}`, [])]
      : []),
    ...(typeof targetPort === "number" && !inRange(targetPort) && targetPort !== port.port
      ? [sure(`targetPort ${targetPort} is not between 1 and ${portMax}`, [])]
      : []),
    ...(typeof targetPort === "string" ? targetNameFaults(targetPort) : []),
    ...(["TCP", "UDP", "SCTP"].includes(port.protocol)
      ? []
      : [
          sure(`the protocol ${port.protocol} is none of TCP, UDP and SCTP`, [
            `Set the protocol to ${port.protocol.toUpperCase()}, if that is one of them; what is spoken above it goes into appProtocol.`,
          ]),
        ]),
  ];
}

function targetNameFaults(name: string): PortFault[] {
  return isPortName(name)
    ? []
    : [
        sure(
          `targetPort ${name} can name no container port: such names have at most 15 characters of a-z, 0-9 and -, with a letter`,
          [],
        ),
      ];
}

function twins({ ports, subject }: Service): PortFault[] {
  const seen = new Set<string>();
  return ports.flatMap((port) => {
    const key = `${port.port ?? ""}/${port.protocol}`;
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    return [sure(`port ${key} stands in it twice`, [`Drop one port ${key} of ${subject.name}.`])];
  });
}

function nodePortFaults(
  service: Service,
  port: ServicePort,
  { services, nodePortMin, nodePortMax }: Surroundings,
): PortFault[] {
  const { nodePort } = port;
  // What a cluster has accepted lies in its range, and no two services of it hold the same.
  if (nodePort === undefined || service.isLive) return [];
  const name = service.subject.name;
  if (service.type === "ClusterIP") {
    return [
      sure(`nodePort ${nodePort} stands in a service of type ClusterIP, which has none`, [
        `Set spec.type of Service ${name} from ClusterIP to NodePort, or drop nodePort.`,
      ]),
    ];
  }
  if (nodePort < nodePortMin || nodePort > nodePortMax) {
    return [
      sure(`nodePort ${nodePort} is not between ${nodePortMin} and ${nodePortMax}`, [
        `Drop nodePort of port ${describePort(port)} in Service ${name}, or choose one between ${nodePortMin} and ${nodePortMax}.`,
      ]),
    ];
  }
  const holder = services.find(
    (other) =>
      other.subject.name !== name &&
      other.ports.some((item) => item.nodePort === nodePort && item.protocol === port.protocol),
  );
  return holder === undefined
    ? []
    : [
        sure(
          `nodePort ${nodePort}/${port.protocol} is asked for by Service ${holder.subject.name}, too`,
          [`Drop nodePort ${nodePort} of one of both, so that the cluster chooses a free one.`],
        ),
      ];
}

function sure(what: string, fixes: readonly string[]): PortFault {
  return { isSure: true, what, fixes: fixes.map((description) => ({ description, cost: 2 })) };
}
