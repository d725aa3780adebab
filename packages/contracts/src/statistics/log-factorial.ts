/** Logarithms of factorials and of how many subsets there are. */

const tableSize = 256;
const table = makeTable();

/** ln(n!), exact to rounding below 256 and by Stirling's series with three terms from there on. */
export function logFactorial(n: number): number {
  if (n < tableSize) return table[n] ?? 0;
  const inverse = 1 / n;
  return (
    n * Math.log(n) -
    n +
    0.5 * Math.log(2 * Math.PI * n) +
    inverse / 12 -
    inverse ** 3 / 360 +
    inverse ** 5 / 1_260
  );
}

/** The logarithm of the number of subsets of size `k` of `n` things. */
export function logSubsets(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

function makeTable(): Float64Array {
  const values = new Float64Array(tableSize);
  for (let n = 1; n < tableSize; n += 1) values[n] = (values[n - 1] ?? 0) + Math.log(n);
  return values;
}
