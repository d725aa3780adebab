/** Compares two recordings of one output, by what the rounding of its type allows. */

import type { NumericOutput } from "../model/outputs.ts";
import type { Measured } from "../model/training.ts";

/** How far an output is off: `ratio` in tolerances of its type, infinite where it is another altogether. */
export interface ComparedOutput {
  readonly kind: "near" | "other";
  readonly ratio: number;
  readonly words: string;
}

/** Relative and absolute, as PyTorch's comparison of results takes them. */
const tolerances: Readonly<Record<string, readonly [relative: number, absolute: number]>> = {
  float64: [1e-7, 1e-7],
  float32: [1.3e-6, 1e-5],
  float16: [1e-3, 1e-5],
  bfloat16: [1.6e-2, 1e-5],
  float8_e4m3fn: [0.125, 1e-3],
  float8_e5m2: [0.25, 1e-3],
};

/** The output after a change beside those from before it: what these differ by among themselves is allowed as well. */
export function compareOutputs(
  before: readonly NumericOutput[],
  after: NumericOutput,
): ComparedOutput {
  const [first, ...again] = before;
  if (first === undefined) return { kind: "near", ratio: 0, words: "nothing to compare with" };
  const isSame =
    first.shape.length === after.shape.length &&
    first.shape.every((length, index) => length === after.shape[index]);
  if (!isSame) {
    return other(`the shape [${first.shape.join(", ")}] has become [${after.shape.join(", ")}]`);
  }
  const [relative, absolute] = toleranceOf(first.dtype, after.dtype);
  const afterAt = byPlace(after);
  const againAt = again.map(byPlace);
  const scale = rootMeanSquare(first.values);
  let ratio = 0;
  let comparedCount = 0;
  let beyondCount = 0;
  let words = "equal";
  for (const [index, value] of first.values.entries()) {
    const place = first.places?.[index] ?? index;
    const own = afterAt(place);
    if (own === undefined) continue;
    comparedCount += 1;
    const [old, now] = [Number(value), Number(own)];
    if (Object.is(old, now) || old === now) continue;
    if (!Number.isFinite(old) || !Number.isFinite(now)) {
      return other(`${value} has become ${own} at place ${place}`);
    }
    const varied = Math.max(0, ...againAt.map((at) => Math.abs(Number(at(place) ?? value) - old)));
    // Sums round by the size of what they add, which may be far above what remains.
    const allowed =
      absolute + relative * (Math.max(Math.abs(old), Math.abs(now)) + scale) + 2 * varied;
    const off = allowed === 0 ? Infinity : Math.abs(now - old) / allowed;
    if (off > 1) beyondCount += 1;
    if (off <= ratio) continue;
    ratio = off;
    words = `${value} has become ${own} at place ${place}`;
  }
  if (comparedCount === 0 && first.values.length > 0) {
    return { kind: "near", ratio: 1.001, words: "no place is recorded in both" };
  }
  if (ratio > 1) words += `, and ${beyondCount} of ${comparedCount} values differ`;
  return { kind: ratio === Infinity ? "other" : "near", ratio, words };
}

function other(words: string): ComparedOutput {
  return { kind: "other", ratio: Infinity, words };
}

/** Of two types the coarser decides; whole numbers are equal or not. An unknown type is taken for `float32`. */
function toleranceOf(...dtypes: readonly (string | undefined)[]): readonly [number, number] {
  return dtypes
    .map((dtype): readonly [number, number] => {
      if (dtype === undefined) return [1.3e-6, 1e-5];
      if (/^(?:u?int|bool)/.test(dtype)) return [0, 0];
      return (Object.hasOwn(tolerances, dtype) ? tolerances[dtype] : undefined) ?? [1.3e-6, 1e-5];
    })
    .reduce((left, right) => (left[0] >= right[0] ? left : right));
}

function byPlace({ values, places }: NumericOutput): (place: number) => Measured | undefined {
  if (places === undefined) return (place) => values[place];
  const known = new Map(places.map((place, index) => [place, values[index]]));
  return (place) => known.get(place);
}

function rootMeanSquare(values: readonly Measured[]): number {
  const finite = values.map(Number).filter((value) => Number.isFinite(value));
  if (finite.length === 0) return 0;
  return Math.sqrt(finite.reduce((sum, value) => sum + value * value, 0) / finite.length);
}
