/** The names of services that pods refer to, in their variables, arguments and config maps. */

import type { Source } from "../kubernetes/objects.ts";
import { type Objects, referenceTo } from "../kubernetes/objects.ts";
import type { EvidenceReference } from "../model/evidence.ts";
import { fieldsAt, listAt, textAt, textListAt, textsAt } from "../kubernetes/fields.ts";
import type { KnownPod } from "../kubernetes/pods.ts";
import { type NameInText, namesInCommand, namesInText, namesInVariable } from "./name-in-text.ts";
import { type Service, serviceAt, servicesOf } from "./service.ts";

/** A name that a pod will look up, and the service that it would have to be. */
export interface NameReference extends NameInText {
  /** Where it stands, for example `env API_URL of container web`. */
  readonly place: string;
  readonly service: string;
  readonly namespace: string;
  readonly isNamespaceNamed: boolean;
  readonly evidence: EvidenceReference;
}

/** Names of the pods of one workload are gathered from this many containers and config maps at most. */
const placesMax = 500;

/** Every name of a service that the containers of a pod refer to, each once. */
export function referencesOf(pod: KnownPod, objects: Objects): readonly NameReference[] {
  const known = referencesByPod.get(pod);
  if (known !== undefined) return known;
  const references = pod.isSpecKnown ? gather(pod, objects) : [];
  referencesByPod.set(pod, references);
  return references;
}

/** A memory and no state: the pods of a snapshot are read once, and each belongs to one. */
const referencesByPod = new WeakMap<KnownPod, readonly NameReference[]>();

function gather(pod: KnownPod, objects: Objects): NameReference[] {
  const found = new Map<string, NameReference>();
  const namespaces = namespacesOf(objects);
  for (const { names, place, source } of placesOf(pod, objects).slice(0, placesMax)) {
    for (const name of names) {
      const meant = meaningOf(name, pod, namespaces);
      if (meant === undefined || isOwn(pod, name.host)) continue;
      const key = `${name.host}:${name.port ?? ""}`;
      if (found.has(key)) continue;
      const written = name.port === undefined ? name.host : `${name.host}:${name.port}`;
      found.set(key, {
        ...name,
        ...meant,
        place,
        evidence: referenceTo(source, `${place}: ${written}`),
      });
    }
  }
  return [...found.values()];
}

interface Place {
  readonly names: readonly NameInText[];
  readonly place: string;
  readonly source: Source;
}

function placesOf(pod: KnownPod, objects: Objects): Place[] {
  const { spec, source } = pod;
  const containers = [...listAt(spec, "initContainers"), ...listAt(spec, "containers")];
  return [
    ...containers.flatMap((container) => {
      const name = textAt(container, "name") ?? "";
      const command = [...textListAt(container, "command"), ...textListAt(container, "args")];
      return [
        ...listAt(container, "env").flatMap((item): Place[] => {
          const [variable, value] = [textAt(item, "name"), textAt(item, "value")];
          if (variable === undefined || value === undefined) return [];
          const place = `env ${variable} of container ${name}`;
          return [{ names: namesInVariable(variable, value), place, source }];
        }),
        { names: namesInCommand(command), place: `command of container ${name}`, source },
      ];
    }),
    ...settingsOf(pod, objects),
  ];
}

/** What a pod takes from config maps: single keys as variables, all keys as variables, files. */
function settingsOf({ spec, namespace }: KnownPod, objects: Objects): Place[] {
  const containers = [...listAt(spec, "initContainers"), ...listAt(spec, "containers")];
  const single = containers.flatMap((container) =>
    listAt(container, "env").flatMap((item) => {
      const reference = fieldsAt(item, "valueFrom", "configMapKeyRef");
      return [{ map: textAt(reference, "name"), key: textAt(reference, "key") }];
    }),
  );
  const whole = containers
    .flatMap((container) =>
      listAt(container, "envFrom").map((item) => textAt(item, "configMapRef", "name")),
    )
    .map((map) => ({ map, key: undefined }));
  const files = listAt(spec, "volumes").flatMap((volume) =>
    [volume, ...listAt(volume, "projected", "sources")].flatMap(filesOf),
  );
  return [...single, ...whole, ...files].flatMap(({ map, key }) => {
    const source = map === undefined ? undefined : objects.get("ConfigMap", namespace, map);
    if (source === undefined) return [];
    return [...textsAt(source.object, "data")]
      .filter(([name]) => key === undefined || name === key)
      .map(([name, value]): Place => ({
        names: value.includes("\n") ? namesInText(value) : namesInVariable(name, value),
        place: `${name} of ConfigMap ${source.object.metadata.name}`,
        source,
      }));
  });
}

/** The keys of a config map that become files: those that the volume names, or all. */
function filesOf(volume: unknown): { map: string | undefined; key: string | undefined }[] {
  const map = textAt(volume, "configMap", "name");
  const items = listAt(volume, "configMap", "items");
  if (items.length === 0) return [{ map, key: undefined }];
  return items.map((item) => ({ map, key: textAt(item, "key") ?? "" }));
}

/** Every namespace that an object of the evidence lies in or stands for. */
export function namespacesOf(objects: Objects): ReadonlySet<string> {
  const known = namespacesByObjects.get(objects);
  if (known !== undefined) return known;
  const names = new Set(objects.of("Namespace").map(({ object }) => object.metadata.name));
  for (const service of servicesOf(objects)) names.add(service.namespace);
  namespacesByObjects.set(objects, names);
  return names;
}

/** A memory and no state: the same objects always lie in the same namespaces. */
const namespacesByObjects = new WeakMap<Objects, ReadonlySet<string>>();

/** The service and the namespace that a name stands for; nothing when it is a host outside. */
export function meaningOf(
  { host, form }: Pick<NameInText, "host" | "form">,
  pod: Pick<KnownPod, "namespace">,
  namespaces: ReadonlySet<string>,
): Pick<NameReference, "service" | "namespace" | "isNamespaceNamed"> | undefined {
  if (form === "cluster") {
    const labels = host.slice(0, host.indexOf(".svc")).split(".");
    const [namespace = "", service = ""] = labels.toReversed();
    return { service, namespace, isNamespaceNamed: true };
  }
  const labels = host.split(".");
  const [service = "", namespace = ""] = labels;
  if (labels.length === 1) return { service, namespace: pod.namespace, isNamespaceNamed: false };
  // `api.dev` is a service of the namespace dev only where there is such a namespace.
  if (labels.length !== 2 || !namespaces.has(namespace)) return undefined;
  return { service, namespace, isNamespaceNamed: true };
}

/** The pod's own name, and hosts that it has written into its hosts file. */
function isOwn({ spec, source }: KnownPod, host: string): boolean {
  if (host === source.object.metadata.name || host === textAt(spec, "hostname")) return true;
  return listAt(spec, "hostAliases").some((alias) => textListAt(alias, "hostnames").includes(host));
}

/** The service that a reference names, where the evidence holds it. */
export function serviceOf(
  { namespace, service }: Pick<NameReference, "namespace" | "service">,
  objects: Objects,
): Service | undefined {
  return serviceAt(objects, namespace, service);
}

/** Every host that a pod names, services of the cluster and hosts outside alike. */
export function namesOf(pod: KnownPod, objects: Objects): string[] {
  if (!pod.isSpecKnown) return [];
  const hosts = placesOf(pod, objects)
    .slice(0, placesMax)
    .flatMap(({ names }) => names.map(({ host }) => host))
    .filter((host) => !isOwn(pod, host));
  return [...new Set(hosts)];
}
