/** The difference of two shares within strata, where members of one cluster may have more in common than chance. */

import { twoSidedTail } from "./normal.ts";

/** Members in parallel arrays. */
export interface ClusteredMembers {
  /** 1 where the member has the mark. */
  readonly marks: Uint8Array;
  /** 1 where the member belongs to the second population. */
  readonly isSecond: Uint8Array;
  /** Small whole numbers: what the member is compared within, and what it shares its fate with. */
  readonly strata: Int32Array;
  readonly clusters: Int32Array;
}

export interface StratifiedDifference {
  /** The share of the second less that of the first, over strata in which there are both. */
  readonly difference: number;
  /** Two-sided, when within each stratum both shares are alike. */
  readonly chance: number;
  /** Members of the smaller population that have counterparts. */
  readonly comparedCount: number;
}

/**
 * Strata are weighted as Mantel and Haenszel do. The variance is that of independent members with one share within each stratum, times
 * the design effect: by how much the squared sums of clusters exceed those of their members (Liang and Zeger, Biometrika 73, 1986; Rao
 * and Scott, Biometrics 48, 1992), with the factor for few clusters. It is right whatever members of a cluster have in common.
 */
export function stratifiedDifference(members: ClusteredMembers): StratifiedDifference {
  const strata = strataOf(members);
  let weightSum = 0;
  let difference = 0;
  let firstCount = 0;
  let secondCount = 0;
  for (const { all, marked, otherAll, otherMarked } of strata) {
    if (all === 0 || otherAll === 0) continue;
    const weight = (all * otherAll) / (all + otherAll);
    weightSum += weight;
    difference += weight * (otherMarked / otherAll - marked / all);
    firstCount += all;
    secondCount += otherAll;
  }
  const comparedCount = Math.min(firstCount, secondCount);
  const variance = varianceOf(members, strata);
  if (weightSum === 0 || variance === 0) return { difference: 0, chance: 1, comparedCount };
  return {
    difference: difference / weightSum,
    chance: twoSidedTail(difference / Math.sqrt(variance)),
    comparedCount,
  };
}

interface Stratum {
  all: number;
  marked: number;
  otherAll: number;
  otherMarked: number;
}

function strataOf({ marks, isSecond, strata }: ClusteredMembers): Stratum[] {
  const made = Array.from({ length: largest(strata) + 1 }, (): Stratum => ({
    all: 0,
    marked: 0,
    otherAll: 0,
    otherMarked: 0,
  }));
  for (let at = 0; at < marks.length; at += 1) {
    const stratum = made[strata[at] ?? 0];
    if (stratum === undefined) continue;
    if (isSecond[at] === 1) {
      stratum.otherAll += 1;
      stratum.otherMarked += marks[at] ?? 0;
    } else {
      stratum.all += 1;
      stratum.marked += marks[at] ?? 0;
    }
  }
  return made;
}

/** Of the weighted sum of differences, when both populations have one share within each stratum. */
function varianceOf(members: ClusteredMembers, strata: readonly Stratum[]): number {
  let variance = 0;
  for (const { all, marked, otherAll, otherMarked } of strata) {
    const count = all + otherAll;
    if (all === 0 || otherAll === 0) continue;
    const share = (marked + otherMarked) / count;
    variance += ((all * otherAll) / (count - 1)) * share * (1 - share);
  }
  return variance * designEffect(members, strata);
}

/** How many times as large the variance is because members of a cluster are alike; at least 1, and 0 for one cluster. */
function designEffect(
  { marks, isSecond, strata, clusters }: ClusteredMembers,
  made: readonly Stratum[],
): number {
  const sums = new Float64Array(largest(clusters) + 1);
  const seen = new Uint8Array(sums.length);
  let clusterCount = 0;
  let squares = 0;
  let clusterSquares = 0;
  for (let at = 0; at < marks.length; at += 1) {
    const stratum = made[strata[at] ?? 0];
    if (stratum === undefined || stratum.all === 0 || stratum.otherAll === 0) continue;
    const { all, otherAll, marked, otherMarked } = stratum;
    const rest = (marks[at] ?? 0) - (marked + otherMarked) / (all + otherAll);
    const part = (rest * (isSecond[at] === 1 ? all : -otherAll)) / (all + otherAll);
    const cluster = clusters[at] ?? 0;
    sums[cluster] = (sums[cluster] ?? 0) + part;
    squares += part * part;
    if (seen[cluster] === 0) clusterCount += 1;
    seen[cluster] = 1;
  }
  for (const sum of sums) clusterSquares += sum * sum;
  if (clusterCount < 2 || squares === 0) return 0;
  return Math.max(1, ((clusterSquares / squares) * clusterCount) / (clusterCount - 1));
}

function largest(values: Int32Array): number {
  let most = -1;
  for (const value of values) if (value > most) most = value;
  return most;
}
