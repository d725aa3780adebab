/** Judges what the cluster itself says is missing. */

import { type ClusterEvent, type EventIndex, eventsOf } from "../kubernetes/event-index.ts";
import { listAt, textAt } from "../kubernetes/fields.ts";
import { objectsOf, type Objects, referenceTo } from "../kubernetes/objects.ts";
import type { EvidenceReference } from "../model/evidence.ts";
import type { Subject } from "../model/finding.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { nearestName } from "../text/nearest-name.ts";
import type { Judgement } from "./gather-findings.ts";
import { type MissingReference, missingReference } from "./missing-reference.ts";
import { hasMadePods, makerSubject } from "./maker.ts";
import { isStarting, type PodView } from "./pod-view.ts";
import { keysOf, nearHint, otherNamespaceOf } from "./reference-hints.ts";

/** Pods that wait for what they name, and makers of pods that are refused because of it. */
export function judgeToldReferences(snapshot: Snapshot, pods: readonly PodView[]): Judgement[] {
  const objects = objectsOf(snapshot);
  const events = eventsOf(snapshot);
  return [
    ...pods.flatMap((pod) => toldAboutPod(pod, events, objects)),
    ...events.all.flatMap((event) => toldAboutMaker(event, events, objects)),
  ];
}

function toldAboutPod(pod: PodView, events: EventIndex, objects: Objects): Judgement[] {
  const states = pod.containers.flatMap(({ state }) => {
    const missing =
      state.kind === "waiting" && state.reason === "CreateContainerConfigError"
        ? missingReference(state.message)
        : undefined;
    return missing === undefined
      ? []
      : [{ missing, message: state.message, reference: referenceTo(pod.source, state.message) }];
  });
  const waits =
    isStarting(pod) ||
    pod.containers.some(({ state }) => state.reason === "CreateContainerConfigError") ||
    pod.shown?.status === "CreateContainerConfigError";
  const told = waits
    ? events
        .about("Pod", pod.namespace, pod.name)
        .filter(({ isWarning, reason }) => isWarning || reason === "FailedScheduling")
        .flatMap((event) => {
          const missing = missingReference(event.message);
          if (missing === undefined) return [];
          const reference = referenceTo(event.source, event.message);
          return [
            { missing: withVolume(missing, event.message, pod), message: event.message, reference },
          ];
        })
    : [];
  const [first] = [...states, ...told];
  if (first === undefined) return [];
  return [
    judgement(pod.owner, {
      ...first,
      namespace: pod.namespace,
      objects,
      evidence: [referenceTo(pod.source), first.reference],
      who: `A pod of ${pod.owner.kind} ${pod.owner.name} cannot start`,
    }),
  ];
}

/** A message about a key of a volume names the volume; the pod tells which object that is. */
function withVolume(missing: MissingReference, message: string, pod: PodView): MissingReference {
  if (missing.name !== "") return missing;
  const volume = /for volume "([^"]{1,253})"/.exec(message)?.[1];
  const source = listAt(pod.spec, "volumes").find((item) => textAt(item, "name") === volume);
  const name = textAt(source, "configMap", "name") ?? textAt(source, "secret", "secretName");
  return { ...missing, name: name ?? `of volume ${volume ?? ""}` };
}

/** A maker that was refused, and has not made a pod since. */
function toldAboutMaker(event: ClusterEvent, events: EventIndex, objects: Objects): Judgement[] {
  if (event.reason !== "FailedCreate") return [];
  const missing = missingReference(event.message);
  if (missing === undefined) return [];
  if (hasMadePods(event, objects, events)) return [];
  const subject = makerSubject(event, objects);
  return [
    judgement(subject, {
      missing,
      message: event.message,
      namespace: event.namespace,
      objects,
      evidence: [referenceTo(event.source, event.message)],
      who: `${subject.kind.charAt(0).toUpperCase()}${subject.kind.slice(1)} ${subject.name} cannot make its pods`,
    }),
  ];
}

interface Told {
  readonly missing: MissingReference;
  readonly message: string;
  readonly namespace: string;
  readonly objects: Objects;
  readonly evidence: readonly EvidenceReference[];
  readonly who: string;
}

function judgement(
  subject: Subject,
  { missing, message, namespace: within, objects, evidence, who }: Told,
): Judgement {
  const { kind, name, key } = missing;
  const namespace = missing.namespace ?? within;
  const source = objects.get(kind, namespace, name);
  if (key !== undefined) {
    const keys = source === undefined ? [] : (keysOf(source) ?? []);
    const near = nearestName(key, keys);
    return {
      weight: 3,
      parts: {
        verdict: "violated",
        subject,
        title: `${who}: ${kind} ${name} has no key ${key}${near === undefined ? "" : `; it has ${near}`}.`,
        actual: message,
        causeKind: "configuration",
        measures: { missingKind: kind, missingName: name, missingKey: key },
        evidence: [...evidence, ...(source === undefined ? [] : [referenceTo(source)])],
        fixes: [
          {
            description:
              near === undefined
                ? `Add the key ${key} to ${kind} ${name}, or correct the key that the pod names.`
                : `Change the key ${key} to ${near}, which ${kind} ${name} has.`,
          },
        ],
        nextChecks: [`kubectl describe ${kind.toLowerCase()} ${name} -n ${namespace}`],
      },
    };
  }
  const near = nearHint(missing, namespace, objects);
  const other = otherNamespaceOf(missing, namespace, objects);
  const hint = other === undefined ? near : `one of that name in namespace ${other}`;
  return {
    weight: 3,
    parts: {
      verdict: "violated",
      subject,
      title: `${who}: ${kind} ${name} does not exist in namespace ${namespace}${hint === undefined ? "" : `; there is ${hint}`}.`,
      actual: message,
      causeKind: "configuration",
      measures: { missingKind: kind, missingName: name },
      evidence,
      fixes: [
        {
          description:
            near === undefined
              ? `Create ${kind} ${name} in namespace ${namespace}, or correct the name that the pod refers to.`
              : `Change the name ${name} to ${near}, or create ${kind} ${name}.`,
        },
      ],
      nextChecks: [`kubectl get ${kind.toLowerCase()} -n ${namespace}`],
    },
  };
}
