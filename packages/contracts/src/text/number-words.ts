/** Numbers and shares in words. */

/** With so many significant digits at most, and no zeros at the end. */
export function significant(value: number, digits: number): string {
  return String(Number(value.toPrecision(digits)));
}

/** A share with three significant digits: `0.04 %`, `12.3 %`. */
export function percent(share: number): string {
  return `${significant(100 * share, 3)} %`;
}

/** A share to the tenth of a hundredth: `12.3 %`, `0 %`. */
export function roundPercent(share: number): string {
  return `${Math.round(share * 1_000) / 10} %`;
}
