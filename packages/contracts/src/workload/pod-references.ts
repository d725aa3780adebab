/** What the specification of a pod refers to by name. */

import { fieldsAt, isPresentAt, isTrueAt, listAt, textAt } from "../kubernetes/fields.ts";
import type { Fields } from "../model/fields.ts";
import { containersIn } from "./pod-template.ts";

export interface PodReference {
  readonly kind: string;
  readonly name: string;
  /** The key within it that is read; absent where the whole object is. */
  readonly key: string | undefined;
  /** Where it is named, for people. */
  readonly place: string;
}

/** Every reference that the pod cannot start without. Optional ones are left out. */
export function referencesOf(spec: Fields): PodReference[] {
  const named = (kind: string, name: string | undefined, place: string): PodReference[] =>
    name === undefined || name === "" ? [] : [{ kind, name, key: undefined, place }];
  const account = textAt(spec, "serviceAccountName") ?? textAt(spec, "serviceAccount");
  return [
    ...containersIn(spec).flatMap(environmentReferences),
    ...listAt(spec, "volumes").flatMap((volume) => volumeReferences(fieldsAt(volume))),
    ...listAt(spec, "imagePullSecrets").flatMap((item) =>
      named("Secret", textAt(item, "name"), "imagePullSecrets"),
    ),
    ...(account === "default" ? [] : named("ServiceAccount", account, "serviceAccountName")),
    ...named("PriorityClass", textAt(spec, "priorityClassName"), "priorityClassName"),
    ...named("RuntimeClass", textAt(spec, "runtimeClassName"), "runtimeClassName"),
  ];
}

function environmentReferences(container: Fields): PodReference[] {
  const of = textAt(container, "name") ?? "";
  const variables = listAt(container, "env").flatMap((item) =>
    keyed(fieldsAt(item, "valueFrom"), {
      secret: "secretKeyRef",
      configMap: "configMapKeyRef",
      place: `env ${textAt(item, "name") ?? ""} of container ${of}`,
    }),
  );
  const sources = listAt(container, "envFrom").flatMap((item) =>
    keyed(fieldsAt(item), {
      secret: "secretRef",
      configMap: "configMapRef",
      place: `envFrom of container ${of}`,
    }),
  );
  return [...variables, ...sources];
}

interface Fieldnames {
  readonly secret: string;
  readonly configMap: string;
  readonly place: string;
}

function keyed(source: Fields, { secret, configMap, place }: Fieldnames): PodReference[] {
  return [
    ["Secret", fieldsAt(source, secret)] as const,
    ["ConfigMap", fieldsAt(source, configMap)] as const,
  ].flatMap(([kind, reference]) => {
    const name = textAt(reference, "name");
    if (name === undefined || name === "" || isTrueAt(reference, "optional")) return [];
    return [{ kind, name, key: textAt(reference, "key"), place }];
  });
}

function volumeReferences(volume: Fields): PodReference[] {
  const place = `volume ${textAt(volume, "name") ?? ""}`;
  const claim = textAt(volume, "persistentVolumeClaim", "claimName");
  const sources = [volume, ...listAt(volume, "projected", "sources").map((item) => fieldsAt(item))];
  return [
    ...(claim === undefined
      ? []
      : [{ kind: "PersistentVolumeClaim", name: claim, key: undefined, place }]),
    ...sources.flatMap((source) => [
      ...files("ConfigMap", fieldsAt(source, "configMap"), place),
      ...files("Secret", fieldsAt(source, "secret"), place),
    ]),
  ];
}

/** A volume reads the whole object, or the keys that it lists. */
function files(kind: string, source: Fields, place: string): PodReference[] {
  const name = textAt(source, "secretName") ?? textAt(source, "name");
  if (name === undefined || name === "" || isTrueAt(source, "optional")) return [];
  const keys = listAt(source, "items").flatMap((item) => textAt(item, "key") ?? []);
  return keys.length === 0
    ? [{ kind, name, key: undefined, place }]
    : keys.map((key) => ({ kind, name, key, place }));
}

/** Volumes that are mounted and nowhere defined, each with the container that mounts it. */
export function undefinedVolumes(spec: Fields): { volume: string; container: string }[] {
  const defined = new Set(listAt(spec, "volumes").map((item) => textAt(item, "name")));
  return containersIn(spec).flatMap((container) =>
    listAt(container, "volumeMounts").flatMap((mount) => {
      const volume = textAt(mount, "name");
      if (volume === undefined || defined.has(volume) || !isPresentAt(mount, "mountPath"))
        return [];
      return [{ volume, container: textAt(container, "name") ?? "" }];
    }),
  );
}
