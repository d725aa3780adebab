/**
 * Amounts as people read them, from whole micros (millionths of a unit) and without a float on the way: a cent more or less is
 * not a matter of rounding here.
 */

export type Currency = "USD" | "credits";

const microsPerUnit = 1_000_000n;
const microsPerCent = 10_000n;
const decimalsMax = 6;
const significantDigits = 4;

/** `$1,234.57`, `$0.00025`, `−$3.00`, `12.50 credits`: from one unit on to the cent, below it with four digits that count. */
export function formatMicros(amount: bigint | string, currency: Currency): string {
  const micros = BigInt(amount);
  const size = micros < 0n ? -micros : micros;
  const digits = size >= microsPerUnit ? toCents(size) : belowOne(size);
  const sign = micros < 0n ? "−" : "";
  return currency === "USD" ? `${sign}$${digits}` : `${sign}${digits} credits`;
}

/** Where room is scarce, as on the scale of a chart: `$1.2M`, `$350`, `$0.02`. */
export function formatMicrosShort(amount: bigint, currency: Currency): string {
  const size = amount < 0n ? -amount : amount;
  const sign = amount < 0n ? "−" : "";
  const text = shortDigits(size);
  return currency === "USD" ? `${sign}$${text}` : `${sign}${text}`;
}

/** All of it: `1,234,567,890 micros`. */
export function formatExact(amount: bigint | string, currency: Currency): string {
  const micros = BigInt(amount);
  const size = micros < 0n ? -micros : micros;
  return `${micros < 0n ? "−" : ""}${grouped(String(size))} micros (${currency})`;
}

/** The decimal text of an amount for a form field: `12.5`, `0.00025`. */
export function toDecimalField(amount: bigint | string): string {
  const micros = BigInt(amount);
  const rest = String(micros % microsPerUnit)
    .padStart(decimalsMax, "0")
    .replace(/0+$/, "");
  return `${micros / microsPerUnit}${rest === "" ? "" : `.${rest}`}`;
}

/** The micros of a decimal that somebody typed, `1,234.50` too; `undefined` when it is none or finer than a micro. */
export function fromDecimalField(text: string): bigint | undefined {
  const match = /^(\d{1,3}(?:,\d{3})+|\d+)?(?:\.(\d{0,6}))?$/.exec(text.trim());
  if (match === null || /^\.?$/.test(text.trim())) return undefined;
  const whole = (match[1] ?? "0").replaceAll(",", "");
  return BigInt(whole) * microsPerUnit + BigInt((match[2] ?? "").padEnd(decimalsMax, "0"));
}

/** How much of a whole in per cent, for the length of a bar: 0 to 100. */
export function shareOf(part: bigint | string, whole: bigint | string): number {
  const [of, all] = [BigInt(part), BigInt(whole)];
  if (all <= 0n) return of > 0n ? 100 : 0;
  const tenThousandths = (of * 10_000n) / all;
  return (
    Number(tenThousandths < 0n ? 0n : tenThousandths > 10_000n ? 10_000n : tenThousandths) / 100
  );
}

/** Whole per cents of a limit, beyond a hundred too; rounded down, so that 100 says that it is reached. */
export function percentOf(part: bigint | string, limit: bigint | string): bigint {
  const all = BigInt(limit);
  return all <= 0n ? 100n : (BigInt(part) * 100n) / all;
}

function toCents(size: bigint): string {
  const cents = (size + microsPerCent / 2n) / microsPerCent;
  return `${grouped(String(cents / 100n))}.${String(cents % 100n).padStart(2, "0")}`;
}

function belowOne(size: bigint): string {
  const unit = 10n ** BigInt(Math.max(0, String(size).length - significantDigits));
  const rounded = ((size + unit / 2n) / unit) * unit;
  return rounded >= microsPerUnit ? toCents(rounded) : exactDigits(rounded);
}

function exactDigits(size: bigint): string {
  const rest = String(size).padStart(decimalsMax, "0").replace(/0+$/, "");
  return `0.${rest.padEnd(2, "0")}`;
}

const powers = [
  [10n ** 18n, "T"],
  [10n ** 15n, "B"],
  [10n ** 12n, "M"],
  [10n ** 10n, "K"],
] as const;

function shortDigits(size: bigint): string {
  if (size === 0n) return "0";
  if (size < microsPerUnit) return exactDigits(size).replace(/(\.\d*[1-9])0+$/, "$1");
  for (const [from, letter] of powers) {
    if (size < from) continue;
    const unit = letter === "K" ? 10n ** 9n : from;
    return `${tenths((size * 10n) / unit)}${letter}`;
  }
  return tenths((size * 10n) / microsPerUnit);
}

function tenths(count: bigint): string {
  return count % 10n === 0n ? String(count / 10n) : `${count / 10n}.${count % 10n}`;
}

function grouped(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, ",");
}
