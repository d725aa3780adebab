/** Judges whether a claim gets a volume. */

import { type ClusterEvent, eventsOf } from "../kubernetes/event-index.ts";
import { isPresentAt, isTrueAt, listAt, textAt } from "../kubernetes/fields.ts";
import { nameOf, type Objects, referenceTo, type Source } from "../kubernetes/objects.ts";
import { resourceAmount } from "../kubernetes/quantity.ts";
import type { FindingParts } from "../model/make-finding.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { mismatchesOf } from "../scheduling/volume-match.ts";
import { nearestName } from "../text/nearest-name.ts";
import type { Judgement } from "./gather-findings.ts";

export interface ClaimContext {
  readonly snapshot: Snapshot;
  readonly objects: Objects;
  readonly options: { readonly provisionerWaitCountMin: number };
}

/** One claim with what is said about it. */
interface ClaimCase extends ClaimContext {
  readonly source: Source;
  readonly subject: FindingParts["subject"];
  readonly name: string;
  readonly phase: string | undefined;
  readonly className: string | undefined;
  readonly events: readonly ClusterEvent[];
}

/** What is found about a claim. A manifest is judged only by what the other objects settle. */
export function judgeClaim(source: Source, context: ClaimContext): Judgement[] {
  const { object } = source;
  const { namespace = "default", name } = object.metadata;
  const item: ClaimCase = {
    ...context,
    source,
    name: nameOf(object),
    subject: { kind: "persistentvolumeclaim", name: nameOf(object) },
    phase: textAt(object, "status", "phase"),
    className: classOf(source, context.objects),
    events: eventsOf(context.snapshot).about("PersistentVolumeClaim", namespace, name),
  };
  if (item.phase === "Bound") return [boundJudgement(item)];
  if (item.phase === "Lost") return [lostJudgement(item)];
  const told = toldFailure(item);
  if (told !== undefined) return [told];
  const static_ = staticFailure(item);
  if (static_ !== undefined) return [static_];
  return item.phase === undefined ? [] : [waitingJudgement(item)];
}

/** The class that counts: the claim's own, else the default one of the cluster. */
function classOf({ object }: Source, objects: Objects): string | undefined {
  const own =
    textAt(object, "spec", "storageClassName") ??
    textAt(object, "metadata", "annotations", "volume.beta.kubernetes.io/storage-class");
  if (own !== undefined) return own;
  return objects.of("StorageClass").find((source) => isDefault(source))?.object.metadata.name;
}

function isDefault({ object }: Source): boolean {
  const annotations = [
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
  ];
  return annotations.some((name) => textAt(object, "metadata", "annotations", name) === "true");
}

/** What the controllers themselves say. */
function toldFailure(item: ClaimCase): Judgement | undefined {
  const { events } = item;
  const missing = events.find(({ message }) => missingClass(message) !== undefined);
  if (missing !== undefined) {
    return classJudgement(item, missingClass(missing.message) ?? "", missing);
  }
  const unset = events.find(({ message }) =>
    message.includes("no persistent volumes available for this claim and no storage class is set"),
  );
  if (unset !== undefined) return unsetJudgement(item, unset);
  const failed = events.find(
    ({ reason, isWarning }) =>
      isWarning &&
      /^(?:ProvisioningFailed|FailedBinding|ClaimMisbound|VolumeMismatch|ClaimLost)$/.test(reason),
  );
  if (failed !== undefined) return provisionerJudgement(item, failed);
  const waiting = events.find(({ reason }) => reason === "ExternalProvisioning");
  if (waiting !== undefined && waiting.count >= item.options.provisionerWaitCountMin) {
    return silentJudgement(item, waiting);
  }
  return undefined;
}

function missingClass(message: string): string | undefined {
  return /storageclass(?:\.storage\.k8s\.io)? "([^"]{1,253})" not found/.exec(message)?.[1];
}

function classJudgement(
  item: ClaimCase,
  className: string,
  event: ClusterEvent | undefined,
): Judgement {
  const names = item.objects.of("StorageClass").map(({ object }) => object.metadata.name);
  const near = nearestName(className, names);
  const usual = item.objects.of("StorageClass").find((source) => isDefault(source))?.object
    .metadata.name;
  const target = near ?? usual;
  return {
    weight: 3,
    parts: {
      verdict: "violated",
      subject: item.subject,
      title: `Claim ${item.name} gets no volume: its storage class "${className}" does not exist${near === undefined ? "" : `; ${near} does`}.`,
      actual: event?.message ?? `The storage classes are ${names.join(", ")}.`,
      causeKind: "configuration",
      measures: { storageClassName: className, phase: item.phase },
      evidence: evidenceOf(item, event),
      fixes: [
        {
          description: `Make the claim anew with ${target === undefined ? "a storage class that exists" : `the storage class ${target}`}: storageClassName of a claim cannot be changed.`,
        },
        { description: `Create the storage class ${className}.` },
      ],
      nextChecks: ["kubectl get storageclass"],
    },
  };
}

