/** JSON as the translation reads it: numbers keep their digits, and a wrong type reads as absent. */

import { parseForeignJson } from "@faultline/contracts/json";

import type { JsonObject } from "../wire/json-values.ts";
import { translationLimits } from "./translation-limits.ts";

/** Numbers that a double may change: many digits, or an exponent of three. */
const delicateNumber = /\d[\d.]{15}|\d[eE][+-]?\d{3}/;

/**
 * Throws `SyntaxError`, also for a value that is nested too deep to be written back. Numbers that a double cannot hold
 * keep their source and are written back unchanged.
 */
export function parseJson(text: string): unknown {
  if (isDeep(text)) throw new SyntaxError("The value is nested too deep.");
  if (!delicateNumber.test(text)) return parseForeignJson(text);
  return parseForeignJson(text, (value, source) =>
    isExact(value, source) ? value : rawJson(source),
  );
}

/** Texts are most of a document, and are skipped over. */
function isDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === 0x22) {
      at = endOfText(text, at);
    } else if (unit === 0x7b || unit === 0x5b) {
      depth += 1;
      if (depth > translationLimits.jsonDepthMax) return true;
    } else if (unit === 0x7d || unit === 0x5d) {
      depth -= 1;
    }
  }
  return false;
}

/** The index of the quotation mark that ends the text which begins at `start`. */
function endOfText(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end === -1 ? text.length : end;
}

function isEscaped(text: string, at: number): boolean {
  let before = at - 1;
  while (text.charCodeAt(before) === 0x5c) before -= 1;
  return (at - before) % 2 === 0;
}

function rawJson(source: string): unknown {
  // Node 24 has it; the library's types do not.
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(source);
}

function isExact(value: number, source: string): boolean {
  return Number.isFinite(value) && significantDigits(String(value)) === significantDigits(source);
}

function significantDigits(number: string): string {
  return number
    .replace(/[eE].*$/, "")
    .replaceAll(/\D/g, "")
    .replace(/^0+/, "")
    .replace(/0+$/, "");
}

/** The value as a count, when it is a whole number of at least 0. */
export function toCount(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

/** The object without the fields that are undefined. */
export function compact(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
