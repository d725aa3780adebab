/** Amounts of the ledger as people write and read them: units with up to six decimals. */

import { PlatformError } from "@faultline/protocol";

const microDigits = 6;
const hint = "Amounts are units with up to six decimals, such as 12.50.";

/** The micros of units that somebody typed. Throws `amount_invalid` and `amount_fractional` in their words. */
export function askedMicrosOf(text: string): string {
  const micros = microsOf(text);
  if (/^-?\d+$/.test(micros)) return micros;
  if (/^-?\d+\.\d+$/.test(micros))
    throw new PlatformError("amount_fractional", `'${text}' has more than six decimals.`, { hint });
  throw new PlatformError("amount_invalid", `'${text}' is not an amount.`, { hint });
}

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
