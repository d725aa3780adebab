/** The events of a snapshot by what they are about, the latest first. */

import type { Snapshot } from "../model/snapshot.ts";
import { compareText } from "../text/compare-text.ts";
import { integerAt, textAt } from "./fields.ts";
import { objectsOf, type Source } from "./objects.ts";

export interface ClusterEvent {
  readonly source: Source;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** The part of the object that it is about, such as `spec.containers{web}`. */
  readonly fieldPath: string;
  readonly isWarning: boolean;
  readonly reason: string;
  readonly message: string;
  /** How often it was seen. */
  readonly count: number;
  /** Greater is later. Only events that carry a time, or only those that carry an age, compare. */
  readonly order: number;
}

/** The events of a snapshot, gathered once. */
export function eventsOf(snapshot: Snapshot): EventIndex {
  const known = indexBySnapshot.get(snapshot);
  if (known !== undefined) return known;
  const index = new EventIndex(objectsOf(snapshot).events);
  indexBySnapshot.set(snapshot, index);
  return index;
}

/** A memory and no state: the same snapshot always has the same events. */
const indexBySnapshot = new WeakMap<Snapshot, EventIndex>();

export class EventIndex {
  /** Of each message about an object, the latest record; the latest message first. */
  readonly all: readonly ClusterEvent[];
  readonly #byObject: ReadonlyMap<string, readonly ClusterEvent[]>;

  constructor(sources: readonly Source[]) {
    const latest = new Map<string, ClusterEvent>();
    for (const source of sources) {
      const event = readEvent(source);
      const key = [event.kind, event.namespace, event.name, event.reason, event.message].join("\n");
      const known = latest.get(key);
      if (known === undefined || compareEvents(event, known) < 0) latest.set(key, event);
    }
    this.all = [...latest.values()].sort(compareEvents);
    this.#byObject = Map.groupBy(this.all, ({ kind, namespace, name }) =>
      [kind, namespace, name].join("\n"),
    );
  }

  /** The events about one object. Nodes and other kinds without a namespace have theirs in any. */
  about(kind: string, namespace: string, name: string): readonly ClusterEvent[] {
    return this.#byObject.get([kind, namespace, name].join("\n")) ?? [];
  }
}

const clusterKinds: ReadonlySet<string> = new Set(["Node", "PersistentVolume", "Namespace"]);

function readEvent(source: Source): ClusterEvent {
  const { object } = source;
  const about = "involvedObject" in object ? "involvedObject" : "regarding";
  const kind = textAt(object, about, "kind") ?? "";
  const age = textAt(object, "age") ?? "";
  const counted = /\(x(\d{1,9})\b/.exec(age)?.[1];
  return {
    source,
    kind,
    namespace: clusterKinds.has(kind)
      ? ""
      : (textAt(object, about, "namespace") ?? object.metadata.namespace ?? "default"),
    name: textAt(object, about, "name") ?? "",
    fieldPath: textAt(object, about, "fieldPath") ?? "",
    isWarning: textAt(object, "type") === "Warning",
    reason: textAt(object, "reason") ?? "",
    message: (textAt(object, "message") ?? textAt(object, "note") ?? "").trim(),
    count:
      integerAt(object, "series", "count") ??
      integerAt(object, "count") ??
      integerAt(object, "deprecatedCount") ??
      (counted === undefined ? 1 : Number(counted)),
    order: orderOf(source, age),
  };
}

function orderOf({ object }: Source, age: string): number {
  const stamp =
    textAt(object, "series", "lastObservedTime") ??
    textAt(object, "lastTimestamp") ??
    textAt(object, "deprecatedLastTimestamp") ??
    textAt(object, "eventTime") ??
    textAt(object, "metadata", "creationTimestamp");
  const time = stamp === undefined ? Number.NaN : Date.parse(stamp);
  return Number.isNaN(time) ? -ageSeconds(age) : time;
}

/** The age that kubectl prints, such as `6m45s (x2 over 1h)`, in seconds. */
export function ageSeconds(age: string): number {
  const unitSeconds: Readonly<Record<string, number>> = {
    s: 1,
    m: 60,
    h: 3_600,
    d: 86_400,
    y: 31_536_000,
  };
  const [first = ""] = age.split(" ");
  return [...first.matchAll(/(\d{1,9})([smhdy])/g)].reduce(
    (sum, match) => sum + Number(match[1]) * (unitSeconds[match[2] ?? ""] ?? 0),
    0,
  );
}

function compareEvents(left: ClusterEvent, right: ClusterEvent): number {
  return (
    right.order - left.order ||
    right.count - left.count ||
    compareText(left.message, right.message) ||
    compareText(left.reason, right.reason) ||
    compareText(left.name, right.name) ||
    compareText(left.source.evidenceId, right.source.evidenceId)
  );
}
