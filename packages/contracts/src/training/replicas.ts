/** Ranks that hold one model keep it equal, and see data of their own. */

import { defineContract } from "../model/define-contract.ts";
import type { Contract } from "../model/contract.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { evidenceOfKind, type EvidenceOf } from "../model/snapshot.ts";
import { plural } from "../text/plural.ts";
import { differingParameters, type ReplicaSteps, sharedSteps } from "./replica-parameters.ts";
import { stepReference } from "./step-view.ts";

const options = {
  occurrenceCountMin: {
    default: 2,
    description: "Steps at which ranks must differ, up to the last one that is recorded.",
  },
  equalShardCountMin: {
    default: 3,
    description: "Steps at which ranks must see the same data before the contract is violated.",
  },
};

type Run = EvidenceOf<"training">;
type Judged = Omit<FindingParts, "subject">;

export const replicas: Contract = defineContract({
  id: "training/replicas",
  version: 1,
  boundary: "dataset-loss",
  promise:
    "Ranks of one run that hold the same model have equal parameters after every step, and see data of their own.",
  reads: ["training"],
  options,
  check: (snapshot, settled, found) =>
    [...Map.groupBy(evidenceOfKind(snapshot, "training"), ({ content }) => content.run)]
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .flatMap(([run, pieces]) => {
        const ranks = ranksOf(pieces);
        const [first] = ranks;
        const worldSize = Math.max(...ranks.map(({ content }) => content.worldSize ?? 1));
        if (first === undefined || (ranks.length < 2 && worldSize < 2)) return [];
        const subject = { kind: "training-run", name: run };
        if (ranks.length < 2) return [found({ subject, ...oneRank(first, worldSize) })];
        return judge(ranks, settled).map((judged) => found({ subject, ...judged }));
      }),
});

/** One record of each rank; of a rank that has several, the one with the most steps. */
function ranksOf(pieces: readonly Run[]): Run[] {
  const byRank = new Map<number, Run>();
  for (const piece of pieces) {
    const known = byRank.get(piece.content.rank);
    if (known === undefined || known.content.steps.length < piece.content.steps.length)
      byRank.set(piece.content.rank, piece);
  }
  return [...byRank.values()].toSorted((left, right) => left.content.rank - right.content.rank);
}

function oneRank({ content }: Run, worldSize: number): Judged {
  return {
    verdict: "inconclusive",
    title: `Of ${worldSize} ranks, one is recorded`,
    actual: `Only rank ${content.rank} has a record.`,
    missing: ["The records of at least two ranks."],
  };
}

function judge(
  ranks: readonly Run[],
  settled: { occurrenceCountMin: number; equalShardCountMin: number },
): Judged[] {
  const steps = sharedSteps(ranks);
  const parameters = judgeParameters(ranks, steps, settled.occurrenceCountMin);
  const data = judgeData(ranks, steps, { settled, hasEqualParameters: parameters.isEqual });
  const judged = [parameters.judged, data].filter((one) => one !== undefined);
  const violated = judged.filter(({ verdict }) => verdict === "violated");
  if (violated.length > 0) return violated;
  const open = judged.filter(({ verdict }) => verdict === "inconclusive");
  if (open.length > 0) return [merged(open)];
  return [
    {
      verdict: "holds",
      title: `${plural(ranks.length, "rank")} stay equal and see data of their own`,
      actual: judged.map(({ actual }) => actual).join(" "),
      measures: { rankCount: ranks.length, stepCount: steps.length },
    },
  ];
}

function merged(open: readonly Judged[]): Judged {
  const [first] = open;
  return {
    verdict: "inconclusive",
    title: first?.title ?? "",
    actual: open.map(({ actual }) => actual).join(" "),
    missing: open.flatMap(({ missing = [] }) => missing),
    evidence: open.flatMap(({ evidence = [] }) => evidence),
  };
}

