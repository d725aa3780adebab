/** Amounts of the ledger as people write and read them: units with up to six decimals. */

const microDigits = 6;

/**
 * Units as micros: `12.5` is `12500000`. What is finer than a micro keeps its point, and what is no number stays as it is, so
 * that the ledger refuses each by its own code.
 */
export function microsOf(text: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (match === null) return text;
  const [, sign = "", whole = "", fraction = ""] = match;
  const digits = `${whole}${fraction.slice(0, microDigits).padEnd(microDigits, "0")}`;
  const rest = fraction.slice(microDigits).replace(/0+$/, "");
  return `${sign}${digits.replace(/^0+(?=\d)/, "")}${rest === "" ? "" : `.${rest}`}`;
}

/** Micros as units, with at least two decimals: `12.50`. */
export function unitsOf(micros: string): string {
  const isNegative = micros.startsWith("-");
  const digits = (isNegative ? micros.slice(1) : micros).padStart(microDigits + 1, "0");
  const whole = digits.slice(0, -microDigits).replaceAll(/\B(?=(?:\d{3})+$)/g, ",");
  const fraction = digits.slice(-microDigits).replace(/0{1,4}$/, "");
  return `${isNegative ? "-" : ""}${whole}.${fraction}`;
}
