/** Values of a caller's request, checked where they are read; a wrong type is refused with its place. */

import type { Effort, Source } from "../conversation.ts";
import { type JsonObject, toList, toObject, toText } from "../../wire/json-values.ts";
import { invalidRequest, unsupported } from "../losses.ts";

/** Throws `request_invalid`. */
export function requireText(value: unknown, at: string): string {
  const text = toText(value);
  if (text === undefined) throw invalidRequest(at, "a text");
  return text;
}

/** Absent stays absent. Throws `request_invalid`. */
export function optionalText(value: unknown, at: string): string | undefined {
  return value === undefined || value === null ? undefined : requireText(value, at);
}

/** Throws `request_invalid`. */
export function requireList(value: unknown, at: string): readonly unknown[] {
  const list = toList(value);
  if (list === undefined) throw invalidRequest(at, "a list");
  return list;
}

/** Absent stays absent. Throws `request_invalid`. */
export function optionalObject(value: unknown, at: string): JsonObject | undefined {
  if (value === undefined || value === null) return undefined;
  const object = toObject(value);
  if (object === undefined) throw invalidRequest(at, "an object");
  return object;
}

/** Absent stays absent. Throws `request_invalid`. */
export function optionalNumber(value: unknown, at: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number") throw invalidRequest(at, "a number");
  return value;
}

/** Absent stays absent. Throws `request_invalid`. */
export function optionalBoolean(value: unknown, at: string): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "boolean") throw invalidRequest(at, "true or false");
  return value;
}

const efforts: readonly Effort[] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/** Throws `request_invalid` for a word that no surface knows. */
export function optionalEffort(value: unknown, at: string): Effort | undefined {
  if (value === undefined || value === null) return undefined;
  const effort = efforts.find((known) => known === value);
  if (effort === undefined) throw invalidRequest(at, `one of ${efforts.join(", ")}`);
  return effort;
}

const dataUrl = /^data:([^;,]+);base64,/i;

/** A URL, or the data in a `data:` URL. */
export function readUrl(url: string, at: string): Source {
  if (!/^data:/i.test(url)) return { kind: "url", url };
  const match = dataUrl.exec(url);
  if (match?.[1] === undefined) throw invalidRequest(at, "a URL, or data in base64 with its type");
  return { kind: "data", mediaType: match[1], data: url.slice(match[0].length) };
}

/** The source as one URL. */
export function writeUrl(source: Source): string {
  return source.kind === "url" ? source.url : `data:${source.mediaType};base64,${source.data}`;
}

/** The kinds of a list's objects that no reader knows: refused, for they are content. */
export function unknownKind(value: unknown, at: string): Error {
  const type = toObject(value)?.["type"];
  return typeof type === "string"
    ? unsupported(at, `the other surface has nothing of the type "${type.slice(0, 64)}"`)
    : invalidRequest(`${at}/type`, "a text");
}
