/** Values as PostgreSQL's COPY takes them: times, identifiers, JSON. */

import type { AttributeValue } from "@faultline/contracts";

import { microsPerMs } from "./limits.ts";

/** Writes times in UTC to the microsecond. The text of a second is kept, because neighbours share it. */
export class TimeWriter {
  #second = Number.NaN;
  #text = "";

  /** `micros` is a whole number of microseconds since the Unix epoch. */
  write(micros: number): string {
    const second = Math.floor(micros / 1_000_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = new Date(second * 1_000).toISOString().slice(0, 19);
    }
    const rest = String(micros - second * 1_000_000).padStart(6, "0");
    return `${this.#text}.${rest}+00`;
  }
}

/** The beginning of the day (UTC) of a time, as `YYYY-MM-DD`. */
export function dayOf(micros: number): string {
  return new Date(micros / microsPerMs).toISOString().slice(0, 10);
}

/** Hexadecimal as a `bytea`. */
export function bytesText(hex: string): string {
  return `\\x${hex}`;
}

/** JSON that PostgreSQL can store: it has neither the character NUL nor half of a surrogate pair. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value);
  // Both come out of JSON.stringify as escapes. An escape within escaped text is only a false alarm.
  return unstorable.test(text) ? JSON.stringify(storable(value as AttributeValue)) : text;
}

const unstorable = /\\u(?:0000|d[89a-f])/;

function storable(value: AttributeValue): AttributeValue {
  if (typeof value === "string") return storableText(value);
  if (Array.isArray(value)) return value.map(storable);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [storableText(key), storable(inner)]),
  );
}

function storableText(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}
