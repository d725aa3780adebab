/** How far counts depart from what they were, measured by how much there was to count, so that load alone moves nothing. */

/**
 * The signed root of the likelihood ratio of Poisson, for counts up to a place against those from it on, in deviations:
 * what is new counts by how often it came. The usual work of the two times, or their lengths, says how much was to be
 * expected, whichever expects more of the later time; where counts come in runs, the deviation is that of the runs.
 */
export function countScore(
  values: Float64Array,
  usual: Float64Array,
  split: number,
): { readonly score: number; readonly isMore: boolean } {
  const [early, late] = [sumOf(values, 0, split), sumOf(values, split, values.length)];
  const whole = early + late;
  if (whole === 0) return { score: 0, isMore: false };
  const byTime = (values.length - split) / values.length;
  const work = sumOf(usual, 0, usual.length);
  const byWork = work === 0 ? byTime : sumOf(usual, split, usual.length) / work;
  // Less work than before explains fewer lines, more work explains more of them.
  const share = late / whole >= byTime ? Math.max(byTime, byWork) : Math.min(byTime, byWork);
  const isMore = late >= whole * share;
  if (isMore !== late / whole >= byTime) return { score: 0, isMore };
  const likelihood = 2 * (part(late, whole * share) + part(early, whole * (1 - share)));
  return { score: Math.sqrt(Math.max(0, likelihood) / runLength(values, split)), isMore };
}

function part(seen: number, expected: number): number {
  return seen === 0 ? 0 : seen * Math.log(seen / Math.max(expected, 1e-9));
}

/** The variance of the counts before the place, as a multiple of that of single events. */
function runLength(values: Float64Array, split: number): number {
  if (split < 2) return 1;
  const mean = sumOf(values, 0, split) / split;
  if (mean === 0) return 1;
  let square = 0;
  for (let at = 0; at < split; at += 1) square += ((values[at] ?? 0) - mean) ** 2;
  return Math.max(1, square / (split - 1) / mean);
}

function sumOf(values: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at += 1) sum += values[at] ?? 0;
  return sum;
}
