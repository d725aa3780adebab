/** Durations and moments as people write them on a command line. */

import { UsageError } from "./command.ts";

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof unitMs;

/** `90s`, `15m`, `2h`, `1d` in milliseconds; `undefined` when the text is no duration. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim());
  if (match === null) return undefined;
  // The pattern admits these units only.
  return Number(match[1]) * unitMs[match[2] as Unit];
}

/** A duration before `nowMs`, or an ISO 8601 time or date, which begins at midnight UTC, as ISO 8601. Throws `UsageError` that names the option. */
export function parseMoment(option: string, text: string, nowMs: number): string {
  const ago = parseDurationMs(text);
  // Nothing is older; what is too long for a date would be none.
  if (ago !== undefined) return new Date(Math.max(0, nowMs - ago)).toISOString();
  const at = readIsoMs(text);
  if (at === undefined) {
    throw new UsageError(
      `--${option} takes a duration such as 90s, 15m or 2h, or a time such as 2026-01-31 or 2026-01-31T12:00:00Z; '${text}' is neither.`,
    );
  }
  return new Date(at).toISOString();
}

/** An ISO 8601 time or date in milliseconds; `undefined` where it is none, as 31 February. */
export function readIsoMs(text: string): number | undefined {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})(?:T|$)/.exec(text) ?? [];
  const at = Date.parse(text);
  if (day === undefined || Number.isNaN(at)) return undefined;
  // `Date.parse` takes 31 days for any month, and counts on into the next one.
  const dayCount = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return Number(day) > dayCount ? undefined : at;
}
