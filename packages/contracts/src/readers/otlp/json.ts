/** OTLP's JSON: documents, and the leaves of the protobuf JSON mapping, each fault with its JSON pointer. */

import { parseForeignJson } from "../../text/foreign-json.ts";
import { EvidenceError } from "../evidence-error.ts";
import { jsonFaultOffset } from "../json-fault.ts";
import { type Moment, momentOfDigits } from "./value.ts";

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [name: string]: JsonValue | undefined;
}

/** One export request and where it came from: a line of newline-delimited JSON, or the whole body. */
export interface JsonDocument {
  readonly root: JsonObject;
  /** 1 for the first line; absent when the body is one document. */
  readonly line?: number;
}

/**
 * Reads one JSON document, or one for each line as the collector's file exporter writes them.
 * Throws `EvidenceError` with the line and column of what is wrong.
 */
export function readJsonDocuments(bytes: Uint8Array): JsonDocument[] {
  const text = decodeText(bytes);
  try {
    return [{ root: asRoot(valueOf(text)) }];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const lines = text.split("\n");
    // A second line that begins a document of its own tells newline-delimited JSON from a broken document.
    if (lines.length > 1 && isDocument(lines[0] ?? "")) return readLines(lines);
    throw syntaxError(error, { text, line: 1 });
  }
}

function readLines(lines: readonly string[]): JsonDocument[] {
  const documents: JsonDocument[] = [];
  lines.forEach((text, index) => {
    if (text.trim() === "") return;
    const line = index + 1;
    try {
      documents.push({ root: asRoot(valueOf(text), line), line });
    } catch (error) {
      if (error instanceof SyntaxError) throw syntaxError(error, { text, line });
      throw error;
    }
  });
  return documents;
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new EvidenceError("The body is not text in UTF-8.", {
      expected: "OTLP JSON in UTF-8",
      cause: error,
    });
  }
}

function valueOf(text: string): JsonValue {
  // What is parsed is JSON.
  return parseForeignJson(text) as JsonValue;
}

function isDocument(text: string): boolean {
  try {
    return isObject(valueOf(text));
  } catch {
    return false;
  }
}

function asRoot(value: JsonValue, line?: number): JsonObject {
  if (isObject(value)) return value;
  throw new EvidenceError(`An OTLP request is an object, not ${nameOf(value)}.`, {
    expected: "an object",
    where: line === undefined ? "" : `line ${line}`,
  });
}

function syntaxError(error: SyntaxError, place: { text: string; line: number }): EvidenceError {
  const before = place.text.slice(0, jsonFaultOffset(place.text)).split("\n");
  const line = place.line + before.length - 1;
  const column = (before.at(-1)?.length ?? 0) + 1;
  return new EvidenceError("The body is not JSON, or it ends too early.", {
    expected: "OTLP JSON",
    where: `line ${line}, column ${column}`,
    cause: error,
  });
}

/** A value that is not what OTLP has at this place. The path is completed while the error travels outward. */
export class JsonMismatch extends Error {
  readonly expected: string;
  readonly #segments: (string | number)[];

  constructor(expected: string, value: JsonValue | undefined, key?: string) {
    super(`Expected ${expected}, found ${nameOf(value)}`);
    this.expected = expected;
    this.#segments = key === undefined ? [] : [key];
  }

  /** Says that the fault lies below `segments`. */
  within(...segments: (string | number)[]): this {
    this.#segments.unshift(...segments);
    return this;
  }

  toEvidenceError(line: number | undefined): EvidenceError {
    const pointer = this.#segments
      .map((segment) => `/${String(segment).replaceAll("~", "~0").replaceAll("/", "~1")}`)
      .join("");
    return new EvidenceError(`${this.message}.`, {
      expected: this.expected,
      where: line === undefined ? pointer : `line ${line}, ${pointer}`,
    });
  }
}

/** Visits the objects of a list; an absent list is empty. */
export function eachObject(
  owner: JsonObject,
  key: string,
  visit: (item: JsonObject, index: number) => void,
): void {
  listOf(owner, key).forEach((item, index) => {
    try {
      if (!isObject(item)) throw new JsonMismatch("an object", item);
      visit(item, index);
    } catch (error) {
      throw error instanceof JsonMismatch ? error.within(key, index) : error;
    }
  });
}

