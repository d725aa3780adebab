/** What pods should be, from every object that says it: pods, and the templates of what makes pods. */

import { fieldsAt, integerAt, isPresentAt, listAt } from "../kubernetes/fields.ts";
import { nameOf, objectsOf, type Objects, type Source } from "../kubernetes/objects.ts";
import { unknownFields } from "../kubernetes/text-mark.ts";
import type { Subject } from "../model/finding.ts";
import type { Fields } from "../model/fields.ts";
import type { Snapshot } from "../model/snapshot.ts";

export interface PodTemplate {
  readonly source: Source;
  readonly subject: Subject;
  readonly namespace: string;
  /** Metadata of the pods that it makes; of a pod its own. */
  readonly metadata: Fields;
  readonly spec: Fields;
  /** Whether pods are made of it now; a workload scaled to nothing makes none. */
  readonly isInUse: boolean;
  /** Fields of `spec` that the text it was read from does not print. */
  readonly unknown: readonly string[];
}

/** Kinds that make pods, with the path of their template, widest first. */
const templatePaths: readonly (readonly [kind: string, ...path: string[]])[] = [
  ["Deployment", "spec", "template"],
  ["StatefulSet", "spec", "template"],
  ["DaemonSet", "spec", "template"],
  ["CronJob", "spec", "jobTemplate", "spec", "template"],
  ["Job", "spec", "template"],
  ["ReplicaSet", "spec", "template"],
  ["ReplicationController", "spec", "template"],
];

/** Every template whose specification the evidence holds. What another object made is left to its maker. */
export function templatesOf(snapshot: Snapshot): readonly PodTemplate[] {
  const known = templatesBySnapshot.get(snapshot);
  if (known !== undefined) return known;
  const objects = objectsOf(snapshot);
  const templates = [
    ...templatePaths.flatMap(([kind, ...path]) =>
      objects.of(kind).flatMap((source) => templateOf(source, path, objects) ?? []),
    ),
    ...objects.of("Pod").flatMap((source) => templateOf(source, [], objects) ?? []),
  ];
  templatesBySnapshot.set(snapshot, templates);
  return templates;
}

/** A memory and no state: the same snapshot always has the same templates. */
const templatesBySnapshot = new WeakMap<Snapshot, readonly PodTemplate[]>();

/** The containers of a template, those that run first included. */
export function containersIn(spec: Fields): readonly Fields[] {
  return [...listAt(spec, "initContainers"), ...listAt(spec, "containers")].map((item) =>
    fieldsAt(item),
  );
}

function templateOf(
  source: Source,
  path: readonly string[],
  objects: Objects,
): PodTemplate | undefined {
  if (listAt(source.object, "metadata", "ownerReferences").length > 0) return undefined;
  const specified = objects
    .recordsOf(source.object)
    .find(({ object }) => isPresentAt(object, ...path, "spec", "containers"));
  if (specified === undefined) return undefined;
  const { object } = specified;
  const prefix = [...path, "spec"].join(".");
  return {
    source: specified,
    subject: { kind: object.kind.toLowerCase(), name: nameOf(object) },
    namespace: object.metadata.namespace ?? "default",
    metadata: fieldsAt(object, ...path, "metadata"),
    spec: fieldsAt(object, ...path, "spec"),
    isInUse: integerAt(object, "spec", "replicas") !== 0,
    unknown: unknownFields(object).map((field) =>
      field.startsWith(`${prefix}.`) ? `spec${field.slice(prefix.length)}` : field,
    ),
  };
}
