/** The addresses behind services, from EndpointSlices and, where there are none, from Endpoints. */

import { integerAt, listAt, textAt, textListAt } from "../kubernetes/fields.ts";
import type { Objects, Source } from "../kubernetes/objects.ts";
import { unknownFields } from "../kubernetes/text-mark.ts";

export interface Endpoint {
  readonly address: string;
  readonly isReady: boolean;
  readonly podName: string | undefined;
  readonly nodeName: string | undefined;
  readonly zone: string | undefined;
  /** Zones that this endpoint is kept for; nothing where the controller gave no hints. */
  readonly hintZones: readonly string[] | undefined;
  readonly source: Source;
}

export interface EndpointPort {
  readonly name: string;
  readonly port: number | undefined;
  readonly protocol: string;
}

export interface ServiceEndpoints {
  readonly sources: readonly Source[];
  readonly endpoints: readonly Endpoint[];
  readonly ports: readonly EndpointPort[];
  /** Some texts print neither the names of ports nor what is not ready. */
  readonly isComplete: boolean;
}

/** What the evidence says of the addresses of a service; nothing where no object tells of them. */
export function endpointsOf(
  objects: Objects,
  namespace: string,
  name: string,
): ServiceEndpoints | undefined {
  const slices = objects
    .of("EndpointSlice")
    .filter(
      ({ object }) =>
        (object.metadata.namespace ?? "default") === namespace &&
        textAt(object, "metadata", "labels", "kubernetes.io/service-name") === name,
    );
  if (slices.length > 0) return fromSlices(slices);
  const record = objects.get("Endpoints", namespace, name);
  return record === undefined || isLock(record) ? undefined : fromEndpoints(record);
}

/** What elects a leader may keep its lock on endpoints that nobody fills with addresses. */
function isLock({ object }: Source): boolean {
  return (
    textAt(object, "metadata", "annotations", "control-plane.alpha.kubernetes.io/leader") !==
    undefined
  );
}

/** Whether the evidence shows the addresses of any service of a namespace. */
export function hasEndpoints(objects: Objects, namespace: string): boolean {
  return ["EndpointSlice", "Endpoints"].some((kind) =>
    objects.of(kind).some(({ object }) => (object.metadata.namespace ?? "default") === namespace),
  );
}

function fromSlices(slices: readonly Source[]): ServiceEndpoints {
  const endpoints = slices.flatMap((source) =>
    listAt(source.object, "endpoints").flatMap((item): Endpoint[] =>
      textListAt(item, "addresses").map((address) => ({
        address,
        // An unknown condition means ready.
        isReady: textAt(item, "conditions", "ready") !== "false",
        podName: podNameOf(item),
        nodeName: textAt(item, "nodeName"),
        zone: textAt(item, "zone"),
        hintZones: hintsOf(item),
        source,
      })),
    ),
  );
  return {
    sources: slices,
    endpoints,
    ports: portsOf(slices.flatMap(portItems)),
    isComplete: slices.every(({ object }) => unknownFields(object).length === 0),
  };
}

function portItems({ object }: Source): readonly unknown[] {
  return listAt(object, "ports");
}

function hintsOf(item: unknown): readonly string[] | undefined {
  const zones = listAt(item, "hints", "forZones").flatMap((zone) => textAt(zone, "name") ?? []);
  return zones.length === 0 ? undefined : zones;
}

function podNameOf(item: unknown): string | undefined {
  return textAt(item, "targetRef", "kind") === "Pod"
    ? textAt(item, "targetRef", "name")
    : undefined;
}

function fromEndpoints(source: Source): ServiceEndpoints {
  const subsets = listAt(source.object, "subsets");
  const read = (field: string, isReady: boolean): Endpoint[] =>
    subsets.flatMap((subset) =>
      listAt(subset, field).flatMap((item): Endpoint[] => {
        const address = textAt(item, "ip");
        if (address === undefined) return [];
        return [
          {
            address,
            isReady,
            podName: podNameOf(item),
            nodeName: textAt(item, "nodeName"),
            zone: undefined,
            hintZones: undefined,
            source,
          },
        ];
      }),
    );
  return {
    sources: [source],
    endpoints: [...read("addresses", true), ...read("notReadyAddresses", false)],
    ports: portsOf(subsets.flatMap((subset) => listAt(subset, "ports"))),
    isComplete: unknownFields(source.object).length === 0,
  };
}

function portsOf(items: readonly unknown[]): readonly EndpointPort[] {
  const ports = new Map<string, EndpointPort>();
  for (const item of items) {
    const port = {
      name: textAt(item, "name") ?? "",
      port: integerAt(item, "port"),
      protocol: textAt(item, "protocol") || "TCP",
    };
    ports.set(`${port.name} ${port.port ?? ""} ${port.protocol}`, port);
  }
  return [...ports.values()];
}
