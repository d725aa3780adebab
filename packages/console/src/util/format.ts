/** Numbers, durations and sizes as people read them: always with a unit, never with false precision. */

const wholeNumber = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const compactNumber = new Intl.NumberFormat("en-US", {
  notation: "compact",
  maximumSignificantDigits: 3,
});

/** A count in full: `12,345`. */
export function formatCount(count: number): string {
  return wholeNumber.format(count);
}

/** A count where room is scarce: `12.3K`. */
export function formatCompact(count: number): string {
  return count < 10_000 ? wholeNumber.format(count) : compactNumber.format(count);
}

/** A duration given in milliseconds: `850 µs`, `12.4 ms`, `1.24 s`, `3 min 12 s`. */
export function formatDuration(durationMs: number): string {
  if (durationMs <= 0) return "0 ms";
  if (durationMs < 0.001) return `${Math.max(1, Math.round(durationMs * 1e6))} ns`;
  if (durationMs < 0.9995) return `${significant(durationMs * 1_000)} µs`;
  if (durationMs < 999.5) return `${significant(durationMs)} ms`;
  if (durationMs < 59_995) return `${significant(durationMs / 1_000)} s`;
  const seconds = Math.round(durationMs / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}

/** A size in bytes: `812 B`, `14.2 kB`. */
export function formatBytes(byteCount: number): string {
  if (byteCount < 1_000) return `${byteCount} B`;
  if (byteCount < 1e6) return `${significant(byteCount / 1e3)} kB`;
  return `${significant(byteCount / 1e6)} MB`;
}

/** A share of a whole: `0 %`, `< 0.1 %`, `4.2 %`. */
export function formatShare(part: number, whole: number): string {
  if (whole === 0 || part === 0) return "0 %";
  const percent = (part / whole) * 100;
  if (percent < 0.1) return "< 0.1 %";
  return `${percent >= 99.95 ? 100 : significant(percent)} %`;
}

/** `1 case`, `2 cases`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** A span's length in milliseconds. */
export function nanosToMs(nanos: number): number {
  return nanos / 1e6;
}

function significant(value: number): string {
  const digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return value.toFixed(digits).replace(/\.0+$/, "");
}