function unsetJudgement(item: ClaimCase, event: ClusterEvent): Judgement {
  return {
    weight: 3,
    parts: {
      verdict: "violated",
      subject: item.subject,
      title: `Claim ${item.name} gets no volume: it names no storage class, the cluster has no default one, and no volume fits.`,
      actual: event.message,
      causeKind: "configuration",
      evidence: evidenceOf(item, event),
      fixes: [
        { description: "Name a storage class in the claim, or mark one as the default." },
        { description: "Create a persistent volume that fits the claim." },
      ],
      nextChecks: ["kubectl get storageclass,pv"],
    },
  };
}

function provisionerJudgement(item: ClaimCase, event: ClusterEvent): Judgement {
  const [, words] = /(?:desc = |: )([^\n]{4,400})$/.exec(event.message) ?? [];
  const isFull = /quota|exceed|insufficient|no space|limit/i.test(event.message);
  return {
    weight: 2,
    parts: {
      verdict: "violated",
      subject: item.subject,
      title: `Claim ${item.name} gets no volume: ${event.reason}: ${words ?? event.message}`,
      actual: event.message,
      causeKind: isFull ? "capacity" : "configuration",
      measures: { storageClassName: item.className, eventCount: event.count },
      evidence: evidenceOf(item, event),
      fixes: [
        {
          description:
            "Mend what the provisioner names: access modes, parameters of the class, quota or credentials.",
        },
      ],
      nextChecks: ["the log of the provisioner of the storage class"],
    },
  };
}

function silentJudgement(item: ClaimCase, event: ClusterEvent): Judgement {
  const [, provisioner] = /provisioner '([^']{1,253})'/.exec(event.message) ?? [];
  return {
    weight: 2,
    parts: {
      verdict: "violated",
      subject: item.subject,
      title: `Claim ${item.name} waits for ${provisioner === undefined ? "its provisioner" : `the provisioner ${provisioner}`}, which does not answer.`,
      actual: event.message,
      causeKind: "dependency",
      measures: { storageClassName: item.className, eventCount: event.count },
      evidence: evidenceOf(item, event),
      fixes: [
        {
          description: `Install or repair the provisioner${provisioner === undefined ? "" : ` ${provisioner}`}, or use a class whose provisioner runs.`,
        },
      ],
      nextChecks: ["kubectl get pods -A | grep -i csi shows whether the provisioner runs"],
    },
  };
}

/** What the other objects settle: a class that is not among the cluster's, or no volume that fits. */
function staticFailure(item: ClaimCase): Judgement | undefined {
  const { objects, className, source } = item;
  if (!objects.has("StorageClass") && !objects.has("PersistentVolume")) return undefined;
  const stated = textAt(source.object, "spec", "storageClassName");
  const known =
    className === undefined || className === ""
      ? undefined
      : objects.get("StorageClass", "", className);
  if (stated !== undefined && stated !== "" && known === undefined && objects.has("StorageClass")) {
    if (bindableVolume(item) !== undefined) return undefined;
    // Only what looks like a whole cluster settles that a class is nowhere.
    return objects.has("Node") || item.phase !== undefined
      ? classJudgement(item, stated, undefined)
      : undefined;
  }
  const makesVolumes =
    known !== undefined && textAt(known.object, "provisioner") !== "kubernetes.io/no-provisioner";
  if (makesVolumes || isPresentAt(source.object, "spec", "volumeName")) return undefined;
  if (bindableVolume(item) !== undefined) return undefined;
  const waits =
    known !== undefined && textAt(known.object, "volumeBindingMode") === "WaitForFirstConsumer";
  // A pod decides then; the scheduler's filters judge it.
  if (waits || (item.phase === undefined && !objects.has("Node"))) return undefined;
  return noVolume(item);
}

function bindableVolume({ objects, source, className }: ClaimCase): Source | undefined {
  return objects
    .of("PersistentVolume")
    .find(({ object }) => mismatchesOf(object, source.object, className ?? "").length === 0);
}

function noVolume(item: ClaimCase): Judgement {
  const { objects, source, className } = item;
  const ranked = objects
    .of("PersistentVolume")
    .map((volume) => ({
      volume,
      differences: mismatchesOf(volume.object, source.object, className ?? ""),
    }))
    .sort((left, right) => left.differences.length - right.differences.length);
  const [nearest] = ranked;
  const why =
    nearest === undefined
      ? "there is no persistent volume"
      : `the nearest volume, ${nearest.volume.object.metadata.name}, does not fit: ${nearest.differences.join("; ")}`;
  const from =
    className === undefined || className === ""
      ? "no storage class makes one"
      : `its class ${className} makes none`;
  return {
    weight: 2,
    parts: {
      verdict: "violated",
      subject: item.subject,
      title: `Claim ${item.name} gets no volume: ${from}, and ${why}.`,
      actual: `Phase ${item.phase ?? "none yet"}; ${ranked.length} persistent volumes in the evidence.`,
      causeKind: "configuration",
      measures: { storageClassName: className, volumeCount: ranked.length },
      evidence: [
        referenceTo(source),
        ...(nearest === undefined ? [] : [referenceTo(nearest.volume)]),
      ],
      fixes: [
        {
          description:
            nearest === undefined
              ? "Create a persistent volume that fits the claim, or name a class with a provisioner."
              : `Make the claim fit ${nearest.volume.object.metadata.name}: ${nearest.differences.join("; ")}; or create a volume that fits the claim.`,
        },
      ],
      nextChecks: ["kubectl get pv,storageclass"],
    },
  };
}

