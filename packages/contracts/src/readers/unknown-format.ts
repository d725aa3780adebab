/** Says why a file is in no known format, as near to its fault as can be told. */

import { EvidenceError } from "./evidence-error.ts";
import type { FormatInput } from "./format.ts";
import { knownFormats } from "./formats.ts";
import { jsonValuesOf, parseJson } from "./text.ts";

/** How deep, and how many fields and items wide, a document is searched for what looks like spans. */
const searchDepthMax = 6;
const searchWidthMax = 20;

/** The error for a file that no format recognised. */
export function unknownFormat(input: FormatInput): EvidenceError {
  const { head } = input;
  if (head === undefined) return noKnownFormat("byte 0");
  const text = input.text();
  return /^\s*[{[]/.test(head) ? unknownJson(text) : noKnownFormat("line 1, column 1");
}

function unknownJson(text: string): EvidenceError {
  const line = lineAfterHeader(text);
  if (line !== undefined) {
    return new EvidenceError(
      "The file is in no known format: its first line is JSON, but other text follows.",
      { expected: knownFormats(), where: `line ${line}, column 1` },
    );
  }
  // A document that is cut or malformed throws with the place of its fault.
  const values = jsonValuesOf(text);
  if (!looksLikeSpans(values, 0)) return noKnownFormat("line 1, column 1");
  return new EvidenceError("It looks like spans, but in no known form.", {
    expected:
      "OTLP as JSON (`resourceSpans`, in them `scopeSpans`, in them `spans`), the JSON of Jaeger, Zipkin, Tempo, Sentry, Langfuse, LangSmith, Phoenix or an SDK of OpenTelemetry, or records with a trace id, a span id, a name, a start and a duration",
    where: "line 1, column 1",
  });
}

function noKnownFormat(where: string): EvidenceError {
  return new EvidenceError("The file is in no known format.", {
    expected: knownFormats(),
    where,
    isUnknownForm: true,
  });
}

/** The line with which text begins that is no JSON, below a first line that is a document, as recorded tools write. */
function lineAfterHeader(text: string): number | undefined {
  const lines = text.split("\n");
  const other = lines.findIndex((line) => !/^\s*(?:[{[].*)?$/.test(line));
  return other > 0 && isJson(lines[0] ?? "") ? other + 1 : undefined;
}

function isJson(line: string): boolean {
  try {
    parseJson(line);
    return true;
  } catch (error) {
    // That the line does not parse is the answer.
    if (error instanceof EvidenceError) return false;
    throw error;
  }
}

/** Whether a value, or what it holds, has the ids of a trace and of a span, under any of their usual names. */
function looksLikeSpans(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null || depth > searchDepthMax) return false;
  const names = Object.keys(value).slice(0, searchWidthMax);
  const has = (pattern: RegExp): boolean => names.some((name) => pattern.test(name));
  if (has(/^trace_?id$/i) && has(/^(?:(?:parent_?)?(?:span_?)?id|parent|spans)$/i)) return true;
  const inner: unknown[] = Object.values(value).slice(0, searchWidthMax);
  return inner.some((item) => looksLikeSpans(item, depth + 1));
}
