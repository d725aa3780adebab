/** Kubernetes objects from the text of `kubectl describe`, each with its events. */

import type { KubernetesObject } from "../../model/evidence.ts";
import {
  allOf,
  type DescribedField,
  fieldsOf,
  isContinuation,
  moveContinuations,
  one,
  tableRecords,
  textOf,
} from "./describe-fields.ts";
import { describedNode } from "./describe-node.ts";
import { describedPod } from "./describe-pod.ts";
import { networkDescriptions } from "./describe-network.ts";
import { settingDescriptions } from "./describe-setting.ts";
import { storageDescriptions } from "./describe-storage.ts";
import { workloadDescriptions } from "./describe-workload.ts";
import type { Description, DescriptionReader } from "./description.ts";
import type { Notes } from "./limits.ts";
import { textEvent } from "./text-object.ts";

/** Each kind, known by fields that no kind before it has. */
const readers: readonly DescriptionReader[] = [
  {
    kind: "Pod",
    fields: ["Containers", "Node-Selectors"],
    read: ({ fields, metadata }) => [describedPod(fields, metadata)],
  },
  { kind: "Node", fields: ["Allocatable"], read: readNode },
  { kind: "Node", fields: ["Taints", "Unschedulable"], read: readNode },
  ...workloadDescriptions,
  ...networkDescriptions,
  ...storageDescriptions,
  ...settingDescriptions,
];

/** Kinds whose events lie in the default namespace, because they have none of their own. */
const clusterKinds: ReadonlySet<string> = new Set([
  "ClusterRole",
  "ClusterRoleBinding",
  "Namespace",
  "Node",
  "PersistentVolume",
  "StorageClass",
]);

/** Whether a line begins the description of an object. */
export function isDescriptionStart(line: string): boolean {
  return /^Name:\s+\S/.test(line);
}

/** The objects of every description in the lines, each followed by its events. */
export function readDescriptions(
  lines: readonly string[],
  notes: Notes,
  namespace?: string,
): KubernetesObject[] {
  const starts = lines.flatMap((line, index) => (isDescriptionStart(line) ? [index] : []));
  return starts.flatMap((start, index) =>
    readDescription(lines.slice(start, starts[index + 1] ?? lines.length), notes, namespace),
  );
}

function readDescription(
  printed: readonly string[],
  notes: Notes,
  recorded: string | undefined,
): KubernetesObject[] {
  const lines = moveContinuations(printed);
  const fields = fieldsOf(lines);
  const name = textOf(fields, "Name") ?? "";
  const namespace = textOf(fields, "Namespace") ?? recorded ?? "default";
  const reader = readers.find((candidate) =>
    candidate.fields.every((field) => one(fields, field) !== undefined),
  );
  if (reader === undefined) {
    notes.add(`The description of ${name} is of a kind that is not read; its events are kept.`);
    return eventsOf(fields, { kind: "Unknown", name, namespace });
  }
  const described: Description = { fields, lines, metadata: { name, namespace } };
  const about = {
    kind: reader.kind,
    name,
    namespace: clusterKinds.has(reader.kind) ? "default" : namespace,
  };
  return [...reader.read(described), ...eventsOf(fields, about)];
}

function readNode({ fields, metadata }: Description): KubernetesObject[] {
  return describedNode(fields, metadata.name);
}

function eventsOf(
  fields: readonly DescribedField[],
  about: { kind: string; name: string; namespace: string },
): KubernetesObject[] {
  return allOf(fields, "Events").flatMap((field) => {
    const joined: string[] = [];
    for (const line of field.lines) {
      const last = joined.length - 1;
      if (isContinuation(line) && last >= 0) joined[last] += ` ${line.trim()}`;
      else joined.push(line);
    }
    return tableRecords({ ...field, lines: joined }).flatMap((row) => {
      const message = row.get("Message") ?? "";
      if (message === "") return [];
      return [
        textEvent(about, {
          type: row.get("Type") ?? "Normal",
          reason: row.get("Reason") ?? "",
          age: row.get("Age") ?? "",
          message,
        }),
      ];
    });
  });
}
