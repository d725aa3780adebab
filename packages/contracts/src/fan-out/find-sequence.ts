/** Finds a sequence of different calls that one unit of work repeats. */

import type { UnitCall } from "../traces/unit.ts";

/** Calls of two or more shapes, again and again in one order. */
export interface Sequence {
  /** One call of each place in the sequence, in its order. */
  readonly pattern: readonly UnitCall[];
  readonly repetitionCount: number;
  /** Every call of every whole repetition, in order of time. */
  readonly calls: readonly UnitCall[];
}

/** The longest sequence that lies behind these calls, or `undefined` when none repeats `repetitionCountMin` times. */
export function findSequence(
  calls: readonly UnitCall[],
  repetitionCountMin: number,
  patternLengthMax: number,
): Sequence | undefined {
  if (calls.length < 2 * repetitionCountMin) return undefined;
  const shapes = shapeNumbers(calls);
  if (shapes.count < 2 || shapes.count > calls.length / 2) return undefined;
  const inOrder = findPeriod(shapes.numbers, repetitionCountMin, patternLengthMax);
  const periodic: Sequence | undefined =
    inOrder === undefined
      ? undefined
      : {
          pattern: calls.slice(inOrder.start, inOrder.start + inOrder.length),
          repetitionCount: inOrder.repetitionCount,
          calls: calls.slice(
            inOrder.start,
            inOrder.start + inOrder.length * inOrder.repetitionCount,
          ),
        };
  const atOnce = findInterleaved(calls, shapes.numbers, repetitionCountMin);
  if (atOnce === undefined) return periodic;
  if (periodic === undefined || atOnce.calls.length > periodic.calls.length) return atOnce;
  return periodic;
}

interface ShapeNumbers {
  /** For each call the number of its shape and place in the code. */
  readonly numbers: Int32Array;
  readonly count: number;
}

function shapeNumbers(calls: readonly UnitCall[]): ShapeNumbers {
  const known = new Map<string, number>();
  const numbers = new Int32Array(calls.length);
  let at = 0;
  for (const { place } of calls) {
    const number = known.get(place) ?? known.size;
    if (number === known.size) known.set(place, number);
    numbers[at] = number;
    at += 1;
  }
  return { numbers, count: known.size };
}

interface Period {
  readonly start: number;
  readonly length: number;
  readonly repetitionCount: number;
}

/** The run with a period of two or more calls that covers most; of two that cover as much, the shorter period. */
function findPeriod(
  numbers: Int32Array,
  repetitionCountMin: number,
  lengthMax: number,
): Period | undefined {
  let best: Period | undefined;
  for (let length = 2; length <= lengthMax; length += 1) {
    if (length * repetitionCountMin > numbers.length) break;
    let start = 0;
    for (let end = length; end <= numbers.length; end += 1) {
      if (end < numbers.length && numbers[end] === numbers[end - length]) continue;
      const repetitionCount = Math.floor((end - start) / length);
      const covered = repetitionCount * length;
      if (
        repetitionCount >= repetitionCountMin &&
        covered > (best === undefined ? 0 : best.length * best.repetitionCount) &&
        hasSeveral(numbers, start, length)
      ) {
        best = { start, length, repetitionCount };
      }
      start = end - length + 1;
    }
  }
  return best;
}

function hasSeveral(numbers: Int32Array, start: number, length: number): boolean {
  for (let index = start + 1; index < start + length; index += 1) {
    if (numbers[index] !== numbers[start]) return true;
  }
  return false;
}

/**
 * Items that are worked on at once mix their calls. Shapes that occur equally often, and whose n-th calls follow one
 * another for every n while the first item is ahead of the last, are the sequence of each item.
 */
function findInterleaved(
  calls: readonly UnitCall[],
  numbers: Int32Array,
  repetitionCountMin: number,
): Sequence | undefined {
  const byShape = new Map<number, UnitCall[]>();
  calls.forEach((item, at) => {
    const number = numbers[at] ?? 0;
    const known = byShape.get(number);
    if (known === undefined) byShape.set(number, [item]);
    else known.push(item);
  });
  const byCount = new Map<number, UnitCall[][]>();
  for (const group of byShape.values()) {
    if (group.length < repetitionCountMin) continue;
    const known = byCount.get(group.length);
    if (known === undefined) byCount.set(group.length, [group]);
    else if (follows(known.at(-1) ?? [], group)) known.push(group);
  }
  let best: Sequence | undefined;
  for (const [repetitionCount, groups] of byCount) {
    const found = groups.flat();
    if (groups.length < 2 || found.length <= (best?.calls.length ?? 0)) continue;
    const pattern = groups.flatMap((group) => group.slice(0, 1));
    const inOrder = found.sort((left, right) => left.index - right.index);
    best = { pattern, repetitionCount, calls: inOrder };
  }
  return best;
}

function follows(before: readonly UnitCall[], after: readonly UnitCall[]): boolean {
  const [firstAfter, lastBefore] = [after[0], before.at(-1)];
  if (firstAfter === undefined || lastBefore === undefined) return false;
  if (firstAfter.index > lastBefore.index) return false;
  return after.every((item, at) => item.index > (before[at]?.index ?? 0));
}
