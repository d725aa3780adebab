/** The pod that the manifest of a workload would make. */

import { fieldsAt, integerAt, isPresentAt } from "../kubernetes/fields.ts";
import type { Source } from "../kubernetes/objects.ts";
import { type Pod, readPod } from "./pod.ts";
import type { PriorityClasses } from "./priority.ts";

/**
 * Reads the pod template of a workload that has no status, that is, of a manifest: what runs in a cluster has pods
 * of its own. A workload scaled to nothing makes none.
 */
export function templatePod(source: Source, classes: PriorityClasses): Pod | undefined {
  const { object } = source;
  if (isPresentAt(object, "status")) return undefined;
  if (integerAt(object, "spec", "replicas") === 0) return undefined;
  const path =
    object.kind === "CronJob" ? ["spec", "jobTemplate", "spec", "template"] : ["spec", "template"];
  const template = fieldsAt(object, ...path);
  if (!isPresentAt(template, "spec")) return undefined;
  const { namespace, name } = object.metadata;
  const pod: Source["object"] = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: fieldsAt(template, "metadata", "labels"),
    },
    spec: fieldsAt(template, "spec"),
  };
  return readPod({ ...source, object: pod }, classes);
}
