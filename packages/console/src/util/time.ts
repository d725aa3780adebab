/** Times: shown in the reader's zone, with UTC at hand. */

const timeOfDay = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
});
const dayOfYear = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

/** Local time of day, with the day before it when that is not today. */
export function formatLocal(at: Date, now: Date = new Date()): string {
  const time = timeOfDay.format(at);
  return at.toDateString() === now.toDateString() ? time : `${dayOfYear.format(at)}, ${time}`;
}

/** Local hours and minutes, for the axis of a chart. */
export function formatHourMinute(at: Date): string {
  return timeOfDay.format(at).slice(0, 5);
}

/** The day alone, for the axis of a chart that spans many. */
export function formatDay(at: Date): string {
  return dayOfYear.format(at);
}

/** How far a moment lies ahead or behind: `in 3 days`, `20 min ago`. */
export function formatDistance(at: Date, now: Date = new Date()): string {
  const distanceMs = at.getTime() - now.getTime();
  const text = coarse(Math.abs(distanceMs));
  return distanceMs >= 0 ? `in ${text}` : `${text} ago`;
}

/** A length of time in its largest unit: `45 s`, `20 min`, `6 h`, `3 days`. */
export function coarse(durationMs: number): string {
  const seconds = Math.round(durationMs / 1_000);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  if (hours < 48) return `${hours} h`;
  return `${Math.round(hours / 24)} days`;
}

/** `2026-11-22 07:04:31.250 UTC`. */
export function formatUtc(at: Date): string {
  return at.toISOString().replace("T", " ").replace("Z", " UTC");
}

/** The value of a `datetime-local` field for a moment: local time to the second. */
export function toLocalField(at: Date): string {
  const shifted = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 19);
}

/** The moment that a `datetime-local` field names, or `undefined` while it is incomplete. */
export function fromLocalField(text: string): Date | undefined {
  if (!/^\d{4,}-\d{2}-\d{2}T\d{2}:\d{2}/.test(text)) return undefined;
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? undefined : at;
}
