/** Whether readers of evidence survive any input: a result that fits its schema, or a typed error. */

import * as fc from "fast-check";
import { expect } from "vitest";

import { EvidenceError } from "../src/readers/evidence-error.ts";
import type { EvidenceFormat, FileContent } from "../src/readers/format.ts";
import { decodeText, headOf, looksBinary } from "../src/readers/text.ts";
import { canonicalJson } from "../src/snapshot/canonical-json.ts";
import { isEvidenceContent } from "../src/snapshot/check-content.ts";

/** What breaks parsers, put into documents at any place. */
const hostile = [
  "[".repeat(300),
  '{"a":'.repeat(300),
  "1e999",
  "-1e999",
  "99999999999999999999999999",
  '"\\ud800"',
  "\\",
  '"',
  "\u0000",
  "\uFFFD",
  "null",
  "{}",
  "[]",
  '{"__proto__":{"x":1}}',
  '"constructor"',
  "\n\n\n",
  "=".repeat(500),
  "'",
  "<",
  "%",
  " ".repeat(2_000),
  "\t",
  "a".repeat(20_000),
  "-",
  ",",
  ";",
  "NaN",
] as const;

/** Reads changed seeds with every format, recognised or not. */
export function survivesAnyInput(
  formats: readonly EvidenceFormat[],
  seeds: readonly string[],
): void {
  const edit = fc.record({
    at: fc.nat({ max: 100_000 }),
    length: fc.nat({ max: 12 }),
    text: fc.oneof(
      fc.constantFrom(...hostile),
      fc.string({ unit: "binary", maxLength: 8 }),
      fc.constantFrom(...seeds),
    ),
  });
  const changed = fc
    .tuple(fc.constantFrom(...seeds), fc.array(edit, { maxLength: 4 }), fc.nat({ max: 100_000 }))
    .map(([seed, edits, end]) => {
      let text = seed;
      for (const { at, length, text: inserted } of edits) {
        const from = text.length === 0 ? 0 : at % text.length;
        text = text.slice(0, from) + inserted + text.slice(from + length);
      }
      return end % 3 === 0 ? text.slice(0, end % (text.length + 1)) : text;
    });
  const texts = fc.oneof(
    { weight: 6, arbitrary: changed },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 200 }) },
    { weight: 1, arbitrary: fc.json() },
  );
  fc.assert(
    fc.property(texts, (text) => {
      readWithAll(formats, new TextEncoder().encode(text));
    }),
    { numRuns: 400 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      readWithAll(formats, bytes);
    }),
    { numRuns: 200 },
  );
}

/** Reads bytes with every format, and holds what comes of it to its schema. */
export function readWithAll(formats: readonly EvidenceFormat[], bytes: Uint8Array): void {
  const head = looksBinary(bytes) ? undefined : headOf(bytes);
  const input = { bytes, head, name: "x.txt", text: () => decodeText(bytes) };
  for (const format of formats) {
    // Recognising never throws.
    format.recognise(input);
    let content: FileContent | undefined;
    try {
      content = format.read(input);
    } catch (error) {
      if (!(error instanceof EvidenceError)) throw error;
      expect(error.expected).not.toBe("");
    }
    if (content !== undefined) holdToSchema(content);
  }
}

function holdToSchema(content: FileContent): void {
  for (const note of content.notes) expect(typeof note).toBe("string");
  for (const span of content.spans ?? []) {
    const trace = { kind: "trace", traceId: span.traceId, spans: [span] };
    if (!isEvidenceContent(trace)) throw new Error(`no span: ${JSON.stringify(span)}`);
    canonicalJson(trace);
  }
  const processes = (content.processes ?? []).map((process) => process.content);
  for (const part of [...(content.contents ?? []), ...processes]) {
    if (!isEvidenceContent(part))
      throw new Error(`no evidence: ${JSON.stringify(part).slice(0, 2_000)}`);
    canonicalJson(part);
  }
}
