import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { LogLine } from "../model/evidence.ts";
import { maskLine } from "./mask.ts";
import { headlineOf, mineTemplates } from "./templates.ts";

const lines = (...texts: string[]): LogLine[] => texts.map((text) => ({ text }));

describe("what changes from line to line", () => {
  it.each([
    ["took 15ms of 3.5 s", "took <num>ms of <num> s"],
    ["peer 10.0.0.7:8080 and fe80::1:2:3:4", "peer <ip> and fe80::<ip>"],
    ["id 6f9619ff-8b86-d011-b42d-00c04fc964ff", "id <uuid>"],
    ["commit 9ec97f6 at 0xDEADbeef", "commit <hex> at <hex>"],
    ["no host \"db-1\" for 'a b'", "no host <quoted> for <quoted>"],
    ["at 2024-01-02T03:04:05.678Z", "at <time>"],
    ["http2 over utf8 in us-east-1", "http2 over utf8 in us-east-<num>"],
    ["it doesn't say", "it doesn't say"],
    ["user=42, code=E1001", "user=<num>, code=E1001"],
  ])("is masked in %j", (line, masked) => {
    expect(maskLine(line)).toBe(masked);
  });

  it("takes time that grows with the length alone", () => {
    for (const text of [
      "1".repeat(50_000),
      "a1".repeat(25_000),
      "'".repeat(50_000),
      "1:".repeat(25_000),
      "1.".repeat(25_000),
    ]) {
      const [{ templates }] = [mineTemplates(lines(text))];
      expect(templates).toHaveLength(1);
      maskLine(text);
    }
  }, 10_000);
});

describe("templates", () => {
  it("join lines that differ in numbers, ids and single words, and count them", () => {
    const { templates, templateOfLine } = mineTemplates([
      { text: "connected to db in 5 ms", timeMicros: 30, severity: "info" },
      { text: "user ann logged in from 10.0.0.1", timeMicros: 10 },
      { text: "connected to db in 7 ms", timeMicros: 20, severity: "warn" },
      { text: "user bob logged in from 10.0.0.2" },
      { text: "connected to db in 9 ms" },
    ]);
    expect(templates).toEqual([
      {
        text: "connected to db in <num> ms",
        count: 3,
        firstMicros: 20,
        lastMicros: 30,
        severity: "warn",
        example: "connected to db in 5 ms",
      },
      {
        text: "user ann logged in from <ip>",
        count: 1,
        firstMicros: 10,
        lastMicros: 10,
        example: "user ann logged in from 10.0.0.1",
      },
      {
        text: "user bob logged in from <ip>",
        count: 1,
        example: "user bob logged in from 10.0.0.2",
      },
    ]);
    expect([...templateOfLine]).toEqual([0, 1, 0, 2, 0]);
  });

  it("put a mark in place of words that differ behind the beginning", () => {
    const { templates } = mineTemplates(
      lines(
        "cannot reach host alpha after three tries",
        "cannot reach host beta after three tries",
      ),
    );
    expect(templates.map(({ text }) => text)).toEqual(["cannot reach host <*> after three tries"]);
  });

  it("keep lines apart that have little in common", () => {
    const { templates } = mineTemplates(
      lines("cache is warm now", "cache is full again", "disk is full again"),
    );
    expect(templates).toHaveLength(3);
  });

  it("know a traceback by the exception that it ends in", () => {
    const text = 'Traceback (most recent call last):\n  File "a.py", line 3\nValueError: 7 is odd';
    expect(headlineOf(text)).toBe("ValueError: 7 is odd");
    expect(headlineOf("panic: x\n\ngoroutine 1")).toBe("panic: x");
  });

  it("are no more than was allowed, whatever comes", () => {
    const texts = Array.from(
      { length: 3_000 },
      (_, index) =>
        `${"w".repeat(index % 50)}${String.fromCharCode(97 + (index % 26))} ${"x ".repeat(index % 60)}`,
    );
    const { templates } = mineTemplates(lines(...texts), { templateCountMax: 20 });
    expect(templates.length).toBeLessThanOrEqual(21);
    expect(templates.reduce((sum, { count }) => sum + count, 0)).toBe(texts.length);
  });

  it("count every line once, for any lines", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "binary", maxLength: 80 }), { maxLength: 60 }),
        (texts) => {
          const { templates, templateOfLine } = mineTemplates(lines(...texts));
          expect(templates.reduce((sum, { count }) => sum + count, 0)).toBe(texts.length);
          expect(templateOfLine).toHaveLength(texts.length);
          expect([...templateOfLine].every((index) => index < templates.length)).toBe(true);
          expect(mineTemplates(lines(...texts))).toEqual({ templates, templateOfLine });
        },
      ),
      { numRuns: 200 },
    );
  });
});
