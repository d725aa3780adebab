import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { parseJson } from "./json-document.ts";
import { translationLimits } from "./translation-limits.ts";

describe("JSON as the translation reads it", () => {
  it.each([
    "12345678901234567890",
    "-0.12345678901234567891",
    "1e400",
    "123456789012345678e2",
    '{"a":[1,9007199254740993]}',
  ])("keeps the digits of %s", (text) => {
    expect(JSON.stringify(parseJson(text))).toBe(text);
  });

  it("gives plain numbers where a double holds them, however they are spelled", () => {
    expect(parseJson("0.30000000000000004")).toBe(0.1 + 0.2);
    expect(parseJson("1.2345678901234568e-05")).toBe(1.2345678901234568e-5);
    expect(parseJson("1764000000000000")).toBe(1_764_000_000_000_000);
    expect(parseJson("1.00000000000000000000")).toBe(1);
  });

  it("reads what JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        expect(JSON.stringify(parseJson(text))).toBe(text);
      }),
    );
  });

  it.each([
    ['{"model":"m","\\\\u006des":0}', '{"model":"m","\\u006dessages":[]}'],
    ['{"top_p":0.5,"\\\\u006des":[]}', '{"top_p":12345678901234567890,"\\u006dessages":[]}'],
  ])("after %s still finds the messages of %s", (before, text) => {
    parseJson(before);
    expect(parseJson(text)).toHaveProperty("messages", []);
  });

  it("refuses what is nested too deep, and counts no brackets in texts", () => {
    const { jsonDepthMax } = translationLimits;
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(() => parseJson(nested(jsonDepthMax))).not.toThrow();
    expect(() => parseJson(nested(jsonDepthMax + 1))).toThrow(SyntaxError);
    expect(() => parseJson(nested(1_000_000))).toThrow(SyntaxError);
    const text = JSON.stringify(`\\"${"[{".repeat(1_000)}\\\\`);
    expect(parseJson(text)).toBe(JSON.parse(text));
    expect(() => parseJson('"\\')).toThrow(SyntaxError);
  });
});
