/** The workload behind what makes pods. */

import type { EventIndex } from "../kubernetes/event-index.ts";
import { integerAt, isTrueAt, listAt, textAt } from "../kubernetes/fields.ts";
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

/** Whether a maker that was refused has made its pods since: a later event says so, or it has what it wants. */
export function hasMadePods(
  made: Made & { readonly order: number },
  objects: Objects,
  events: EventIndex,
): boolean {
  const { kind, namespace, name, order } = made;
  const succeeded = events
    .about(kind, namespace, name)
    .some((event) => event.reason === "SuccessfulCreate" && event.order >= order);
  if (succeeded) return true;
  const object = objects.get(kind, namespace, name)?.object;
  const wanted = integerAt(object, "spec", "replicas");
  const has = integerAt(object, "status", "replicas");
  if (wanted !== undefined && has !== undefined) return has >= wanted && has > 0;
  return (
    (integerAt(object, "status", "active") ?? 0) + (integerAt(object, "status", "succeeded") ?? 0) >
    0
  );
}
