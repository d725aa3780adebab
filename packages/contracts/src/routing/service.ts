/** Services as clients meet them. */

import type { Subject } from "../model/finding.ts";
import { integerAt, isPresentAt, isTrueAt, listAt, textAt, textsAt } from "../kubernetes/fields.ts";
import { nameOf, type Objects, type Source } from "../kubernetes/objects.ts";
import { unknownFields } from "../kubernetes/text-mark.ts";

export interface ServicePort {
  readonly name: string | undefined;
  readonly port: number | undefined;
  readonly protocol: string;
  /** A number, the name of a container's port, or the port itself where nothing is said. */
  readonly targetPort: number | string | undefined;
  readonly nodePort: number | undefined;
  readonly appProtocol: string | undefined;
}

export interface Service {
  readonly source: Source;
  readonly subject: Subject;
  readonly namespace: string;
  readonly isNamespaceStated: boolean;
  readonly name: string;
  readonly type: string;
  readonly selector: ReadonlyMap<string, string>;
  readonly isSelectorKnown: boolean;
  readonly isHeadless: boolean;
  readonly externalName: string | undefined;
  readonly ports: readonly ServicePort[];
  /** What its ports lead to is not printed by every text. */
  readonly isTargetKnown: boolean;
  readonly publishesNotReady: boolean;
  /** It exists in a cluster, whose API has accepted it. */
  readonly isLive: boolean;
}

/** The Services of the core API; other groups have kinds of that name. */
export function servicesOf(objects: Objects): readonly Service[] {
  const known = servicesByObjects.get(objects);
  if (known !== undefined) return known;
  const services = objects
    .of("Service")
    .filter(({ object }) => object.apiVersion === "v1")
    .map(readService);
  servicesByObjects.set(objects, services);
  return services;
}

/** A memory and no state: the same objects always have the same services. */
const servicesByObjects = new WeakMap<Objects, readonly Service[]>();

/** One Service of the core API. */
export function serviceAt(objects: Objects, namespace: string, name: string): Service | undefined {
  const source = objects.get("Service", namespace, name);
  return source?.object.apiVersion === "v1" ? readService(source) : undefined;
}

function readService(source: Source): Service {
  const { object } = source;
  const { namespace, name } = object.metadata;
  const unknown = unknownFields(object);
  return {
    source,
    subject: { kind: "service", name: nameOf(object) },
    namespace: namespace ?? "default",
    isNamespaceStated: namespace !== undefined,
    name,
    type: textAt(object, "spec", "type") ?? "ClusterIP",
    selector: textsAt(object, "spec", "selector"),
    isSelectorKnown: !unknown.includes("spec.selector") && !unknown.includes("spec"),
    isHeadless: textAt(object, "spec", "clusterIP") === "None",
    externalName: textAt(object, "spec", "externalName"),
    ports: listAt(object, "spec", "ports").map(readPort),
    isTargetKnown: !unknown.some((field) => /^spec(?:\.ports(?:\.targetPort)?)?$/.test(field)),
    publishesNotReady:
      isTrueAt(object, "spec", "publishNotReadyAddresses") ||
      textAt(
        object,
        "metadata",
        "annotations",
        "service.alpha.kubernetes.io/tolerate-unready-endpoints",
      ) === "true",
    isLive:
      isPresentAt(object, "metadata", "uid") ||
      isPresentAt(object, "metadata", "creationTimestamp") ||
      unknown.length > 0,
  };
}

function readPort(item: unknown): ServicePort {
  const port = integerAt(item, "port");
  const target = integerAt(item, "targetPort") ?? textAt(item, "targetPort");
  const name = textAt(item, "name");
  return {
    name: name === "" || name === "<unset>" ? undefined : name,
    port,
    protocol: textAt(item, "protocol") || "TCP",
    targetPort: target === undefined || target === "" || target === 0 ? port : target,
    nodePort: integerAt(item, "nodePort") || undefined,
    appProtocol: textAt(item, "appProtocol"),
  };
}

/** A port as people write it: `http 80/TCP`. */
export function describePort({ name, port, protocol }: ServicePort): string {
  const number = `${port ?? "?"}/${protocol}`;
  return name === undefined ? number : `${name} ${number}`;
}
