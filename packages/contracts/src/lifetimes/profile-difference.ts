/** Which functions have a larger share of the second of two profiles than of the first. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { EvidenceId } from "../model/evidence.ts";
import type { FindingParts } from "../model/make-finding.ts";
import type { ProfileContent } from "../model/profile.ts";
import { evidenceOfKind } from "../model/snapshot.ts";
import { twoSidedTail } from "../statistics/normal.ts";
import { compareText } from "../text/compare-text.ts";
import { columnOf, type ProfileShares, sharesOf } from "./profile-sites.ts";
import { seriesOf } from "./series.ts";
import { percent } from "../text/number-words.ts";

/** What can be set, with its default. */
const options = {
  shareGrowthMin: {
    default: 0.1,
    description: "How much larger the share of a function must have become, from 0 to 1.",
  },
  sampleCountMin: {
    default: 100,
    description: "Samples that each profile must have to be compared.",
  },
  chanceMax: {
    default: 0.001,
    description:
      "The chance of such a difference between profiles of equal work, for all functions together.",
  },
};

interface Options {
  readonly shareGrowthMin: number;
  readonly sampleCountMin: number;
  readonly chanceMax: number;
}

export const profileDifference: Contract = defineContract({
  id: "lifetimes/profile-difference",
  version: 1,
  boundary: "process-resource",
  promise: "Every function has the same share of the time or of the allocations as before.",
  reads: ["profile"],
  options,
  check(snapshot, settings: Options, found) {
    const pieces = evidenceOfKind(snapshot, "profile").flatMap(({ id, content }) => {
      const sort = sortOf(content);
      return sort === undefined
        ? []
        : [{ sort, item: { id, content, ...sort }, recording: content.recording }];
    });
    const bySort = Map.groupBy(pieces, ({ sort }) => sort.what);
    return [...bySort.values()].flatMap((list) =>
      seriesOf(list).flatMap(({ name, items, isOrdered }) => {
        const [first, last] = [items[0]?.item, items.at(-1)?.item];
        if (!isOrdered || items.length < 2 || first === undefined || last === undefined) return [];
        return judge({ name, first, last }, settings).map(found);
      }),
    );
  },
});

interface Piece {
  readonly id: EvidenceId;
  readonly content: ProfileContent;
  readonly what: "CPU time" | "allocations";
  readonly column: number;
  readonly countColumn: number;
}

interface Pair {
  readonly name: string;
  readonly first: Piece;
  readonly last: Piece;
}

function sortOf(content: ProfileContent): Omit<Piece, "id" | "content"> | undefined {
  const cpu = columnOf(content, ["cpu"]);
  if (cpu !== undefined) {
    return { what: "CPU time", column: cpu, countColumn: columnOf(content, ["samples"]) ?? cpu };
  }
  const space = columnOf(content, ["alloc_space"]);
  if (space === undefined) return undefined;
  return { what: "allocations", column: space, countColumn: space };
}

/** Functions that one finding lists. */
const listedCountMax = 10;

function judge(pair: Pair, settings: Options): FindingParts[] {
  const { first, last, name } = pair;
  const [before, after] = [
    sharesOf(first.content, first.column),
    sharesOf(last.content, last.column),
  ];
  const counts = [samplesOf(first), samplesOf(last)] as const;
  const subject = { kind: "profile", name: `${name === "" ? "process" : name}: ${first.what}` };
  const evidence = [{ evidenceId: first.id }, { evidenceId: last.id }];
  const measures = { samplesFirstCount: counts[0], samplesLastCount: counts[1] };
  if (Math.min(...counts) < settings.sampleCountMin) {
    return [
      {
        verdict: "inconclusive",
        subject,
        title: `The profiles of ${subject.name} have too few samples to be compared`,
        actual: `They have ${counts[0]} and ${counts[1]} samples.`,
        measures,
        evidence,
        missing: [`At least ${settings.sampleCountMin} samples in each profile.`],
      },
    ];
  }
  const grown = grownOf([before, after], counts, settings);
  const [most] = grown;
  if (most === undefined) {
    return [
      {
        verdict: "holds",
        subject,
        title: `No function has a larger share of the ${first.what} than before`,
        actual: `No share grew by ${percent(settings.shareGrowthMin)} or more beyond chance.`,
        measures,
        evidence,
      },
    ];
  }
  return [
    {
      verdict: "inconclusive",
      subject,
      title: `${most.name} has ${percent(most.after)} of the ${first.what} and had ${percent(most.before)}`,
      actual: `${grown
        .slice(0, listedCountMax)
        .map((one) => `${one.name}: ${percent(one.before)} to ${percent(one.after)}`)
        .join("; ")}.`,
      measures: { ...measures, shareFirst: most.before, shareLast: most.after },
      evidence,
      missing: [
        "That both profiles are of the same work: equal requests with equal output. Without it a larger share may be other work, and a smaller one no speed-up.",
      ],
    },
  ];
}

interface Grown {
  readonly name: string;
  readonly before: number;
  readonly after: number;
}

function grownOf(
  [before, after]: readonly [ProfileShares, ProfileShares],
  counts: readonly [number, number],
  settings: Options,
): Grown[] {
  const found: Grown[] = [];
  for (const [name, value] of after.cumulative) {
    const one = {
      name,
      before: before.total === 0 ? 0 : (before.cumulative.get(name) ?? 0) / before.total,
      after: after.total === 0 ? 0 : value / after.total,
    };
    if (one.after - one.before < settings.shareGrowthMin) continue;
    // Each function that is looked at is a chance to be wrong.
    if (chanceOf(one, counts) * after.cumulative.size <= settings.chanceMax) found.push(one);
  }
  return found.sort(
    (left, right) =>
      right.after - right.before - (left.after - left.before) || compareText(left.name, right.name),
  );
}

/** The chance of two shares that differ so, of two proportions with a common variance. */
function chanceOf({ before, after }: Grown, [first, last]: readonly [number, number]): number {
  const pooled = (before * first + after * last) / (first + last);
  const deviation = Math.sqrt(pooled * (1 - pooled) * (1 / first + 1 / last));
  return deviation === 0 ? 0 : twoSidedTail((after - before) / deviation);
}

/** Of a profile without a column of counts the number of its stacks, which is less. */
function samplesOf({ content, column, countColumn }: Piece): number {
  if (countColumn === column) return content.samples.length;
  return content.samples.reduce((sum, { values }) => sum + (values[countColumn] ?? 0), 0);
}
