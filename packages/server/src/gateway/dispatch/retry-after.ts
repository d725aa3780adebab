/** How long a provider asks to be left alone. */

import { dispatchLimits } from "./limits.ts";

const msPerSecond = 1_000;

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Reads `retry-after-ms`, and `retry-after` in seconds or as a date of HTTP; `undefined` when none is there or none can
 * be read. `nowMs` is wall time.
 */
export function readRetryAfterMs(headers: Headers, nowMs: number): number | undefined {
  const exact = readNumber(headers["retry-after-ms"], 1);
  if (exact !== undefined) return exact;
  const value = headers["retry-after"];
  if (typeof value !== "string") return undefined;
  const seconds = readNumber(value, msPerSecond);
  if (seconds !== undefined) return seconds;
  const dateMs = readDateMs(value.trim(), nowMs);
  return dateMs === undefined ? undefined : bound(dateMs - nowMs);
}

/** Whether the provider's `x-should-retry` says so; its own clients obey it before all else. */
export function readShouldRetry(headers: Headers): boolean | undefined {
  const value = headers["x-should-retry"];
  if (value === "true") return true;
  return value === "false" ? false : undefined;
}

/** The value of a `retry-after` header: whole seconds, rounded up so that nobody comes too early. */
export function formatRetryAfter(durationMs: number): string {
  return String(Math.ceil(durationMs / msPerSecond));
}

function readNumber(value: Headers[string], unitMs: number): number | undefined {
  if (typeof value !== "string" || !/^\s*\d{1,12}(?:\.\d{1,9})?\s*$/.test(value)) return undefined;
  return bound(Number(value) * unitMs);
}

function bound(durationMs: number): number {
  return Math.min(Math.max(Math.ceil(durationMs), 0), dispatchLimits.retryAfterMsMax);
}

const months = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");
/** `Sun, 06 Nov 1994 08:49:37 GMT`, and with hyphens and two digits of the year as RFC 850 had it. */
const fixedDate =
  /^[a-z]{3,9}, (\d{2})[ -]([a-z]{3})[ -](\d{4}|\d{2}) (\d{2}):(\d{2}):(\d{2}) gmt$/i;
/** `Sun Nov  6 08:49:37 1994`, as the C library writes it. */
const asctimeDate = /^[a-z]{3} ([a-z]{3}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/i;

/** The three forms of RFC 9110, section 5.6.7. */
function readDateMs(text: string, nowMs: number): number | undefined {
  const fixed = fixedDate.exec(text);
  if (fixed !== null) {
    const [, day = "", month = "", year = "", hour, minute, second] = fixed;
    const parts = { day, month, year: fullYear(year, nowMs), time: [hour, minute, second] };
    return toDateMs(parts);
  }
  const asctime = asctimeDate.exec(text);
  if (asctime === null) return undefined;
  const [, month = "", day = "", hour, minute, second, year = ""] = asctime;
  return toDateMs({ day, month, year: Number(year), time: [hour, minute, second] });
}

interface DateParts {
  readonly day: string;
  readonly month: string;
  readonly year: number;
  readonly time: readonly (string | undefined)[];
}

function toDateMs({ day, month, year, time }: DateParts): number | undefined {
  const monthIndex = months.indexOf(month.toLowerCase());
  const [hour = 0, minute = 0, second = 0] = time.map(Number);
  const possible = monthIndex >= 0 && hour < 24 && minute < 60 && second <= 60;
  return possible ? Date.UTC(year, monthIndex, Number(day), hour, minute, second) : undefined;
}

/** Two digits that would lie more than 50 years ahead are of the century before. */
function fullYear(text: string, nowMs: number): number {
  if (text.length === 4) return Number(text);
  const thisYear = new Date(nowMs).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + Number(text);
  return year > thisYear + 50 ? year - 100 : year;
}