/** Reads what stands under `key`, when it is there, completing the path of its faults. */
export function inObject<T>(
  owner: JsonObject,
  key: string,
  read: (value: JsonObject) => T,
): T | undefined {
  const value = owner[key] ?? undefined;
  if (value === undefined) return undefined;
  if (!isObject(value)) throw new JsonMismatch("an object", value, key);
  try {
    return read(value);
  } catch (error) {
    throw error instanceof JsonMismatch ? error.within(key) : error;
  }
}

/** The list under `key`; absent and null are empty. */
export function listOf(owner: JsonObject, key: string): JsonValue[] {
  const value = owner[key] ?? [];
  if (!Array.isArray(value)) throw new JsonMismatch("an array", value, key);
  return value;
}

/** The text under `key`; absent and null are empty. */
export function textOf(owner: JsonObject, key: string): string {
  const value = owner[key] ?? "";
  if (typeof value !== "string") throw new JsonMismatch("a string", value, key);
  return value.isWellFormed() ? value : value.toWellFormed();
}

/** The identifier under `key`, in lower case. What is no hexadecimal counts as absent bytes of that length. */
export function hexOf(owner: JsonObject, key: string): string {
  const text = textOf(owner, key).toLowerCase();
  return /^[0-9a-f]*$/.test(text) ? text : "not hexadecimal";
}

export function booleanOf(owner: JsonObject, key: string): boolean {
  const value = owner[key] ?? false;
  if (typeof value !== "boolean") throw new JsonMismatch("true or false", value, key);
  return value;
}

/** The moment under `key`: nanoseconds as a string or a number. Absent and 0 are `undefined`. */
export function momentOf(owner: JsonObject, key: string): Moment | undefined {
  const value = owner[key] ?? 0;
  const digits =
    typeof value === "number" && value >= 0 ? BigInt(Math.round(value)).toString() : value;
  if (typeof digits !== "string" || !/^\d{1,20}$/.test(digits)) {
    throw new JsonMismatch("nanoseconds as an unsigned integer", value, key);
  }
  const moment = momentOfDigits(digits);
  return moment.micros === 0 && moment.nanos === 0 ? undefined : moment;
}

/** An enumeration's number under `key`, given as a number or by its name after `prefix`. */
export function enumOf(
  owner: JsonObject,
  key: string,
  names: { readonly prefix: string; readonly values: readonly string[] },
): number {
  const value = owner[key] ?? 0;
  if (typeof value === "number" && Number.isInteger(value)) return value;
  if (typeof value === "string") {
    const index = names.values.findIndex((name) => value === `${names.prefix}${name}`);
    if (index >= 0) return index;
    if (/^\d{1,9}$/.test(value)) return Number(value);
  }
  throw new JsonMismatch(
    `a number or one of ${names.prefix}${names.values.join(`, ${names.prefix}`)}`,
    value,
    key,
  );
}

/** A whole number under `key`, rounded to a double beyond 2^53; absent is 0. */
export function wholeOf(owner: JsonObject, key: string): number {
  return wholeNumber(owner[key] ?? 0, key);
}

/** Reads a whole number given as a number or as decimal text. */
export function wholeNumber(value: JsonValue, key: string): number {
  const number = typeof value === "string" && /^-?\d{1,20}$/.test(value) ? Number(value) : value;
  if (typeof number !== "number" || !Number.isInteger(number)) {
    throw new JsonMismatch("a whole number", value, key);
  }
  return number;
}

/** A double under `key`; absent is `undefined`. May be infinite or no number, which OTLP's JSON writes as text. */
export function doubleOf(owner: JsonObject, key: string): number | undefined {
  const value = owner[key] ?? undefined;
  return value === undefined ? undefined : doubleNumber(value, key);
}

/** Reads a double given as a number or as text. */
export function doubleNumber(value: JsonValue, key: string): number {
  if (typeof value === "number") return value;
  if (typeof value === "string" && doubleText.test(value)) return Number(value);
  throw new JsonMismatch("a number", value, key);
}

const doubleText = /^(?:NaN|-?Infinity|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a value is, in words. */
export function nameOf(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
