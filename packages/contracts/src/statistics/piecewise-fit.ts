/** How well a level that jumps, a level that turns into a slope, and one straight line fit a series, by least squares. */

export interface PiecewiseFit {
  /** Sums of squared residuals. */
  readonly line: number;
  readonly step: number;
  readonly hinge: number;
  /** The first value of the new level, and the last of the flat part before the slope. */
  readonly stepIndex: number;
  readonly hingeIndex: number;
  /** Correlation of neighbours among the residuals of the better of step and hinge, from 0 to 0.95. */
  readonly correlation: number;
}

/** Places at which the hinge is tried; a longer series is tried at every so manyth value. */
const hingeCountMax = 400;

export function fitPieces(values: Float64Array): PiecewiseFit {
  const sums = new Sums(values);
  const { index: stepIndex, error: step, before, after } = sums.bestStep();
  const { index: hingeIndex, error: hinge, level, slope } = sums.bestHinge();
  const isHinge = hinge < step;
  const residual = (at: number): number => {
    const value = values[at] ?? 0;
    if (isHinge) return value - level - Math.max(0, at - hingeIndex) * slope;
    return value - (at < stepIndex ? before : after);
  };
  return {
    line: sums.line(),
    step,
    hinge,
    stepIndex,
    hingeIndex,
    correlation: isHinge
      ? correlationOf(residual, 0, values.length)
      : correlationOf(residual, ...longerPart(stepIndex, values.length)),
  };
}

/**
 * The part of a jump in which there are more values. What the passage from one level to the other has in common says
 * nothing of the noise, and it lies in one of the parts alone.
 */
function longerPart(stepIndex: number, count: number): [from: number, to: number] {
  return stepIndex * 2 >= count ? [0, stepIndex] : [stepIndex, count];
}

/** Of neighbours, with the correction for the bias of short series. */
function correlationOf(residual: (at: number) => number, from: number, to: number): number {
  const count = to - from;
  let product = 0;
  let square = 0;
  for (let at = from; at < to; at += 1) {
    const value = residual(at);
    square += value * value;
    if (at > from) product += value * residual(at - 1);
  }
  if (square === 0) return 0;
  const raw = product / square;
  return Math.min(0.95, Math.max(0, raw + (1 + 3 * Math.max(0, raw)) / count));
}

/** Sums over the beginning of a series, from which every fit follows in a few steps. */
class Sums {
  readonly #count: number;
  /** Of the values, and of the values times their place, from each place on; both shifted by the first value. */
  readonly #values: Float64Array;
  readonly #products: Float64Array;
  readonly #square: number;
  readonly #origin: number;

  constructor(values: Float64Array) {
    const count = values.length;
    this.#count = count;
    this.#origin = values[0] ?? 0;
    this.#values = new Float64Array(count + 1);
    this.#products = new Float64Array(count + 1);
    let square = 0;
    for (let at = 0; at < count; at += 1) {
      const value = (values[at] ?? 0) - this.#origin;
      this.#values[at + 1] = (this.#values[at] ?? 0) + value;
      this.#products[at + 1] = (this.#products[at] ?? 0) + value * at;
      square += value * value;
    }
    this.#square = square;
  }

  get #total(): number {
    return this.#values[this.#count] ?? 0;
  }

  bestStep(): { index: number; error: number; before: number; after: number } {
    const count = this.#count;
    let best = { index: 1, gain: -1 };
    for (let index = 1; index < count; index += 1) {
      const before = this.#values[index] ?? 0;
      const gain = before ** 2 / index + (this.#total - before) ** 2 / (count - index);
      if (gain > best.gain) best = { index, gain };
    }
    const sum = this.#values[best.index] ?? 0;
    return {
      index: best.index,
      error: Math.max(0, this.#square - best.gain),
      before: this.#origin + sum / best.index,
      after: this.#origin + (this.#total - sum) / Math.max(1, count - best.index),
    };
  }

  line(): number {
    return this.#hingeAt(0).error;
  }

  bestHinge(): { index: number; error: number; level: number; slope: number } {
    const stride = Math.max(1, Math.ceil(this.#count / hingeCountMax));
    let best = { index: 0, ...this.#hingeAt(0) };
    for (let index = stride; index < this.#count - 2; index += stride) {
      const fit = this.#hingeAt(index);
      if (fit.error < best.error) best = { index, ...fit };
    }
    return { ...best, level: best.level + this.#origin };
  }

  /** The regression on max(0, place − knot). */
  #hingeAt(knot: number): { error: number; level: number; slope: number } {
    const count = this.#count;
    const rest = count - 1 - knot;
    const sumX = (rest * (rest + 1)) / 2;
    const sumXX = (rest * (rest + 1) * (2 * rest + 1)) / 6;
    const sumY = this.#total;
    const sumXY =
      (this.#products[count] ?? 0) -
      (this.#products[knot] ?? 0) -
      knot * (sumY - (this.#values[knot] ?? 0));
    const determinant = count * sumXX - sumX * sumX;
    const slope = determinant === 0 ? 0 : (count * sumXY - sumX * sumY) / determinant;
    const level = (sumY - slope * sumX) / count;
    return { error: Math.max(0, this.#square - level * sumY - slope * sumXY), level, slope };
  }
}
