/** The contract `fan-out/hot-partition`: partitions and shards share the work evenly. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { plural } from "../text/plural.ts";
import { millis } from "./handlers.ts";
import { type PartitionSet, partitionSetsOf, type Use } from "./partitions.ts";
import { type Skew, skewOf } from "./skew.ts";
import { roundPercent } from "../text/number-words.ts";

interface HotPartitionOptions {
  readonly useCountMin: number;
  readonly evenUseCountMin: number;
  readonly partitionCountMin: number;
  readonly shareRatioMax: number;
  readonly chanceMax: number;
  readonly traceCountMin: number;
}

/** `fan-out/hot-partition` with its documented defaults. */
export const hotPartition: Contract = defineContract<HotPartitionOptions>({
  id: "fan-out/hot-partition",
  version: 1,
  boundary: "service-service",
  promise: "No partition or shard takes much more of the work than its share.",
  reads: ["trace"],
  options: {
    useCountMin: {
      default: 30,
      description: "Uses of a set of partitions from which on one of them can be hot.",
    },
    evenUseCountMin: {
      default: 60,
      description: "Counted uses from which on an even share shows that no partition is hot.",
    },
    partitionCountMin: {
      default: 3,
      description: "Partitions that must be seen for a share to say something.",
    },
    shareRatioMax: {
      default: 3,
      description: "How many times its fair share a partition may take; of few partitions, less.",
    },
    chanceMax: {
      default: 0.000_001,
      description: "Chance up to which an uneven use is no accident, by a bound on the safe side.",
    },
    traceCountMin: {
      default: 20,
      description:
        "Traces from which on each counts once for a partition, so that one busy request decides nothing.",
    },
  },
  check: (snapshot, options, found) =>
    partitionSetsOf(snapshot)
      .flatMap((set) => judgeSet(set, options))
      .map(found),
});

function judgeSet(set: PartitionSet, options: HotPartitionOptions): FindingParts[] {
  const useCount = [...set.uses.values()].reduce((sum, uses) => sum + uses.length, 0);
  if (useCount < options.useCountMin || set.uses.size < options.partitionCountMin) return [];
  const { counts, traceCount, areByTrace } = countsOf(set, options);
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const skew = skewOf(counts, options.shareRatioMax);
  const isHot = skew.share > skew.shareMax && skew.chanceMax <= options.chanceMax;
  const seen = { set, skew, useCount, traceCount };
  if (isHot && areByTrace) return [hotFinding(seen)];
  if (isHot) return [traceCount === 1 ? hotFinding(seen) : fewTraces(seen, options)];
  // What is uneven without proof is neither a fault nor its absence.
  return total >= options.evenUseCountMin && skew.share <= skew.shareMax ? [evenFinding(seen)] : [];
}

interface Seen {
  readonly set: PartitionSet;
  readonly skew: Skew;
  readonly useCount: number;
  readonly traceCount: number;
}

/** Uses by partition. Those of one trace hang together, so with many traces each counts once. */
function countsOf(
  { uses }: PartitionSet,
  options: HotPartitionOptions,
): { counts: Map<string, number>; traceCount: number; areByTrace: boolean } {
  const all = new Set<string>();
  const byTrace = new Map<string, number>();
  const byUse = new Map<string, number>();
  for (const [key, list] of uses) {
    const own = new Set(list.map(({ trace }) => trace.traceId));
    for (const traceId of own) all.add(traceId);
    byTrace.set(key, own.size);
    byUse.set(key, list.length);
  }
  const areByTrace = all.size >= options.traceCountMin;
  return { counts: areByTrace ? byTrace : byUse, traceCount: all.size, areByTrace };
}

