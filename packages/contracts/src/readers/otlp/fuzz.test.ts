import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { logsRequest, metricsRequest, tracesRequest } from "../../../test/otlp-arbitrary.ts";
import { encodeOtlp } from "../../../test/otlp-protobuf.ts";
import { EvidenceError } from "../evidence-error.ts";
import { decodeOtlpLogs, decodeOtlpMetrics, decodeOtlpTraces, type OtlpEncoding } from "./otlp.ts";

const signals = [
  { kind: "TracesRequest", decode: decodeOtlpTraces, request: tracesRequest },
  { kind: "LogsRequest", decode: decodeOtlpLogs, request: logsRequest },
  { kind: "MetricsRequest", decode: decodeOtlpMetrics, request: metricsRequest },
] as const;

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

describe.each(signals)("OTLP $kind", ({ kind, decode, request }) => {
  /** A result, or a typed error that says what was expected. */
  function survives(bytes: Uint8Array, encoding: OtlpEncoding): void {
    try {
      decode(bytes, encoding);
    } catch (error) {
      expect(error).toBeInstanceOf(EvidenceError);
      expect((error as EvidenceError).expected).not.toBe("");
    }
  }

  it("reads the same from JSON and from protobuf", () => {
    fc.assert(
      fc.property(request, (value) => {
        // JSON has no negative zero, so it must be gone before protobuf could carry it.
        const sent = Object(JSON.parse(JSON.stringify(value)));
        expect(decode(encodeOtlp(kind, sent), "protobuf")).toEqual(decode(json(sent), "json"));
      }),
      { numRuns: 300 },
    );
  });

  it("survives a body that is cut at any byte", () => {
    fc.assert(
      fc.property(request, (value) => {
        const bodies = [
          ["protobuf", encodeOtlp(kind, value)],
          ["json", json(value)],
        ] as const;
        for (const [encoding, bytes] of bodies) {
          const step = Math.max(1, Math.floor(bytes.length / 400));
          for (let end = 0; end < bytes.length; end += step)
            survives(bytes.slice(0, end), encoding);
        }
      }),
      { numRuns: 15 },
    );
  });

  it("survives changed bytes", () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(request, changes, (value, edits) => {
        for (const encoding of ["protobuf", "json"] as const) {
          const bytes = encoding === "json" ? json(value) : encodeOtlp(kind, value);
          for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
          survives(bytes, encoding);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("survives random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        survives(bytes, "protobuf");
        survives(bytes, "json");
      }),
      { numRuns: 1_000 },
    );
  });

  it("survives any JSON in any place", () => {
    fc.assert(
      fc.property(request, fc.json(), fc.nat(), (value, other, at) => {
        const text = JSON.stringify(value);
        const places = [...text.matchAll(/"[^"]*"|\d+|\[\]|\{\}/g)];
        const place = places[at % Math.max(1, places.length)];
        if (place === undefined) return;
        const end = place.index + place[0].length;
        const edited = `${text.slice(0, place.index)}${other}${text.slice(end)}`;
        survives(new TextEncoder().encode(edited), "json");
      }),
      { numRuns: 500 },
    );
  });
});
