/** The workload behind what makes pods. */

import { listAt, textAt, isTrueAt } from "../kubernetes/fields.ts";
import type { Objects } from "../kubernetes/objects.ts";
import type { Subject } from "../model/finding.ts";

interface Made {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** A replica set stands for its deployment, a job for its cron job, where the evidence or the name tells. */
export function makerSubject({ kind, namespace, name }: Made, objects: Objects): Subject {
  const object = objects.get(kind, namespace, name)?.object;
  const owners = listAt(object, "metadata", "ownerReferences");
  const owner = owners.find((item) => isTrueAt(item, "controller")) ?? owners[0];
  const above = textAt(owner, "name");
  if (above !== undefined) {
    return { kind: (textAt(owner, "kind") ?? "").toLowerCase(), name: `${namespace}/${above}` };
  }
  const hash = textAt(object, "metadata", "labels", "pod-template-hash");
  const stem =
    kind === "ReplicaSet" && (hash !== undefined || object === undefined)
      ? /^(.+)-[a-z0-9]{6,10}$/.exec(name)?.[1]
      : undefined;
  return stem === undefined
    ? { kind: kind.toLowerCase(), name: `${namespace}/${name}` }
    : { kind: "deployment", name: `${namespace}/${stem}` };
}
