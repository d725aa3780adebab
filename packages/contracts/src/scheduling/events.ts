/** What the scheduler itself said about a pod, and the text that it would say now. */

import type { EvidenceId, KubernetesObject } from "../model/evidence.ts";
import { ageSeconds } from "../kubernetes/event-index.ts";
import { textAt } from "../kubernetes/fields.ts";
import { namedNodes } from "./filters/node-affinity.ts";
import type { NodeVerdict } from "./filters/scheduler.ts";
import { firstBeforeNodes, reasonOf } from "./obstacle.ts";

/** The latest FailedScheduling message about a pod. */
export interface RecordedEvent {
  readonly message: string;
  /** Absent for the message that stands in the pod's own condition. */
  readonly evidenceId: EvidenceId | undefined;
  readonly eventName: string | undefined;
}

interface TimedEvent extends RecordedEvent {
  readonly order: readonly [number, string];
}

/** The latest scheduling failure of each pod, by `namespace/name`. */
export function recordedEvents(
  events: readonly { readonly object: KubernetesObject; readonly evidenceId: EvidenceId }[],
): ReadonlyMap<string, RecordedEvent> {
  const latest = new Map<string, TimedEvent>();
  for (const { object, evidenceId } of events) {
    if (textAt(object, "reason") !== "FailedScheduling") continue;
    const about = "involvedObject" in object ? "involvedObject" : "regarding";
    if ((textAt(object, about, "kind") ?? "Pod") !== "Pod") continue;
    const name = textAt(object, about, "name") ?? "";
    const namespace = textAt(object, about, "namespace") ?? object.metadata.namespace ?? "default";
    const message = textAt(object, "message") ?? textAt(object, "note") ?? "";
    const event = {
      message,
      evidenceId,
      eventName: object.metadata.name,
      order: orderOf(object, message),
    };
    const known = latest.get(`${namespace}/${name}`);
    if (known === undefined || isLater(event, known)) latest.set(`${namespace}/${name}`, event);
  }
  return latest;
}

/** Later comes first by time, then by how little time ago text says, then by the words, so that input order does not matter. */
function orderOf(object: KubernetesObject, message: string): readonly [number, string] {
  const stamp =
    textAt(object, "series", "lastObservedTime") ??
    textAt(object, "lastTimestamp") ??
    textAt(object, "eventTime") ??
    textAt(object, "metadata", "creationTimestamp");
  const time = stamp === undefined ? Number.NaN : Date.parse(stamp);
  if (!Number.isNaN(time)) return [time, message];
  return [-ageSeconds(textAt(object, "age") ?? ""), message];
}

function isLater(left: TimedEvent, right: TimedEvent): boolean {
  if (left.order[0] !== right.order[0]) return left.order[0] > right.order[0];
  return left.order[1] > right.order[1];
}