function judgeParameters(
  ranks: readonly Run[],
  steps: readonly ReplicaSteps[],
  countMin: number,
): { judged: Judged; isEqual: boolean } {
  const { compared, differing, isDeclared } = differingParameters(ranks, steps);
  if (compared === 0) {
    const judged: Judged = {
      verdict: "inconclusive",
      title: "Whether the ranks hold equal parameters is not recorded",
      actual: "No step has checksums or norms of one parameter from two ranks.",
      missing: ["Checksums of parameters after a step, from at least two ranks."],
    };
    return { judged, isEqual: false };
  }
  const [first] = differing;
  if (first === undefined) {
    const actual = `Parameters are equal at all ${plural(compared, "step")} that have them.`;
    return { judged: { verdict: "holds", title: "", actual }, isEqual: true };
  }
  const isLasting = first.stepCount >= Math.max(1, countMin) && first.lastsToEnd;
  const isViolated = isLasting && isDeclared;
  const names = differing.slice(0, 10).map(({ name }) => name);
  const judged: Judged = {
    verdict: isViolated ? "violated" : "inconclusive",
    title: `From step ${first.place.step.step} on ranks ${first.ranks.join(" and ")} hold different values of ${names[0] ?? ""}${names.length > 1 ? " and others" : ""}`,
    expected: "Equal parameters on every rank after every step.",
    actual: `${plural(differing.length, "parameter")} differ: ${names.join(", ")}; ${first.name} at ${plural(first.stepCount, "step")}: ${first.quotes.join(", ")}.`,
    causeKind: isViolated ? "change" : "none",
    measures: {
      rankCount: ranks.length,
      differingParameterCount: differing.length,
      stepOfDifference: first.place.step.step,
    },
    evidence: first.runs.map((run, index) =>
      stepReference(run.run, run.place, first.quotes[index] ?? ""),
    ),
    missing: isViolated
      ? []
      : [
          isDeclared
            ? "Later steps: ranks may be brought together every so often."
            : "Whether every rank is meant to hold the same values (parallelism, isReplicated).",
        ],
    fixes: isViolated
      ? [
          {
            description:
              "Start every rank from one state, and average the gradients of every parameter on every step (wrap the whole model, and call it rather than its inner module).",
            cost: 1,
          },
        ]
      : [],
  };
  return { judged, isEqual: false };
}

/** Ranks that hold equal models and see the same data do the same work, which no way of dividing it means. */
function judgeData(
  ranks: readonly Run[],
  steps: readonly ReplicaSteps[],
  {
    settled,
    hasEqualParameters,
  }: { settled: { equalShardCountMin: number }; hasEqualParameters: boolean },
): Judged | undefined {
  const isData = ranks.every(({ content }) => content.parallelism === "data");
  const isOther = ranks.some(({ content }) => content.parallelism === "other");
  if (isOther) return undefined;
  const sharded = steps.filter(
    ({ places }) => places.filter(({ place }) => place.step.shard !== undefined).length > 1,
  );
  const equal = sharded.flatMap((step) => {
    const pair = equalShards(step);
    return pair === undefined ? [] : [pair];
  });
  const seeds = ranks.flatMap(({ content }) => (content.seed === undefined ? [] : [content.seed]));
  const haveOneSeed = seeds.length > 1 && new Set(seeds).size === 1;
  const seedWords = haveOneSeed ? ` All ranks have the seed ${seeds[0] ?? ""}.` : "";
  if (sharded.length === 0) {
    return {
      verdict: "inconclusive",
      title: "Whether the ranks see data of their own is not recorded",
      actual: `No step has the data of two ranks.${seedWords}`,
      missing: [
        "A hash of the data of each pass, from at least two ranks.",
        ...(haveOneSeed ? ["Whether one seed for all ranks makes them draw the same data."] : []),
      ],
    };
  }
  const [first] = equal;
  if (first === undefined) {
    return {
      verdict: "holds",
      title: "",
      actual: `The data of the ranks differ at all ${plural(sharded.length, "step")} that have them.`,
    };
  }
  const isAlways =
    equal.length >= settled.equalShardCountMin && equal.length >= 0.5 * sharded.length;
  const isViolated = isAlways && (isData || hasEqualParameters);
  return {
    verdict: isViolated ? "violated" : "inconclusive",
    title: `Ranks ${first.map(({ run }) => run.content.rank).join(" and ")} see the same data`,
    expected: "Data of its own for each rank.",
    actual: `The data are the same at ${equal.length} of ${plural(sharded.length, "step")}.${seedWords}`,
    causeKind: isViolated ? "data" : "none",
    measures: { rankCount: ranks.length, equalShardCount: equal.length, haveOneSeed },
    evidence: first.map(({ run, place }) =>
      stepReference(run, place, `shard ${place.step.shard ?? ""}`),
    ),
    missing: isViolated ? [] : ["How the run is divided (parallelism), and more steps."],
    fixes: isViolated
      ? [
          {
            description:
              "Give each rank a part of its own (DistributedSampler with its rank, set_epoch each epoch), or a seed of its own where it draws by itself.",
            cost: 1,
          },
        ]
      : [],
  };
}

type Placed = ReplicaSteps["places"][number];

function equalShards({ places }: ReplicaSteps): [Placed, Placed] | undefined {
  const seen = new Map<string, Placed>();
  for (const placed of places) {
    const { shard } = placed.place.step;
    if (shard === undefined) continue;
    const known = seen.get(shard);
    if (known !== undefined) return [known, placed];
    seen.set(shard, placed);
  }
  return undefined;
}
