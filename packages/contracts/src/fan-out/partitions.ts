/** Uses of partitions and shards, as spans record them. */

import type { AttributeValue, Span } from "../model/span.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { textIn, textOf } from "../traces/call.ts";
import { mark } from "../traces/marks.ts";
import { type Trace, tracesOf } from "../traces/trace.ts";

export interface Use {
  readonly trace: Trace;
  readonly index: number;
  readonly durationMicros: number;
}

/** The partitions of one topic, table or cluster, with the spans that used each. */
export interface PartitionSet {
  /** `kafka orders`: stable across snapshots. */
  readonly name: string;
  readonly isDatabase: boolean;
  readonly uses: ReadonlyMap<string, readonly Use[]>;
}

/** In order of preference: what names the place itself. A partition's key is no place, and uneven by nature. */
const placeNames = [
  "messaging.destination.partition.id",
  "messaging.kafka.destination.partition",
  "messaging.kafka.source.partition",
  "messaging.kafka.partition",
  "messaging.partition",
  "kafka.partition",
  "aws.kinesis.shard_id",
  "aws.kinesis.shard.id",
  "db.shard.id",
  "db.shard_id",
  "db.shard.name",
  "db.shard",
  "db.partition.id",
  "db.partition_id",
  "db.partition",
  "db.mongodb.shard",
  "db.cosmosdb.partition_key_range_id",
  "citus.shard_id",
  "vitess.shard",
  "shard.id",
  "shard_id",
  "shard.name",
  "shard",
  "partition.id",
  "partition_id",
  "partition",
] as const;

const hostNames = ["server.address", "net.peer.name"] as const;
/** One of these stands in the name of each machine that is a shard. */
const shardWords = /shard|part/i;

/** All partition sets of a snapshot, sorted by name. */
export function partitionSetsOf(snapshot: Snapshot): PartitionSet[] {
  const sets = new Map<string, { isDatabase: boolean; uses: Map<string, Use[]> }>();
  for (const trace of tracesOf(snapshot)) {
    for (let index = 0; index < trace.spans.length; index += 1) {
      const marks = trace.marksOf(index);
      if ((marks & (mark.partition | mark.database)) === 0) continue;
      const call = (marks & mark.partition) === 0 ? trace.callOf(index) : undefined;
      // A call of a database is of the machine whose name the span has first: no look at the span is needed.
      if (call?.kind === "database" && !shardWords.test(call.peer)) continue;
      const span = trace.span(index);
      const place = placeOf(span, marks);
      if (place === undefined) continue;
      const known = sets.get(place.set);
      const set = known ?? { isDatabase: place.isDatabase, uses: new Map<string, Use[]>() };
      if (known === undefined) sets.set(place.set, set);
      const use = { trace, index, durationMicros: span.durationNanos / 1_000 };
      const uses = set.uses.get(place.key);
      if (uses === undefined) set.uses.set(place.key, [use]);
      else uses.push(use);
    }
  }
  return [...sets]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, { isDatabase, uses }]) => ({ name, isDatabase, uses }));
}

interface Place {
  readonly set: string;
  readonly key: string;
  readonly isDatabase: boolean;
}

function placeOf(span: Span, marks: number): Place | undefined {
  const { attributes } = span;
  if ((marks & mark.partition) !== 0) {
    for (const name of placeNames) {
      const key = keyOf(attributes[name]);
      if (key !== undefined) return { ...setOf(span, marks, name), key };
    }
  }
  if ((marks & mark.database) === 0) return undefined;
  const host = textIn(attributes, hostNames);
  const shard =
    host === undefined || !shardWords.test(host)
      ? null
      : /^(.*?\b(?:shard|part(?:ition)?))-?(\d+)\b(.*)$/i.exec(host);
  if (shard === null) return undefined;
  const [, before = "", number = "", after = ""] = shard;
  const system = textOf(attributes, "db.system.name", "db.system") ?? "database";
  return { set: `${system} ${before}{n}${after}`, key: number, isDatabase: true };
}

function keyOf(value: AttributeValue | undefined): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" && value.length <= 128 ? value : undefined;
}

/** What the partitions belong to. One message is sent and taken, and counts once on each side. */
function setOf(
  { attributes, kind, service }: Span,
  marks: number,
  name: string,
): Omit<Place, "key"> {
  if ((marks & mark.messaging) !== 0) {
    const system = textOf(attributes, "messaging.system") ?? "messages";
    const destination =
      textOf(
        attributes,
        "messaging.destination.name",
        "messaging.destination",
        "messaging.kafka.topic",
        "messaging.source.name",
      ) ?? "unnamed destination";
    const side = kind === "producer" ? "published" : "taken";
    return { set: `${system} ${destination} ${side}`, isDatabase: false };
  }
  const system = textOf(attributes, "db.system.name", "db.system");
  const collection = textOf(
    attributes,
    "db.collection.name",
    "db.sql.table",
    "db.namespace",
    "db.name",
  );
  const words = [system ?? service, collection, name].filter((word) => word !== undefined);
  return { set: words.join(" "), isDatabase: system !== undefined };
}
