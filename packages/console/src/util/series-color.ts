/** One colour per service within a trace, by its place in the list. */

const seriesCount = 8;

export function seriesColor(services: readonly string[], service: string): string {
  return `var(--series-${Math.max(0, services.indexOf(service)) % seriesCount})`;
}
