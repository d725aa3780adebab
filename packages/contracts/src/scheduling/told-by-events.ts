/** Pods of which only the scheduler's events are in the evidence, as when somebody pastes nothing but these. */

import type { Finding } from "../model/finding.ts";
import type { FindingParts } from "../model/make-finding.ts";
import type { ClusterEvent, EventIndex } from "../kubernetes/event-index.ts";
import { type Objects, referenceTo } from "../kubernetes/objects.ts";
import { cut } from "./finding-words.ts";

/** Pods that wait are many where a cluster is full; the first by name tell as much as all. */
const podCountMax = 200;

/** The findings about pods that found no node by the last word about them, where no pod of their namespace is at hand. */
export function toldByEvents(events: EventIndex, objects: Objects): FindingParts[] {
  const refused = events.all.filter(
    ({ kind, reason }) => (kind === "Pod" || kind === "") && reason === "FailedScheduling",
  );
  if (refused.length === 0) return [];
  const seen = new Set(
    objects.of("Pod").map(({ object }) => object.metadata.namespace ?? "default"),
  );
  const known = { events, deleted: deletedPods(events) };
  const latest = new Map<string, ClusterEvent>();
  for (const event of refused) {
    const key = `${event.namespace}/${event.name}`;
    if (seen.has(event.namespace) || latest.has(key) || isOver(event, known)) continue;
    latest.set(key, event);
  }
  return [...latest]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .slice(0, podCountMax)
    .map(([name, event]) => toldFinding(name, event));
}

/** Whether the pod got its node after all, or is gone: a pod without a node is spoken of by schedulers and scalers alone. */
function isOver(
  { kind, namespace, name, message }: ClusterEvent,
  { events, deleted }: { readonly events: EventIndex; readonly deleted: ReadonlySet<string> },
): boolean {
  if (/skip schedule deleting pod/.test(message) || deleted.has(`${namespace}/${name}`))
    return true;
  return events
    .about(kind, namespace, name)
    .some(
      ({ reason }) => !/^(?:FailedScheduling|NotTriggerScaleUp|TriggeredScaleUp)$/.test(reason),
    );
}

/** The pods that controllers say they deleted, as `namespace/name`. */
function deletedPods({ all }: EventIndex): ReadonlySet<string> {
  return new Set(
    all
      .filter(({ reason }) => reason === "SuccessfulDelete")
      .flatMap(({ namespace, message }) =>
        message.split(/\s+/, 16).map((word) => `${namespace}/${word}`),
      ),
  );
}

function toldFinding(name: string, { message, source }: ClusterEvent): FindingParts {
  const [words = ""] = message.split(/\s*preemption:/);
  const isRoom = /Insufficient|Too many pods/.test(words);
  return {
    verdict: "violated",
    subject: { kind: "pod", name },
    expected: "At least one node passes every filter of the scheduler.",
    title: cut(`Pod ${name} fits no node, as the scheduler recorded: ${words}`),
    actual: cut(message),
    causeKind: (isRoom ? "capacity" : "configuration") satisfies Finding["causeKind"],
    evidence: [referenceTo(source)],
    missing: [`the pod ${name} and the nodes, which tell what would let it in`],
    nextChecks: [
      "kubectl get pods,nodes,namespaces,pvc,pv,storageclass,priorityclasses,events -A -o json",
    ],
  };
}
