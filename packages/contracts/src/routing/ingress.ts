/** Ingresses, as all versions of the API write them. */

import type { Subject } from "../model/finding.ts";
import {
  integerAt,
  isPresentAt,
  listAt,
  textAt,
  textListAt,
  textsAt,
} from "../kubernetes/fields.ts";
import { nameOf, type Objects, type Source } from "../kubernetes/objects.ts";
import { unknownFields } from "../kubernetes/text-mark.ts";

export interface IngressPath {
  /** Empty for all hosts. */
  readonly host: string;
  readonly path: string;
  readonly pathType: string | undefined;
  readonly serviceName: string | undefined;
  readonly port: number | string | undefined;
}

export interface Ingress {
  readonly source: Source;
  readonly subject: Subject;
  readonly namespace: string;
  readonly isNamespaceStated: boolean;
  readonly className: string | undefined;
  readonly annotatedClass: string | undefined;
  readonly annotations: ReadonlyMap<string, string>;
  readonly paths: readonly IngressPath[];
  readonly defaultBackend: IngressPath | undefined;
  readonly hosts: readonly string[];
  readonly tls: readonly { readonly secretName: string; readonly hosts: readonly string[] }[];
  readonly hasAddress: boolean;
  readonly isLive: boolean;
  readonly isPathTypeKnown: boolean;
  /** Version 1 demands a pathType; those before it did not. */
  readonly needsPathType: boolean;
}

/** The Ingresses of Kubernetes; other groups have kinds of that name. */
export function ingressesOf(objects: Objects): readonly Ingress[] {
  return objects
    .of("Ingress")
    .filter(({ object }) => /^(?:networking\.k8s\.io|extensions)\//.test(object.apiVersion))
    .map(readIngress);
}

function readIngress(source: Source): Ingress {
  const { object } = source;
  const rules = listAt(object, "spec", "rules");
  const unknown = unknownFields(object);
  const annotations = textsAt(object, "metadata", "annotations");
  const backend = isPresentAt(object, "spec", "defaultBackend") ? "defaultBackend" : "backend";
  const spec = object["spec"];
  return {
    source,
    subject: { kind: "ingress", name: nameOf(object) },
    namespace: object.metadata.namespace ?? "default",
    isNamespaceStated: object.metadata.namespace !== undefined,
    className: textAt(object, "spec", "ingressClassName"),
    annotatedClass: annotations.get("kubernetes.io/ingress.class"),
    annotations,
    paths: rules.flatMap(readRule),
    defaultBackend: isPresentAt(spec, backend)
      ? { host: "", path: "", pathType: undefined, ...readBackend(spec, backend) }
      : undefined,
    hosts: rules.flatMap((rule) => textAt(rule, "host") ?? []),
    tls: listAt(object, "spec", "tls").flatMap((item) => {
      const secretName = textAt(item, "secretName");
      return secretName === undefined ? [] : [{ secretName, hosts: textListAt(item, "hosts") }];
    }),
    hasAddress: listAt(object, "status", "loadBalancer", "ingress").length > 0,
    isLive:
      isPresentAt(object, "metadata", "uid") ||
      isPresentAt(object, "metadata", "creationTimestamp") ||
      unknown.length > 0,
    isPathTypeKnown: unknown.length === 0,
    needsPathType: object.apiVersion === "networking.k8s.io/v1",
  };
}

function readRule(rule: unknown): IngressPath[] {
  const host = textAt(rule, "host") ?? "";
  return listAt(rule, "http", "paths").map((item) => ({
    host,
    path: textAt(item, "path") ?? "",
    pathType: textAt(item, "pathType"),
    ...readBackend(item, "backend"),
  }));
}

/** A backend that is a resource of another kind has no service. */
function readBackend(value: unknown, field: string): Pick<IngressPath, "serviceName" | "port"> {
  const port =
    integerAt(value, field, "service", "port", "number") ??
    textAt(value, field, "service", "port", "name") ??
    integerAt(value, field, "servicePort") ??
    textAt(value, field, "servicePort");
  return {
    serviceName: textAt(value, field, "service", "name") ?? textAt(value, field, "serviceName"),
    port,
  };
}

/** A path as people write it: `app.example.com/api`. */
export function describePath({ host, path }: IngressPath): string {
  if (host === "" && path === "") return "the default backend";
  return `${host === "" ? "*" : host}${path === "" ? "/" : path}`;
}
