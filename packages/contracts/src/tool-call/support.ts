/** Which numbers an answer may state: those that were said, and what simple arithmetic makes of them. */

/** Numbers of which pairs are combined; beyond it every number counts as supported. */
const numberCountMax = 400;

const units: readonly number[] = [
  100, 1_000, 1e6, 1e9, 1_024, 1_048_576, 60, 3_600, 24, 7, 12, 1.609_344, 2.204_62, 3.6, 2.236_94,
  0.304_8, 2.54, 0.453_592, 28.349_5, 3.785_41, 1.943_84, 86_400, 365, 52,
];

/** The numbers that were said before an answer. */
export class Support {
  readonly #numbers = new Set<number>();

  /** Adds the numbers in a text, however they are written. */
  addText(text: string): void {
    if (this.#numbers.size > numberCountMax) return;
    for (const { value } of numbersIn(text)) this.add(value);
    for (const word of text
      .slice(0, 65_536)
      .toLowerCase()
      .match(/\p{L}+/gu) ?? []) {
      const value = Object.hasOwn(numberWords, word) ? numberWords[word] : undefined;
      if (value !== undefined) this.add(value);
    }
  }

  add(value: number): void {
    if (Number.isFinite(value) && this.#numbers.size <= numberCountMax) this.#numbers.add(value);
  }

  /** Whether a number was said, or follows from two that were, or from one in another unit or rounded. */
  supports({ value, decimals }: StatedNumber): boolean {
    if (this.#numbers.size > numberCountMax) return true;
    const tolerance = 0.51 * 10 ** -decimals;
    const isNear = (candidate: number): boolean =>
      Math.abs(candidate - value) <= Math.max(tolerance, Math.abs(value) * 1e-9);
    const said = [...this.#numbers];
    const total = said.reduce((sum, number) => sum + number, 0);
    if (isNear(total) || isNear(said.length) || isNear(total / Math.max(1, said.length)))
      return true;
    return said.some(
      (left) =>
        isNear(left) ||
        isNear(-left) ||
        isRoughly(left, value) ||
        isNear((left * 9) / 5 + 32) ||
        isNear(((left - 32) * 5) / 9) ||
        isNear(left - 273.15) ||
        isNear(left + 273.15) ||
        units.some((unit) => isNear(left * unit) || isNear(left / unit)) ||
        said.some(
          (right) =>
            isNear(left + right) ||
            isNear(left - right) ||
            isNear(left * right) ||
            (right !== 0 && (isNear(left / right) || isNear((left / right) * 100))) ||
            isNear((left * right) / 100) ||
            isNear(left * (1 - right / 100)) ||
            isNear(left * (1 + right / 100)) ||
            isNear((left + right) / 2) ||
            (left !== 0 && isNear(((right - left) / left) * 100)),
        ),
    );
  }
}

const numberWords: Readonly<Record<string, number | undefined>> = {
  one: 1,
  two: 2,
  both: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
  eleven: 11,
  twelve: 12,
};

/** Rounded to two leading digits, as people do with large numbers. */
function isRoughly(left: number, stated: number): boolean {
  return (
    Math.abs(stated) >= 100 && stated % 10 === 0 && Math.abs(left - stated) <= Math.abs(left) * 0.05
  );
}

/** A number in a text, and how exactly it is stated. */
export interface StatedNumber {
  readonly value: number;
  readonly decimals: number;
  readonly index: number;
  readonly length: number;
}

/** The numbers in a text: with thousands separators, decimals and magnitudes. */
export function numbersIn(text: string): StatedNumber[] {
  const found: StatedNumber[] = [];
  const pattern =
    /(?<![\p{L}\d_])-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:\s?(?:k|thousand|million|billion|m|bn)\b)?/giu;
  for (const match of text.matchAll(pattern)) {
    const [whole] = match;
    const digits = /^-?[\d,]+(?:\.\d+)?/.exec(whole)?.[0] ?? "";
    const magnitude = magnitudes[whole.slice(digits.length).trim().toLowerCase()] ?? 1;
    const value = Number(digits.replaceAll(",", ""));
    const decimals = digits.includes(".") ? digits.length - digits.indexOf(".") - 1 : 0;
    found.push({ value, decimals, index: match.index, length: digits.length });
    if (magnitude !== 1) {
      found.push({
        value: value * magnitude,
        decimals: decimals - Math.log10(magnitude),
        index: match.index,
        length: whole.length,
      });
    }
  }
  return found;
}

const magnitudes: Readonly<Record<string, number | undefined>> = {
  k: 1e3,
  thousand: 1e3,
  m: 1e6,
  million: 1e6,
  bn: 1e9,
  billion: 1e9,
};
