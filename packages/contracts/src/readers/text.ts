/** Bytes as text and text as JSON, with errors that name the place. */

import { parseForeignJson } from "../text/foreign-json.ts";
import { EvidenceError } from "./evidence-error.ts";
import { jsonFaultOffset } from "./json-fault.ts";
import { evidenceLimits } from "./limits.ts";

/** How many bytes are looked at to tell text from binary data. */
const sampleBytes = 8_192;
/** How much of a text is looked at to recognise its format. */
export const headBytes = 65_536;

/** Whether bytes are no text: they hold control characters that text does not. */
export function looksBinary(bytes: Uint8Array): boolean {
  for (const byte of bytes.subarray(0, sampleBytes)) {
    if (byte < 9 || (byte > 13 && byte < 32 && byte !== 27) || byte === 127) return true;
  }
  return false;
}

/** Text with the byte order mark of UTF-16 in UTF-8; anything else as it is. */
export function inUtf8(bytes: Uint8Array): Uint8Array {
  if (!isUtf16(bytes)) return bytes;
  const text = new TextDecoder(bytes[0] === 0xff ? "utf-16le" : "utf-16be").decode(bytes);
  return new TextEncoder().encode(text);
}

/** The beginning of a text, for a look at it; a character that is cut at its end does not matter. */
export function headOf(bytes: Uint8Array): string {
  return new TextDecoder("utf-8").decode(bytes.subarray(0, headBytes));
}

/** Decodes UTF-8. Throws with the offset of the first byte that does not fit. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw notUtf8(firstInvalidByte(bytes), cause);
  }
}

/** The error of a file whose byte at this offset is none of a text. */
export function notUtf8(offset: number, cause: unknown): EvidenceError {
  return new EvidenceError("The file is not UTF-8 text.", {
    expected: "UTF-8",
    where: `byte ${offset}`,
    cause,
  });
}

/** Parses JSON of bounded depth. Throws with line and column. */
export function parseJson(text: string, lineOffset = 0): unknown {
  refuseDeepJson(text, lineOffset);
  try {
    return parseForeignJson(text);
  } catch (cause) {
    const offset = jsonFaultOffset(text);
    const isCut = offset >= text.trimEnd().length;
    throw new EvidenceError(isCut ? "The JSON ends too early." : "The JSON is malformed.", {
      expected: "well-formed JSON",
      where: placeOf(text, offset, lineOffset),
      cause,
    });
  }
}

/** The value of a JSON text, or the values of its lines when each line is a document. */
export function jsonValuesOf(text: string): unknown[] {
  const lines = text.split("\n");
  const documents = lines.filter((line) => /^\s*[{[].*[}\]]\s*$/.test(line));
  const isByLine = documents.length > 1 && lines.every((line) => /^\s*(?:[{[].*)?$/.test(line));
  if (!isByLine) return [parseJson(text)];
  return lines.flatMap((line, index) => (line.trim() === "" ? [] : [parseJson(line, index)]));
}

/** `line 3, column 7` for an offset into a text. */
export function placeOf(text: string, offset: number, lineOffset = 0): string {
  const before = text.slice(0, offset);
  const line = before.split("\n").length + lineOffset;
  return `line ${line}, column ${offset - before.lastIndexOf("\n")}`;
}

/** Whether bytes begin with the mark of UTF-16. */
export function isUtf16(bytes: Uint8Array): boolean {
  return (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
}

/** Found by halving: a prefix that ends before the fault decodes as a stream, one that contains it does not. */
export function firstInvalidByte(bytes: Uint8Array): number {
  let valid = 0;
  let invalid = bytes.length;
  while (invalid - valid > 1) {
    const middle = Math.floor((valid + invalid) / 2);
    if (isPrefixOfUtf8(bytes.subarray(0, middle))) valid = middle;
    else invalid = middle;
  }
  return valid;
}

function isPrefixOfUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    // That the prefix does not decode is the answer.
    return false;
  }
}

/** Nesting is counted before parsing, because the parser's own recursion has no limit to rely on. */
function refuseDeepJson(text: string, lineOffset: number): void {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (inString) {
      if (code === 0x5c) index += 1;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) {
      depth += 1;
      if (depth > evidenceLimits.depthMax) {
        throw new EvidenceError("The JSON is nested too deeply.", {
          expected: `at most ${evidenceLimits.depthMax} levels`,
          where: placeOf(text, index, lineOffset),
        });
      }
    } else if (code === 0x7d || code === 0x5d) depth -= 1;
  }
}
