/** At which of the places from 0 to `last` a scale says what stands there: so many, evenly, the first and the last among them. */
export function tickIndices(last: number, count: number): number[] {
  const ticks = Array.from({ length: count }, (_, tick) => Math.round((tick * last) / (count - 1)));
  return [...new Set(ticks)];
}
