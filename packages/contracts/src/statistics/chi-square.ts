/** The upper tail of the chi-square distribution. */

/** The chance that a chi-square variable with so many degrees of freedom exceeds `value`. */
export function chiSquareTail(value: number, freedom: number): number {
  if (freedom <= 0 || !(value > 0)) return 1;
  const shape = freedom / 2;
  const x = value / 2;
  const scale = Math.exp(shape * Math.log(x) - x - logGamma(shape));
  return x < shape + 1
    ? Math.max(0, 1 - scale * lowerSeries(shape, x))
    : Math.min(1, scale * upperFraction(shape, x));
}

const termCountMax = 10_000;
const precision = 1e-14;

/** The series of the lower incomplete gamma function without its factor. */
function lowerSeries(shape: number, x: number): number {
  let term = 1 / shape;
  let sum = term;
  for (let count = 1; count <= termCountMax && term > sum * precision; count += 1) {
    term *= x / (shape + count);
    sum += term;
  }
  return sum;
}

/** The continued fraction of the upper one, by the method of Lentz. */
function upperFraction(shape: number, x: number): number {
  const tiny = 1e-300;
  let below = x + 1 - shape;
  let c = 1 / tiny;
  let d = 1 / below;
  let product = d;
  for (let count = 1; count <= termCountMax; count += 1) {
    const factor = -count * (count - shape);
    below += 2;
    d = 1 / nonzero(factor * d + below, tiny);
    c = nonzero(below + factor / c, tiny);
    const step = c * d;
    product *= step;
    if (Math.abs(step - 1) < precision) break;
  }
  return product;
}

function nonzero(value: number, tiny: number): number {
  return Math.abs(value) < tiny ? tiny : value;
}

/** ln of the gamma function, by the approximation of Lanczos with six terms. */
function logGamma(x: number): number {
  const coefficients = [
    76.18009172947, -86.50532032942, 24.01409824083, -1.23173957245, 1.208650973866e-3,
    -5.395239384953e-6,
  ];
  const shifted = x + 5.5 - (x + 0.5) * Math.log(x + 5.5);
  const sum = coefficients.reduce(
    (total, coefficient, at) => total + coefficient / (x + 1 + at),
    1.00000000019,
  );
  return -shifted + Math.log((2.506628274631 * sum) / x);
}
