/** Quantities of the Kubernetes API, such as `1500m`, `64Mi` and `2e3`, without loss. */

/** Longer texts are no quantity that anybody wrote. */
const quantityLengthMax = 64;
/** Exponents beyond this leave the range of the API, which ends at 2^63 − 1. */
const exponentMax = 30;
const nanosPerUnit = 1_000_000_000n;
/** The API caps what is larger. */
const nanosMax = (2n ** 63n - 1n) * nanosPerUnit;

const decimalSuffixes: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  "": 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const binarySuffixes: Readonly<Record<string, bigint>> = {
  Ki: 2n ** 10n,
  Mi: 2n ** 20n,
  Gi: 2n ** 30n,
  Ti: 2n ** 40n,
  Pi: 2n ** 50n,
  Ei: 2n ** 60n,
};

/**
 * A quantity in units of 10^-9, or nothing when the text is none. As in the API, what is finer is rounded away
 * from zero and what is larger than 2^63 − 1 is capped.
 */
export function parseQuantity(text: string): bigint | undefined {
  if (text.length > quantityLengthMax) return undefined;
  const match = /^([+-]?)(\d*)(?:\.(\d*))?([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?$/.exec(text);
  if (match === null) return undefined;
  const [, sign = "", whole = "", fraction = "", suffix = ""] = match;
  if (whole === "" && fraction === "") return undefined;
  const scale = scaleOf(suffix);
  if (scale === undefined) return undefined;

  // digits × 10^-fractionLength × multiplier × 10^exponent × 10^9
  const digits = BigInt(`${whole}${fraction}`) * scale.multiplier;
  const exponent = scale.exponent - fraction.length + 9;
  const nanos =
    exponent >= 0 ? digits * 10n ** BigInt(exponent) : divideUp(digits, 10n ** BigInt(-exponent));
  const capped = nanos > nanosMax ? nanosMax : nanos;
  return sign === "-" ? -capped : capped;
}

function scaleOf(suffix: string): { multiplier: bigint; exponent: number } | undefined {
  const binary = binarySuffixes[suffix];
  if (binary !== undefined) return { multiplier: binary, exponent: 0 };
  const decimal = decimalSuffixes[suffix];
  if (decimal !== undefined) return { multiplier: 1n, exponent: decimal };
  const exponent = Number(suffix.slice(1));
  return Math.abs(exponent) > exponentMax ? undefined : { multiplier: 1n, exponent };
}

/**
 * A quantity in the unit in which the scheduler counts a resource: thousandths for cpu, whole units for all
 * else, rounded up.
 */
export function resourceAmount(resource: string, text: string): bigint | undefined {
  const nanos = parseQuantity(text);
  if (nanos === undefined) return undefined;
  return divideUp(nanos, resource === "cpu" ? 1_000_000n : nanosPerUnit);
}

/** An amount as people write it: `1400m` or `2` for cpu, `3008Mi` for bytes, a plain number for all else. */
export function formatAmount(resource: string, amount: bigint): string {
  if (resource === "cpu") return amount % 1_000n === 0n ? `${amount / 1_000n}` : `${amount}m`;
  if (!isBytes(resource) || amount === 0n) return `${amount}`;
  for (const suffix of ["Ei", "Pi", "Ti", "Gi", "Mi", "Ki"]) {
    const multiplier = binarySuffixes[suffix];
    if (multiplier !== undefined && amount % multiplier === 0n)
      return `${amount / multiplier}${suffix}`;
  }
  return `${amount}`;
}

function isBytes(resource: string): boolean {
  return (
    resource === "memory" ||
    resource === "ephemeral-storage" ||
    resource === "storage" ||
    resource.startsWith("hugepages-")
  );
}

/** Integer division that rounds up, towards positive infinity. */
function divideUp(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend % divisor > 0n ? quotient + 1n : quotient;
}