function hotFinding({ set, skew, useCount, traceCount }: Seen): FindingParts {
  const own = set.uses.get(skew.key) ?? [];
  const others = [...set.uses].filter(([key]) => key !== skew.key).flatMap(([, list]) => list);
  const timeShare = timeOf(own) / Math.max(1, timeOf(own) + timeOf(others));
  return {
    ...frameOf(set),
    verdict: "violated",
    title: `Partition ${skew.key} of ${set.name} takes ${roundPercent(skew.share)} of the work, its fair share of ${set.uses.size} is ${roundPercent(skew.fairShare)}`,
    expected: `at most ${roundPercent(skew.shareMax)} for one of ${set.uses.size} partitions`,
    actual: `${own.length} of ${plural(useCount, "use")} and ${roundPercent(timeShare)} of the time fall on partition ${skew.key}; a median of ${medianMillis(own)} ms there, ${medianMillis(others)} ms elsewhere`,
    causeKind: "data",
    measures: {
      ...measuresOf({ set, skew, useCount, traceCount }),
      timeShare: Math.round(timeShare * 1_000) / 1_000,
      medianMillis: medianMillis(own),
      medianMillisElsewhere: medianMillis(others),
    },
    evidence: own.map(({ trace, index, durationMicros }) =>
      trace.reference(index, `partition ${skew.key} (${millis(durationMicros)} ms)`),
    ),
    fixes: [
      {
        description:
          "Choose a key that spreads: add what varies to it (an order's id to a tenant's), or a suffix of a few values to the hot key alone.",
        cost: 1,
      },
      {
        description: "Put the hot tenant or key on a partition of its own and size it for that.",
        cost: 2,
      },
    ],
    nextChecks: [
      "Group the uses of the hot partition by their key: one key calls for a suffix, many for another hash.",
    ],
  };
}

function fewTraces(seen: Seen, options: HotPartitionOptions): FindingParts {
  const { set, skew, traceCount } = seen;
  const own = set.uses.get(skew.key) ?? [];
  return {
    ...frameOf(set),
    verdict: "inconclusive",
    title: `Partition ${skew.key} of ${set.name} takes ${roundPercent(skew.share)} of the work in ${plural(traceCount, "trace")}, which may be the keys of a few requests`,
    actual: `${own.length} of ${plural(seen.useCount, "use")} fall on partition ${skew.key}`,
    measures: measuresOf(seen),
    evidence: own.slice(0, 64).map(({ trace, index }) => trace.reference(index)),
    missing: [`uses by at least ${options.traceCountMin} requests; ${traceCount} were seen`],
    nextChecks: ["Take the traces of a longer window and check them together."],
  };
}

function evenFinding(seen: Seen): FindingParts {
  const { set, skew, useCount } = seen;
  const own = set.uses.get(skew.key) ?? [];
  return {
    ...frameOf(set),
    verdict: "holds",
    title: `${set.uses.size} partitions of ${set.name} share the work: the busiest takes ${roundPercent(skew.share)}`,
    actual: `${plural(useCount, "use")}; the busiest partition takes ${roundPercent(skew.share)}, its fair share is ${roundPercent(skew.fairShare)}`,
    measures: measuresOf(seen),
    evidence: own.slice(0, 8).map(({ trace, index }) => trace.reference(index)),
  };
}

function frameOf(set: PartitionSet): Pick<FindingParts, "subject" | "boundary"> {
  return {
    subject: { kind: "partition-set", name: set.name },
    boundary: set.isDatabase ? "resolver-database" : "service-service",
  };
}

function measuresOf({
  set,
  skew,
  useCount,
  traceCount,
}: Seen): NonNullable<FindingParts["measures"]> {
  return {
    partition: skew.key,
    share: skew.share,
    fairShare: skew.fairShare,
    shareMax: skew.shareMax,
    partitionCount: set.uses.size,
    useCount,
    traceCount,
  };
}

function timeOf(uses: readonly Use[]): number {
  return uses.reduce((sum, { durationMicros }) => sum + durationMicros, 0);
}

function medianMillis(uses: readonly Use[]): number {
  const sorted = uses.map(({ durationMicros }) => durationMicros).sort((a, b) => a - b);
  return millis(sorted[Math.floor(sorted.length / 2)] ?? 0);
}
