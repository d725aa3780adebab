/** Chooses which members of two populations are compared, because a contrast needs some hundreds of each and no million. */

/** Members of each population that are compared. Shares are then told to within three in a hundred. */
const memberCountMax = 1_000;

export interface Sample {
  readonly badCount: number;
  readonly goodCount: number;
  /** The hashes of the members that are compared, with the population of each. */
  readonly isBad: ReadonlyMap<number, boolean>;
}

/**
 * Takes the members with the lowest hashes of their names, which is the same choice in whatever order they come. A hash
 * may come several times; who is bad once is bad. It sorts the lists that it is given.
 */
export function sampleOf(all: Float64Array, bad: Float64Array): Sample {
  all.sort();
  bad.sort();
  const isBad = new Map<number, boolean>();
  let [badCount, goodCount, badAt] = [0, 0, 0];
  let last = 0;
  for (const hash of all) {
    if (hash === last) continue;
    last = hash;
    while ((bad[badAt] ?? Infinity) < hash) badAt += 1;
    const isOneBad = bad[badAt] === hash;
    if (isOneBad) badCount += 1;
    else goodCount += 1;
    if ((isOneBad ? badCount : goodCount) <= memberCountMax) isBad.set(hash, isOneBad);
  }
  return { badCount, goodCount, isBad };
}
