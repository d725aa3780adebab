import { assert, dictionary, jsonValue, property, string } from "fast-check";
import { describe, expect, it } from "vitest";

import { EvidenceError } from "../readers/evidence-error.ts";
import { parseForeignJson } from "../text/foreign-json.ts";
import { canonicalDepthMax, canonicalJson, canonicalJsonBytes } from "./canonical-json.ts";
import { evidenceIdOf, evidenceIdOfBytes } from "./evidence-id.ts";

describe("canonical JSON", () => {
  it("sorts fields by UTF-16 code units and writes numbers as ECMAScript does, as RFC 8785 asks", () => {
    const value = {
      "\u20ac": 1,
      "\r": 2,
      "\ufb33": 3,
      "1": 4,
      "\u{1f600}": 5,
      "\u0080": 6,
      "\u00f6": 7,
    };
    expect(canonicalJson(value)).toBe(
      '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}',
    );
    expect(canonicalJson([333333333.3333333, 1e30, 4.5, 2e-3, 1e-27, -0])).toBe(
      "[333333333.3333333,1e+30,4.5,0.002,1e-27,0]",
    );
  });

  it("is the same text whatever the order of fields, and reads back as the same value", () => {
    assert(
      property(dictionary(string(), jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).toReversed());
        expect(canonicalJson(reversed)).toBe(canonicalJson(value));
        expect(parseForeignJson(canonicalJson(value))).toEqual(
          parseForeignJson(JSON.stringify(value)),
        );
      }),
    );
  });

  it("leaves out fields that are not set", () => {
    expect(canonicalJson({ a: undefined, b: 1 })).toBe('{"b":1}');
  });

  it.each([[Number.NaN], [Number.POSITIVE_INFINITY], [1n], [Symbol("x")]])(
    "refuses %s",
    (value) => {
      expect(() => canonicalJson({ value })).toThrow(EvidenceError);
    },
  );

  it("refuses what is nested too deeply, so that a circle ends", () => {
    const circle: unknown[] = [];
    circle.push(circle);
    expect(() => canonicalJson(circle)).toThrow(`more than ${canonicalDepthMax} levels`);
  });
});

describe("evidence ids", () => {
  it("are the SHA-256 of the canonical content", () => {
    const content = { kind: "trace", traceId: "0".repeat(32), spans: [] } as const;
    const id = evidenceIdOf({ ...content, spans: [] });
    expect(id).toBe("sha256:0b608982491fadf69724db1e1ea9809ed8aa976541c0492b60e2f98e59a500e6");
    expect(evidenceIdOfBytes(canonicalJsonBytes({ ...content, spans: [] }))).toBe(id);
  });
});
