/** Whether one of several places takes more than its share, beyond what chance explains. */

export interface Skew {
  readonly key: string;
  readonly count: number;
  readonly share: number;
  /** The share of each place if all were used alike. */
  readonly fairShare: number;
  /** The largest share that is still accepted for this number of places. */
  readonly shareMax: number;
  /** An upper bound of the chance that some place takes that much although all are used alike. */
  readonly chanceMax: number;
}

/** The place that takes the largest share. `counts` has at least one entry. */
export function skewOf(counts: ReadonlyMap<string, number>, shareRatioMax: number): Skew {
  let total = 0;
  let hottest: [string, number] = ["", 0];
  for (const [key, count] of counts) {
    total += count;
    if (count > hottest[1] || (count === hottest[1] && key < hottest[0])) hottest = [key, count];
  }
  const [key, count] = hottest;
  const fairShare = 1 / Math.max(1, counts.size);
  const share = total === 0 ? 0 : count / total;
  // Few places cannot exceed their share many times: for them, half of what is left to the others counts.
  const shareMax = Math.min(shareRatioMax * fairShare, fairShare + (1 - fairShare) / 2);
  return {
    key,
    count,
    share: round(share),
    fairShare: round(fairShare),
    shareMax: round(shareMax),
    chanceMax: chanceBound(total, counts.size, share),
  };
}

/**
 * Chernoff's bound for the binomial tail, times the number of places among which the hottest was picked: never
 * smaller than the true chance, so a verdict on it is on the safe side.
 */
function chanceBound(total: number, placeCount: number, share: number): number {
  const fair = 1 / Math.max(1, placeCount);
  if (share <= fair || placeCount < 2) return 1;
  const divergence =
    share * Math.log(share / fair) +
    (share >= 1 ? 0 : (1 - share) * Math.log((1 - share) / (1 - fair)));
  return Math.min(1, placeCount * Math.exp(-total * divergence));
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