/** A claim that waits, and nothing says that it waits in vain. */
function waitingJudgement(item: ClaimCase): Judgement {
  const first = item.events.find(({ reason }) => reason === "WaitForFirstConsumer");
  const known =
    item.className === undefined ? undefined : item.objects.get("StorageClass", "", item.className);
  const waits =
    first !== undefined ||
    (known !== undefined && textAt(known.object, "volumeBindingMode") === "WaitForFirstConsumer");
  if (waits) {
    return {
      parts: {
        verdict: "holds",
        subject: item.subject,
        title: `Claim ${item.name} waits for the first pod that uses it, as its class wants (WaitForFirstConsumer).`,
        actual: first?.message ?? `Phase ${item.phase ?? ""}.`,
        evidence: evidenceOf(item, first),
      },
    };
  }
  return {
    parts: {
      verdict: "inconclusive",
      subject: item.subject,
      title: `Claim ${item.name} is ${item.phase ?? "not bound"}, and the evidence does not tell why.`,
      actual: `Phase ${item.phase ?? "unknown"}.`,
      evidence: [referenceTo(item.source)],
      missing: ["the claim's events, the storage classes and the persistent volumes"],
      nextChecks: [
        `kubectl describe pvc ${item.source.object.metadata.name} -n ${item.source.object.metadata.namespace ?? "default"}`,
        "kubectl get storageclass,pv",
      ],
    },
  };
}

function lostJudgement(item: ClaimCase): Judgement {
  const volume = textAt(item.source.object, "spec", "volumeName") ?? "its volume";
  return {
    weight: 3,
    parts: {
      verdict: "violated",
      subject: item.subject,
      title: `Claim ${item.name} lost its volume: ${volume} is gone.`,
      actual: "Phase Lost.",
      causeKind: "dependency",
      evidence: evidenceOf(item, item.events[0]),
      fixes: [{ description: `Restore ${volume}, or make the claim anew and restore its data.` }],
      nextChecks: [`kubectl get pv ${volume}`],
    },
  };
}

/** A bound claim holds, unless it was to grow and cannot. */
function boundJudgement(item: ClaimCase): Judgement {
  const { source, events, objects, className } = item;
  const failed = events.find(({ reason }) =>
    /^(?:VolumeResizeFailed|FileSystemResizeFailed|ExternalExpanding)$/.test(reason),
  );
  const wanted = resourceAmount(
    "storage",
    textAt(source.object, "spec", "resources", "requests", "storage") ?? "",
  );
  const given = resourceAmount(
    "storage",
    textAt(source.object, "status", "capacity", "storage") ?? "",
  );
  const isSmaller = wanted !== undefined && given !== undefined && wanted > given;
  const known = className === undefined ? undefined : objects.get("StorageClass", "", className);
  const forbids =
    known !== undefined &&
    isSmaller &&
    !isTrueAt(known.object, "allowVolumeExpansion") &&
    isPresentAt(known.object, "provisioner");
  const pending = listAt(source.object, "status", "conditions").some(
    (condition) =>
      textAt(condition, "type") === "FileSystemResizePending" &&
      textAt(condition, "status") === "True",
  );
  if ((failed !== undefined && isSmaller) || forbids) {
    return {
      weight: 2,
      parts: {
        verdict: "violated",
        subject: item.subject,
        title: `Claim ${item.name} cannot grow: ${forbids ? `its class ${className ?? ""} does not allow it` : (failed?.message ?? "")}.`,
        actual:
          failed?.message ??
          "The request is larger than the capacity, and allowVolumeExpansion is not set.",
        causeKind: "configuration",
        evidence: evidenceOf(item, failed),
        fixes: [
          {
            description: `Set allowVolumeExpansion: true in the storage class ${className ?? ""}, if its driver can.`,
          },
        ],
      },
    };
  }
  return {
    parts: {
      verdict: "holds",
      subject: item.subject,
      title: `Claim ${item.name} is bound${pending ? "; it grows when its pod is started anew" : ""}.`,
      actual: `Bound to ${textAt(source.object, "spec", "volumeName") ?? "a volume"}.`,
      evidence: [referenceTo(source)],
    },
  };
}

function evidenceOf(
  { source }: ClaimCase,
  event: ClusterEvent | undefined,
): NonNullable<FindingParts["evidence"]> {
  return [
    referenceTo(source),
    ...(event === undefined ? [] : [referenceTo(event.source, event.message)]),
  ];
}
