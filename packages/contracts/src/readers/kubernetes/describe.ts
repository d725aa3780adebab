/** Kubernetes objects from the text of `kubectl describe`: pods, nodes and claims with their events. */

import type { KubernetesObject } from "../../model/evidence.ts";
import { describedNode } from "./describe-node.ts";
import { describedPod } from "./describe-pod.ts";
import { allOf, type DescribedField, fieldsOf, one, tableRows, textOf } from "./describe-fields.ts";
import type { Notes } from "./limits.ts";
import { mark, textEvent } from "./tables.ts";

/** Whether a line begins the description of an object. */
export function isDescriptionStart(line: string): boolean {
  return /^Name:\s+\S/.test(line);
}

/** The objects of every description in the lines, each followed by its events. */
export function readDescriptions(lines: readonly string[], notes: Notes): KubernetesObject[] {
  const starts = lines.flatMap((line, index) => (isDescriptionStart(line) ? [index] : []));
  return starts.flatMap((start, index) =>
    readDescription(lines.slice(start, starts[index + 1] ?? lines.length), notes),
  );
}

function readDescription(lines: readonly string[], notes: Notes): KubernetesObject[] {
  const fields = fieldsOf(lines);
  const name = textOf(fields, "Name") ?? "";
  const namespace = textOf(fields, "Namespace") ?? "default";
  if (one(fields, "Node-Selectors") !== undefined && one(fields, "Containers") !== undefined) {
    const pod = describedPod(fields, { name, namespace });
    return [pod, ...eventsOf(fields, { kind: "Pod", name, namespace })];
  }
  if (one(fields, "Allocatable") !== undefined || one(fields, "Taints") !== undefined) {
    return [
      ...describedNode(fields, name),
      ...eventsOf(fields, { kind: "Node", name, namespace: "default" }),
    ];
  }
  if (
    one(fields, "StorageClass") !== undefined &&
    one(fields, "Access Modes") !== undefined &&
    one(fields, "Used By") !== undefined
  ) {
    const claim = describedClaim(fields, { name, namespace });
    return [claim, ...eventsOf(fields, { kind: "PersistentVolumeClaim", name, namespace })];
  }
  notes.add(`The description of ${name} is of a kind that is not read; its events are kept.`);
  return eventsOf(fields, { kind: "Unknown", name, namespace });
}

function describedClaim(
  fields: readonly DescribedField[],
  metadata: { name: string; namespace: string },
): KubernetesObject {
  const storageClassName = textOf(fields, "StorageClass");
  const volumeName = textOf(fields, "Volume");
  const volumeMode = textOf(fields, "VolumeMode");
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata,
    spec: {
      ...(storageClassName === undefined ? {} : { storageClassName }),
      ...(volumeName === undefined ? {} : { volumeName }),
      ...(volumeMode === undefined ? {} : { volumeMode }),
    },
    status: { phase: textOf(fields, "Status") ?? "Unknown" },
    ...mark("kubectl describe pvc", ["spec.resources", "spec.accessModes", "spec.selector"]),
  };
}

function eventsOf(
  fields: readonly DescribedField[],
  about: { kind: string; name: string; namespace: string },
): KubernetesObject[] {
  return allOf(fields, "Events").flatMap((events) =>
    tableRows(events, ["Type", "Reason", "Age", "From", "Message"]).flatMap((row) => {
      const [type = "", reason = "", age = "", , message = ""] = row;
      return message === "" ? [] : [textEvent(about, { type, reason, age, message })];
    }),
  );
}
