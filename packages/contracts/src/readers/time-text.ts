/** Moments as logs and tables write them: dates, and numbers since 1970 in any of the usual units. */

/** A moment at a place of a text. */
export interface TimeAt {
  /** Since 1970. */
  readonly micros: number;
  /** Where the text goes on behind it. */
  readonly end: number;
  /** A time without a zone counts as UTC. */
  readonly hasZone: boolean;
}

/** `2024-01-02T03:04:05.678+01:00`, with a blank or a stroke in place of any separator, without seconds or zone. */
const iso =
  /(\d{4})([-/.])(\d{1,2})\2(\d{1,2})[T _](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,:](\d{1,9})\d*)?)?(Z\b|[+-]\d{2}:?\d{2}|[+-]\d{2}(?!\d)| ?(?:UTC|GMT)\b| [+-]\d{2}:?\d{2}(?!\d))?/y;
/** `02/Jan/2024:03:04:05 +0100` of access logs, `02 Jan 2024 03:04:05.678`, `Tue, 02 Jan 2024 03:04:05 GMT`. */
const dayFirst =
  /(?:[A-Z][a-z]{2},? )?(\d{1,2})[ /-]([A-Z][a-z]{2})[ /-](\d{4})[: ](\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?( ?(?:UTC|GMT|[+-]\d{2}:?\d{2}))?/y;
/** `Tue Jan  2 03:04:05.678 2024`, `Jan 02, 2024 3:04:05 PM`. */
const monthFirst =
  /(?:[A-Z][a-z]{2} )?([A-Z][a-z]{2}) {1,2}(\d{1,2})(?:, (\d{4}))? (\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?(?: ([AP]M))?(?: (?:UTC|GMT))?(?: (\d{4}))?/y;

const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** The moment that is written at an offset of a text, or nothing. A date without a year is no moment. */
export function timeAt(text: string, from: number): TimeAt | undefined {
  return isoAt(text, from) ?? dayFirstAt(text, from) ?? monthFirstAt(text, from);
}

/** The moment that a whole text is, date or number, or nothing. */
export function timeOfText(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^\d{1,20}(?:\.\d{1,9})?$/.test(trimmed)) return timeOfDigits(trimmed);
  const found = timeAt(trimmed, 0);
  if (found !== undefined && found.end === trimmed.length) return found.micros;
  return /^\d{4}-\d{2}-\d{2}$/.test(trimmed) ? timeAt(`${trimmed}T00:00Z`, 0)?.micros : undefined;
}

/** Numbers below it are no moment of our time in any unit: counts, durations, steps. In seconds it is the year 1973. */
const epochSecondsMin = 1e8;

/** The moment of a number since 1970 whose unit its size tells; of no moment, nothing. */
export function timeOfNumber(value: number): number | undefined {
  if (!Number.isFinite(value) || value < epochSecondsMin) return undefined;
  const micros = value * microsPerUnit(value);
  return micros <= Number.MAX_SAFE_INTEGER ? micros : undefined;
}

/** How many microseconds one of a number since 1970 has: a second, a millisecond, a microsecond or a nanosecond. */
export function microsPerUnit(value: number): number {
  if (value < 1e11) return 1e6;
  if (value < 1e14) return 1e3;
  return value < 1e17 ? 1 : 1e-3;
}

/** Digits since 1970; those of nanoseconds are more than a double holds. */
function timeOfDigits(digits: string): number | undefined {
  const nanos = /^(\d{16})(\d{3})$/.exec(digits);
  if (nanos !== null) return Number(nanos[1]) + Number(nanos[2]) / 1_000;
  const seconds = /^(\d{9,10})\.(\d{1,9})$/.exec(digits);
  if (seconds !== null) return Number(seconds[1]) * 1e6 + fractionMicros(seconds[2]);
  return timeOfNumber(Number(digits));
}

function isoAt(text: string, from: number): TimeAt | undefined {
  iso.lastIndex = from;
  const match = iso.exec(text);
  if (match === null) return undefined;
  const [, year, , month, day, hour, minute, second, fraction, zone] = match;
  const fields = { year: Number(year), month: Number(month), day: Number(day) };
  return moment(fields, { hour, minute, second, fraction, zone }, iso.lastIndex);
}

function dayFirstAt(text: string, from: number): TimeAt | undefined {
  dayFirst.lastIndex = from;
  const match = dayFirst.exec(text);
  if (match === null) return undefined;
  const [, day, month = "", year, hour, minute, second, fraction, zone] = match;
  const fields = { year: Number(year), month: months.indexOf(month) + 1, day: Number(day) };
  return moment(fields, { hour, minute, second, fraction, zone }, dayFirst.lastIndex);
}

function monthFirstAt(text: string, from: number): TimeAt | undefined {
  monthFirst.lastIndex = from;
  const match = monthFirst.exec(text);
  if (match === null) return undefined;
  const [, month = "", day, early, hour = "", minute, second, fraction, half, late] = match;
  const year = early ?? late;
  if (year === undefined) return undefined;
  const fields = { year: Number(year), month: months.indexOf(month) + 1, day: Number(day) };
  const hours = half === undefined ? hour : String((Number(hour) % 12) + (half === "PM" ? 12 : 0));
  return moment(
    fields,
    { hour: hours, minute, second, fraction, zone: undefined },
    monthFirst.lastIndex,
  );
}

interface Day {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

interface Clock {
  readonly hour: string | undefined;
  readonly minute: string | undefined;
  readonly second: string | undefined;
  readonly fraction: string | undefined;
  readonly zone: string | undefined;
}

function moment({ year, month, day }: Day, clock: Clock, end: number): TimeAt | undefined {
  const hour = Number(clock.hour);
  const minute = Number(clock.minute);
  const second = Number(clock.second ?? 0);
  const isDate = month >= 1 && month <= 12 && day >= 1 && day <= 31;
  if (!isDate || hour > 24 || minute > 59 || second > 60) return undefined;
  const millis = Date.UTC(year, month - 1, day, hour, minute, second);
  const micros = millis * 1_000 + fractionMicros(clock.fraction) - offsetMicros(clock.zone);
  return micros < 0 ? undefined : { micros, end, hasZone: clock.zone !== undefined };
}

function fractionMicros(digits: string | undefined): number {
  return digits === undefined ? 0 : Number(digits.padEnd(9, "0")) / 1_000;
}

function offsetMicros(zone: string | undefined): number {
  const parts = /([+-])(\d{2}):?(\d{2})?/.exec(zone ?? "");
  if (parts === null) return 0;
  const minutes = Number(parts[2]) * 60 + Number(parts[3] ?? 0);
  return (parts[1] === "-" ? -minutes : minutes) * 60e6;
}

/** The moment that a field tells of, as a number or as text; without a zone, as some databases write it, in UTC. */
export function timeOfValue(value: unknown): number | undefined {
  if (typeof value === "number") return timeOfNumber(value);
  return typeof value === "string" ? timeOfText(value) : undefined;
}
