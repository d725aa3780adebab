/** Recorded time in parts of equal length: what lies between two recordings belongs to no part. */

/** A silence of so many parts is no silence but time that was not recorded. */
const gapPartCountMin = 5;
/** Each round finds shorter gaps, because the parts are shorter once the longer gaps are left out. */
const roundCountMax = 8;

interface Recording {
  readonly fromMicros: number;
  readonly toMicros: number;
  /** The number of its first part. */
  readonly firstPart: number;
  readonly partCount: number;
  /** Where its first part begins. */
  readonly startMicros: number;
}

export interface TimeParts {
  readonly widthMicros: number;
  /** Where each part begins. */
  readonly startsMicros: readonly number[];
  /** The part in which a moment lies, or -1 where none is whole. */
  readonly partOf: (micros: number) => number;
}

export interface PartOptions {
  /** Parts into which all recorded time together is divided, about. */
  readonly partCount: number;
  /** A moment at which a part shall begin, so that no part holds what was before it and what came after. */
  readonly alignMicros: number | undefined;
}

/**
 * Divides the time that moments cover. Parts that a recording does not fill at its ends are left out, unless no other is
 * there. It sorts the moments that it is given.
 */
export function timePartsOf(
  moments: Float64Array,
  { partCount, alignMicros }: PartOptions,
): TimeParts | undefined {
  moments.sort();
  const [first, last] = [moments[0] ?? 0, moments.at(-1) ?? 0];
  if (!(last > first)) return undefined;
  let spans: readonly (readonly [number, number])[] = [[first, last]];
  let widthMicros = (last - first) / partCount;
  for (let round = 0; round < roundCountMax; round += 1) {
    const found = recordingsIn(moments, gapPartCountMin * widthMicros);
    const isSame = found.length === spans.length;
    spans = found;
    const covered = found.reduce((sum, [from, to]) => sum + to - from, 0);
    // Single moments far apart from each other cover nothing.
    if (isSame || !(covered > 0)) break;
    widthMicros = covered / partCount;
  }
  const recordings: Recording[] = [];
  for (const span of spans) {
    const before = recordings.at(-1);
    const firstPart = before === undefined ? 0 : before.firstPart + before.partCount;
    recordings.push(recordingOf(span, { widthMicros, alignMicros, firstPart }));
  }
  return {
    widthMicros,
    startsMicros: recordings.flatMap(({ startMicros, partCount: count }) =>
      Array.from({ length: count }, (_, part) => startMicros + part * widthMicros),
    ),
    partOf: (micros) => partIn(recordings, micros, widthMicros),
  };
}

function recordingsIn(moments: Float64Array, gapMicros: number): (readonly [number, number])[] {
  const spans: (readonly [number, number])[] = [];
  let from = moments[0] ?? 0;
  let before = from;
  for (const moment of moments) {
    if (moment - before > gapMicros) {
      spans.push([from, before]);
      from = moment;
    }
    before = moment;
  }
  spans.push([from, before]);
  return spans;
}

function recordingOf(
  [fromMicros, toMicros]: readonly [number, number],
  given: {
    readonly widthMicros: number;
    readonly alignMicros: number | undefined;
    readonly firstPart: number;
  },
): Recording {
  const { widthMicros, alignMicros, firstPart } = given;
  const isAligned = alignMicros !== undefined && alignMicros > fromMicros && alignMicros < toMicros;
  const ahead = isAligned ? Math.floor((alignMicros - fromMicros) / widthMicros) : 0;
  const startMicros = isAligned ? alignMicros - ahead * widthMicros : fromMicros;
  // The last moment ends the last part, and a rounding error is no reason to leave it out.
  const partCount = Math.max(1, Math.floor((toMicros - startMicros) / widthMicros + 1e-6));
  return { fromMicros, toMicros, firstPart, partCount, startMicros };
}

function partIn(recordings: readonly Recording[], micros: number, widthMicros: number): number {
  for (const { fromMicros, toMicros, startMicros, firstPart, partCount } of recordings) {
    if (micros < fromMicros || micros > toMicros) continue;
    const part = Math.floor((micros - startMicros) / widthMicros);
    if (part < 0) return -1;
    if (part < partCount) return firstPart + part;
    return micros === toMicros && part === partCount ? firstPart + part - 1 : -1;
  }
  return -1;
}
