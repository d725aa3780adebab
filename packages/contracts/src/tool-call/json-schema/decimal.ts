/** Exact arithmetic on the decimal texts of numbers, because 0.0075 is a multiple of 0.0001 only there. */

interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

/** Whether a number is a whole multiple of another, as their decimal texts say. */
export function isMultipleOf(value: number, divisor: number): boolean {
  const [left, right] = [decimalOf(value), decimalOf(divisor)];
  if (right.digits === 0n) return false;
  const exponent = Math.min(left.exponent, right.exponent);
  // The exponents of doubles lie within ±400, which bounds the numbers below.
  const scaled = left.digits * 10n ** BigInt(left.exponent - exponent);
  return scaled % (right.digits * 10n ** BigInt(right.exponent - exponent)) === 0n;
}

function decimalOf(value: number): Decimal {
  const [mantissa = "0", power = "0"] = String(value).split("e");
  const [whole = "0", fraction = ""] = mantissa.split(".");
  return { digits: BigInt(whole + fraction), exponent: Number(power) - fraction.length };
}
