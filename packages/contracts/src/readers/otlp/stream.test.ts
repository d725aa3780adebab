import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { tracesRequest } from "../../../test/otlp-arbitrary.ts";
import { encodeOtlp } from "../../../test/otlp-protobuf.ts";
import type { Span } from "../../model/span.ts";
import { EvidenceError } from "../evidence-error.ts";
import { JsonMismatch, type JsonObject, readJsonDocuments } from "./json.ts";
import { readSpans } from "./json-spans.ts";
import { type OtlpEncoding, type OtlpTraces, OtlpTraceStream } from "./otlp.ts";
import { OtlpTally } from "./tally.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const json = (value: unknown): Uint8Array => bytesOf(JSON.stringify(value));

/** The reading in chunks that end at these places. The chunks are overwritten afterwards, as a file's buffer is. */
function stream(bytes: Uint8Array, encoding: OtlpEncoding, cuts: readonly number[]): OtlpTraces {
  const reader = new OtlpTraceStream(encoding);
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length];
  let from = 0;
  for (const end of ends.sort((a, b) => a - b)) {
    const chunk = bytes.slice(from, end);
    reader.push(chunk);
    chunk.fill(0xff);
    from = end;
  }
  return reader.end();
}

/** A result, or the words and the place of the error. */
function outcome(read: () => OtlpTraces): unknown {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    return { message: error.message, where: error.where, expected: error.expected };
  }
}

/** The reading of the whole as one value of JSON, by which the reading in pieces is measured. */
function readWhole(bytes: Uint8Array): OtlpTraces {
  const tally = new OtlpTally();
  const spans: Span[] = [];
  for (const { root, line } of readJsonDocuments(bytes)) {
    try {
      readSpans(root, spans, tally);
    } catch (error) {
      throw error instanceof JsonMismatch ? error.toEvidenceError(line) : error;
    }
  }
  return { spans, rejected: tally.rejected, notes: tally.notes };
}

const cuts = fc.array(fc.nat(), { maxLength: 12 });
/** Objects of JSON with their fields turned round, and with white space. */
const dress = fc.record({ isReversed: fc.boolean(), indent: fc.constantFrom(0, 1, 2) });

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, reversed(inner)]);
  return Object.fromEntries(entries.toReversed());
}

describe("spans from a stream", () => {
  it("are the same as from the whole JSON, wherever it is cut and however it is laid out", () => {
    fc.assert(
      fc.property(tracesRequest, dress, cuts, (request, { isReversed, indent }, places) => {
        const value = isReversed ? reversed(request) : request;
        const bytes = bytesOf(JSON.stringify(value, undefined, indent));
        expect(stream(bytes, "json", places)).toEqual(readWhole(bytes));
      }),
      { numRuns: 400, endOnFailure: true },
    );
  });

  it("are the same from several documents, one on each line", () => {
    fc.assert(
      fc.property(fc.array(tracesRequest, { minLength: 2, maxLength: 4 }), cuts, (all, places) => {
        const bytes = bytesOf(all.map((request) => `${JSON.stringify(request)}\n`).join(""));
        expect(stream(bytes, "json", places)).toEqual(readWhole(bytes));
      }),
      { numRuns: 100 },
    );
  });

  it("are the same from protobuf, wherever it is cut", () => {
    fc.assert(
      fc.property(tracesRequest, cuts, (request, places) => {
        const bytes = encodeOtlp("TracesRequest", request);
        expect(stream(bytes, "protobuf", places)).toEqual(stream(bytes, "protobuf", []));
      }),
      { numRuns: 200 },
    );
  });

  it("end in the same fault, wherever a damaged body is cut", () => {
    const change = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(tracesRequest, change, cuts, (request, edits, places) => {
        for (const encoding of ["json", "protobuf"] as const) {
          const bytes = encoding === "json" ? json(request) : encodeOtlp("TracesRequest", request);
          for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
          expect(outcome(() => stream(bytes, encoding, places))).toEqual(
            outcome(() => stream(bytes, encoding, [])),
          );
        }
      }),
      { numRuns: 400, endOnFailure: true },
    );
  });

  it("name the place of broken JSON as the whole reading does", () => {
    const marks = ["}", "]", ",", ":", '"', "x", "\\", "{", "[", "1", "\u0001"];
    const edit = fc.record({ at: fc.nat(), text: fc.constantFrom(...marks) });
    fc.assert(
      fc.property(tracesRequest, edit, cuts, (request, { at, text }, places) => {
        const whole = JSON.stringify(request, undefined, 1);
        const place = at % whole.length;
        const bytes = bytesOf(whole.slice(0, place) + text + whole.slice(place + 1));
        const expected = outcome(() => readWhole(bytes));
        if (!isSyntaxFault(expected)) return;
        const actual = outcome(() => stream(bytes, "json", places));
        // A value of another type that stands before the fault is named first.
        if (isSyntaxFault(actual)) expect(actual).toEqual(expected);
        else expect(actual).toHaveProperty("message");
      }),
      { numRuns: 1_500 },
    );
  });

  it("share what is equal, so that it takes memory once", () => {
    const span = (number: number): JsonObject => ({
      traceId: "5b8efff798038103d269b633813fc60c",
      spanId: number.toString(16).padStart(16, "0"),
      name: "GET",
      startTimeUnixNano: "1763791200000000250",
      attributes: [{ key: "http.request.method", value: { stringValue: "GET" } }],
    });
    const block = (number: number): JsonObject => ({
      resource: { attributes: [{ key: "service.name", value: { stringValue: "orders" } }] },
      scopeSpans: [{ scope: { name: "lib" }, spans: [span(number)] }],
    });
    const request = { resourceSpans: [1, 2, 3, 4].map(block) };
    for (const encoding of ["json", "protobuf"] as const) {
      const bytes = encoding === "json" ? json(request) : encodeOtlp("TracesRequest", request);
      const { spans } = stream(bytes, encoding, []);
      expect(new Set(spans.map((item) => item.resource)).size).toBe(1);
      expect(new Set(spans.map((item) => item.scope)).size).toBe(1);
      expect(spans[3]?.attributes).toBe(spans[2]?.attributes);
    }
  });

  it("refuse a list that stands twice, of which nobody can say which one counts", () => {
    const text = '{"resourceSpans":[],\n "resourceSpans":[]}';
    expect(() => stream(bytesOf(text), "json", [])).toThrow(
      expect.objectContaining({
        message: "The field resourceSpans stands twice in one object.",
        where: "line 2, column 17",
      }),
    );
  });
});

function isSyntaxFault(value: unknown): boolean {
  return JSON.stringify(value).includes("The body is not JSON");
}