/** The text of the event that the scheduler would write, without what it says about preemption. */
export function eventText(verdicts: readonly NodeVerdict[]): string {
  const [first] = verdicts;
  if (first !== undefined && namedNodes(first.situation.pod)?.size === 0)
    return `${head(verdicts.length)} pod affinity terms conflict.`;
  const early = first === undefined ? undefined : firstBeforeNodes(first.obstacles);
  if (early !== undefined) return `${head(verdicts.length)} ${reasonOf(early)}.`;
  const counts = new Map<string, number>();
  for (const { eventReasons } of verdicts) {
    for (const reason of eventReasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return histogramText(verdicts.length, counts);
}

/** Reasons with the number of nodes that gave each, in the scheduler's words. */
export function histogramText(nodeCount: number, counts: ReadonlyMap<string, number>): string {
  const parts = [...counts].map(([reason, count]) => `${count} ${reason}`);
  // The scheduler sorts the finished texts, so 10 comes before 2.
  return `${head(nodeCount)} ${parts.sort().join(", ")}.`;
}

function head(nodeCount: number): string {
  return `0/${nodeCount} nodes are available:`;
}

/** The reasons of an event with the number of nodes each, as far as they can be told apart. */
export interface EventHistogram {
  readonly nodeCount: number | undefined;
  readonly reasons: ReadonlyMap<string, number>;
}

/** Reads an event's text. Reasons given before any node was looked at count every node. */
export function parseEventText(message: string): EventHistogram {
  const head = /(\d{1,9})\/(\d{1,9}) nodes are available:?\s*/.exec(message);
  if (head === null)
    return { nodeCount: undefined, reasons: new Map([[normalReason(message), 1]]) };
  const nodeCount = Number(head[2]);
  const body = message
    .slice(head.index + head[0].length)
    .split(/(?:\.|,)?\s*(?:preemption:|no new claims to deallocate)|\. not found$/)[0];
  const reasons = new Map<string, number>();
  for (const part of splitReasons((body ?? "").replace(/\.\s*$/, ""))) {
    const counted = /^(\d{1,9}) (.+)$/s.exec(part.trim());
    const reason = normalReason(counted?.[2] ?? part.trim());
    if (reason === "" || reason === unspecificReason) continue;
    reasons.set(
      reason,
      (reasons.get(reason) ?? 0) + (counted === null ? nodeCount : Number(counted[1])),
    );
  }
  return { nodeCount, reasons };
}

/** Older schedulers put this before the reason that says which of the rules it was. */
const unspecificReason = "node(s) didn't match pod affinity/anti-affinity";

/** What the filters here may say, as far as it does not depend on names. */
const knownReasons = new RegExp(
  [
    String.raw`^(?:Insufficient \S+|Too many pods|cannot allocate all claims|pod affinity terms conflict)$`,
    "^node\\(s\\) (?:were unschedulable|had untolerated taint|had no available (?:disk|volume zone))",
    "^node\\(s\\) (?:had volume node affinity conflict|exceed max volume count|did not have enough free storage)",
    "^node\\(s\\) (?:didn't (?:match|have free ports|find available|satisfy)|unavailable due to)",
    '^(?:node has pod using|pod has unbound|persistentvolume|waiting for ephemeral|PVC |pod ")',
    "^(?:resource ?claim|ResourceClaim|request )",
  ].join("|"),
);

/** Reasons in an event that none of the filters here gives: a plugin or an extender took part. */
export function foreignReasons(message: string): string[] {
  return [...parseEventText(message).reasons.keys()].filter((reason) => !knownReasons.test(reason));
}

/** Commas separate reasons only before a count, because taints and names may hold commas. */
function splitReasons(body: string): string[] {
  return body.split(/,\s+(?=\d+ )|\.\s+(?=\S)/);
}

/** Wordings changed between versions of the scheduler; the meaning did not. */
function normalReason(reason: string): string {
  return reason
    .trim()
    .replace(/\.$/, "")
    .replace(
      /^node\(s\) had (?:untolerated )?taint(?:\(s\))?(?: \{.*\}(?:, that the pod didn't tolerate)?)?$/,
      "node(s) had untolerated taint",
    )
    .replace(
      /^node\(s\) didn't match (?:Pod's )?node (?:affinity\/selector|affinity|selector)$/,
      "node(s) didn't match Pod's node affinity/selector",
    )
    .replace(
      /^node(?: is filtered out by the prefilter result|\(s\) didn't satisfy plugin\(s\) \[NodeAffinity\])$/,
      "node(s) didn't satisfy plugin(s) [NodeAffinity]",
    )
    .replace(
      /^node\(s\) didn't match PersistentVolume's node affinity$/,
      "node(s) had volume node affinity conflict",
    )
    .replace(
      /^node\(s\) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode .*$/,
      "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode",
    );
}

/** Whether two events say the same about the same number of nodes. */
export function sameHistogram(left: string, right: string): boolean {
  const [one, other] = [parseEventText(left), parseEventText(right)];
  if (one.nodeCount !== other.nodeCount || one.reasons.size !== other.reasons.size) return false;
  return [...one.reasons].every(([reason, count]) => other.reasons.get(reason) === count);
}
