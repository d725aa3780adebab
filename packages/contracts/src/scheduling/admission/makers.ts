/** Who makes pods: workloads with the pods that they still have to make, and pods that are manifests. */

import type { Fields } from "../../model/fields.ts";
import { fieldsAt, integerAt, isPresentAt, listAt, textAt } from "../../kubernetes/fields.ts";
import type { Objects, Source } from "../../kubernetes/objects.ts";

/** A maker of pods. */
export interface Maker {
  /** The object under which people know it. */
  readonly subject: { readonly kind: string; readonly name: string };
  readonly namespace: string;
  /** The object that makes the pods itself, such as the ReplicaSet of a Deployment. */
  readonly source: Source;
  /** Specification of one pod. */
  readonly spec: Fields;
  /** Pods that it should have, and those that it has. */
  readonly wantedCount: number;
  readonly madeCount: number;
  /** What the API server said when it refused a pod, as its conditions tell. */
  readonly said: string | undefined;
}

const templateKinds: readonly string[] = [
  "DaemonSet",
  "Deployment",
  "Job",
  "ReplicaSet",
  "ReplicationController",
  "StatefulSet",
];

/** The makers of a cluster, in order of their subject. */
export function readMakers(objects: Objects): Maker[] {
  const makers = templateKinds.flatMap((kind) =>
    objects.of(kind).flatMap((source) => workloadMaker(source, objects)),
  );
  const cronJobs = objects.of("CronJob").flatMap((source): Maker[] => {
    // A job that has run is an object of its own; a manifest is judged by the job it would make.
    if (isPresentAt(source.object, "status")) return [];
    const job = fieldsAt(source.object, "spec", "jobTemplate");
    return [makerOf(source, { ...counted(job), template: fieldsAt(job, "spec", "template") })];
  });
  const pods = objects.of("Pod").flatMap((source): Maker[] => {
    if (isPresentAt(source.object, "status", "phase") || ownerOf(source) !== undefined) return [];
    const template = source.object;
    return [makerOf(source, { template, wantedCount: 1, madeCount: 0 })];
  });
  return [...makers, ...cronJobs, ...pods];
}

function workloadMaker(source: Source, objects: Objects): Maker[] {
  const { object } = source;
  const template = fieldsAt(object, "spec", "template");
  if (!isPresentAt(template, "spec")) return [];
  const namespace = object.metadata.namespace ?? "default";
  // A deployment that is live makes its pods through its replica sets, where they are at hand.
  if (object.kind === "Deployment" && isPresentAt(object, "status")) {
    const hasSets = objects
      .of("ReplicaSet")
      .some(
        (set) =>
          (set.object.metadata.namespace ?? "default") === namespace &&
          ownerOf(set)?.name === object.metadata.name,
      );
    if (hasSets) return [];
  }
  const maker = makerOf(source, { ...counted(object), template });
  return maker.wantedCount === 0 && object.kind === "ReplicaSet" ? [] : [maker];
}

function makerOf(
  source: Source,
  rest: { template: Fields; wantedCount: number; madeCount: number },
): Maker {
  const { kind, metadata } = source.object;
  const namespace = metadata.namespace ?? "default";
  const owner = ownerOf(source);
  const known = owner ?? { kind, name: metadata.name };
  return {
    subject: { kind: known.kind.toLowerCase(), name: `${namespace}/${known.name}` },
    namespace,
    source,
    spec: fieldsAt(rest.template, "spec"),
    wantedCount: rest.wantedCount,
    madeCount: rest.madeCount,
    said: saidBy(source.object),
  };
}

function counted(object: Fields): { wantedCount: number; madeCount: number } {
  const status = fieldsAt(object, "status");
  if (object["kind"] === "DaemonSet") {
    const wantedCount = integerAt(status, "desiredNumberScheduled") ?? 1;
    return { wantedCount, madeCount: integerAt(status, "currentNumberScheduled") ?? 0 };
  }
  const parallelism = integerAt(object, "spec", "parallelism");
  const wantedCount = integerAt(object, "spec", "replicas") ?? parallelism ?? 1;
  if (object["kind"] !== "Job") {
    return { wantedCount, madeCount: integerAt(status, "replicas") ?? 0 };
  }
  const over = listAt(status, "conditions").some((item) =>
    ["Complete", "Failed", "Suspended"].includes(textAt(item, "type") ?? ""),
  );
  const isSuspended = fieldsAt(object, "spec")["suspend"] === true;
  // A job runs so many pods at once, but no more than are left to complete.
  const completions = integerAt(object, "spec", "completions") ?? wantedCount;
  const left = Math.max(0, completions - (integerAt(status, "succeeded") ?? 0));
  return {
    wantedCount: over || isSuspended ? 0 : Math.min(wantedCount, left),
    madeCount: integerAt(status, "active") ?? 0,
  };
}

function ownerOf({ object }: Source): { kind: string; name: string } | undefined {
  const owner = listAt(object, "metadata", "ownerReferences").find(
    (item) => fieldsAt(item)["controller"] === true,
  );
  const [kind, name] = [textAt(owner, "kind"), textAt(owner, "name")];
  return kind === undefined || name === undefined ? undefined : { kind, name };
}

function saidBy(object: Fields): string | undefined {
  const condition = listAt(object, "status", "conditions").find(
    (item) => textAt(item, "type") === "ReplicaFailure" && textAt(item, "status") === "True",
  );
  return textAt(condition, "message");
}
