/** Times in transcripts: ISO 8601, or a number since 1970 in a unit that its size tells. */

/** A moment before which no transcript of a model was written: 2015. */
const secondsMin = 1_420_070_400;
const secondsMax = 7_258_118_400;

/** Microseconds since 1970, or nothing when the value is no time. */
export function timeMicrosOf(value: unknown): number | undefined {
  if (typeof value === "string" && /^\d{4}-\d\d-\d\d[T ]/.test(value)) {
    const millis = Date.parse(value);
    return Number.isNaN(millis) || millis < 0 ? undefined : millis * 1_000;
  }
  if (typeof value !== "number") return undefined;
  for (const perSecond of [1, 1e3, 1e6, 1e9]) {
    const seconds = value / perSecond;
    if (seconds >= secondsMin && seconds <= secondsMax) return Math.round(seconds * 1e6);
  }
  return undefined;
}
