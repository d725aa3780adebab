/** Canonical JSON (RFC 8785): one text for equal values, whatever the order of their fields. */

import { EvidenceError } from "../readers/evidence-error.ts";

/** Nesting beyond this is refused: no real evidence needs it, and it bounds the recursion. */
export const canonicalDepthMax = 256;

/** Text is handed on in pieces of about this length, so that large evidence needs no single string. */
const pieceLength = 65_536;

/** Takes text, in order. */
export type Emit = (text: string) => void;

/** Writes a value as canonical JSON in pieces. Fields that are `undefined` are left out. */
export function writeCanonicalJson(value: unknown, write: Emit): void {
  let pending = "";
  const emit = (text: string): void => {
    pending += text;
    if (pending.length < pieceLength) return;
    write(pending);
    pending = "";
  };
  writeValue(value, emit, 0);
  if (pending !== "") write(pending);
}

/** A value as one canonical JSON text. */
export function canonicalJson(value: unknown): string {
  let text = "";
  writeCanonicalJson(value, (piece) => {
    text += piece;
  });
  return text;
}

/** A value as the UTF-8 bytes of its canonical JSON. */
export function canonicalJsonBytes(value: unknown): Uint8Array {
  const encoder = new TextEncoder();
  const pieces: Uint8Array[] = [];
  writeCanonicalJson(value, (piece) => pieces.push(encoder.encode(piece)));
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece, offset);
    offset += piece.length;
  }
  return bytes;
}

/** Writes a value that is nested so deep in another one. */
export function writeValue(value: unknown, emit: Emit, depth: number): void {
  if (depth > canonicalDepthMax) {
    throw new EvidenceError(`The evidence is nested more than ${canonicalDepthMax} levels deep.`, {
      expected: `at most ${canonicalDepthMax} levels`,
    });
  }
  switch (typeof value) {
    case "string":
    case "boolean":
      emit(JSON.stringify(value));
      return;
    case "number":
      if (!Number.isFinite(value)) throw notJson(String(value));
      emit(JSON.stringify(value));
      return;
    case "object":
      if (value === null) emit("null");
      else if (Array.isArray(value)) writeArray(value, emit, depth);
      else writeObject(value, emit, depth);
      return;
    default:
      throw notJson(typeof value);
  }
}

function writeArray(items: readonly unknown[], emit: Emit, depth: number): void {
  emit("[");
  for (let index = 0; index < items.length; index += 1) {
    if (index > 0) emit(",");
    writeValue(items[index], emit, depth + 1);
  }
  emit("]");
}

function writeObject(value: object, emit: Emit, depth: number): void {
  emit("{");
  let first = true;
  for (const name of sortedNames(value)) {
    // `name` is an own key of `value`.
    const field: unknown = (value as Record<string, unknown>)[name];
    if (field === undefined) continue;
    emit(`${first ? "" : ","}${JSON.stringify(name)}:`);
    first = false;
    writeValue(field, emit, depth + 1);
  }
  emit("}");
}

/** In the order of UTF-16 code units, which is the default of `sort` and what RFC 8785 asks for. */
function sortedNames(value: object): string[] {
  const names = Object.keys(value);
  for (let index = 1; index < names.length; index += 1) {
    // Both indices lie within the list.
    if ((names[index - 1] ?? "") > (names[index] ?? "")) return names.sort();
  }
  return names;
}

function notJson(what: string): EvidenceError {
  return new EvidenceError(`The evidence holds a value that JSON cannot carry: ${what}.`, {
    expected: "text, finite numbers, booleans, null, arrays and objects",
  });
}
