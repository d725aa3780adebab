/** Whether an attribute of slow requests may only stand for the time at which they came, or for who had to carry the load. */

import type { Attributes } from "../model/span.ts";
import type { Contrast } from "./contrast.ts";
import { attributeOf, SpanNames, type TraceMember } from "./members.ts";

/**
 * `place`: it names who served, or in what order. `item`: it is a place in a list, which long lists alone have. `time`: at
 * one time, the slow ones have it as often as the others.
 */
export type LoadDoubt = "place" | "item" | "time";

/** Attributes that name who served a request, or count requests up. */
const placeKey =
  /(?:^|[._-])(?:pod|host|hostname|node|machine|instance|container|worker|thread|process|pid|replica|socket|connection|port|sequence|seq|ordinal|index|iteration|round|start(?:ed)?|boot|uptime)(?:[._-]|$)|(?:^|[._])(?:net|network)\.peer\.|^client\.(?:address|port)$/i;

/** A path with the number of an item in it: `orders.10.customer`, `items[3]`. */
const itemPath = /^[A-Za-z_][\w.[\]]*(?:\.\d{1,9}\.[A-Za-z_]|\[\d{1,9}\])/;

/** Members that stand together in one window of time, at least. */
const memberCountMin = 20;
const windowCountMax = 20;

/** The doubt about each of these contrasts; a contrast without one separates beside the load. */
export function loadDoubtsOf(
  contrasts: readonly Contrast[],
  members: readonly TraceMember[],
  shareDifferenceMin: number,
): ReadonlyMap<Contrast, LoadDoubt> {
  const doubts = new Map<Contrast, LoadDoubt>();
  const windows = windowsOf(members);
  const names = new SpanNames();
  for (const contrast of contrasts) {
    if (placeKey.test(contrast.key)) doubts.set(contrast, "place");
    else if (typeof contrast.value === "string" && itemPath.test(contrast.value))
      doubts.set(contrast, "item");
    else if (differenceWithin(windows, contrast, names) < shareDifferenceMin) {
      doubts.set(contrast, "time");
    }
  }
  return doubts;
}

/** Windows with as many members each, one after the other. */
function windowsOf(members: readonly TraceMember[]): TraceMember[][] {
  const sorted = members.toSorted((left, right) => startOf(left) - startOf(right));
  const count = Math.max(1, Math.min(windowCountMax, Math.floor(sorted.length / memberCountMin)));
  return Array.from({ length: count }, (_, at) =>
    sorted.slice(
      Math.floor((at * sorted.length) / count),
      Math.floor(((at + 1) * sorted.length) / count),
    ),
  );
}

function startOf({ trace }: TraceMember): number {
  return trace.spans[0]?.startMicros ?? 0;
}

/**
 * How far the shares of an attribute lie apart among members of the same time: the difference of risks of Mantel and
 * Haenszel over the windows. Windows that hold one population only say nothing; where all do, time alone separates.
 */
function differenceWithin(
  windows: readonly (readonly TraceMember[])[],
  contrast: Contrast,
  names: SpanNames,
): number {
  const values = windows.map((window) =>
    window.map(({ trace }) => valueOf(trace.spans, contrast, names)),
  );
  const has = holderOf(contrast, values.flat());
  let [difference, weight] = [0, 0];
  windows.forEach((window, at) => {
    let [badCount, badWith, goodWith] = [0, 0, 0];
    window.forEach(({ isBad }, place) => {
      const isHolding = has(values[at]?.[place] ?? null);
      if (isBad) badCount += 1;
      if (isHolding && isBad) badWith += 1;
      if (isHolding && !isBad) goodWith += 1;
    });
    const goodCount = window.length - badCount;
    difference += (badWith * goodCount - goodWith * badCount) / window.length;
    weight += (badCount * goodCount) / window.length;
  });
  return weight === 0 ? 0 : difference / weight;
}

type Value = Attributes[string];

/** The value that is contrasted when a member has it, else the first that it has. */
function valueOf(
  spans: TraceMember["trace"]["spans"],
  { key, value }: Contrast,
  names: SpanNames,
): Value {
  let first: Value = null;
  for (const span of spans) {
    const here = attributeOf(span, key, names);
    if (here === value) return here;
    first ??= here;
  }
  return first;
}

/** Numbers that are told apart by their size are held by those that lie beyond the median, on the side of the bad. */
function holderOf({ value, isLess }: Contrast, values: readonly Value[]): (of: Value) => boolean {
  if (value !== undefined) return (of) => of === value;
  const numbers = values.filter((of) => typeof of === "number").sort((left, right) => left - right);
  const median = numbers[Math.floor(numbers.length / 2)] ?? 0;
  return (of) => typeof of === "number" && (isLess ? of < median : of >= median);
}
