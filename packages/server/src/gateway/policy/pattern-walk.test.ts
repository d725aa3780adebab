import { compilePattern } from "@faultline/contracts/expressions";
import { asyncProperty, assert as check, constantFrom, array, nat } from "fast-check";
import { describe, expect, it } from "vitest";

import { PatternProgram } from "./pattern-program.ts";
import { type MatchSpan, PatternWalk } from "./pattern-walk.ts";

function programOf(pattern: string): PatternProgram {
  const compiled = compilePattern(pattern);
  if (typeof compiled === "string") throw new Error(compiled);
  return new PatternProgram(compiled);
}

function walk(pattern: string, text: string): MatchSpan[] {
  const walker = new PatternWalk(programOf(pattern));
  for (const character of text) walker.step(character.codePointAt(0) ?? 0, character.length);
  walker.finish();
  return [...walker.take()];
}

/** What is covered by any match, as a text of marks. */
function coverOf(spans: readonly MatchSpan[], text: string): string {
  return Array.from(text)
    .map((_, at) => (spans.some(({ start, end }) => start <= at && at < end) ? "x" : "."))
    .join("");
}

/** The same by the library, asked for every part of the text by itself. */
function coverByLibrary(pattern: string, text: string): string {
  const compiled = compilePattern(`^(?:${pattern})$`);
  if (typeof compiled === "string") throw new Error(compiled);
  const spans: MatchSpan[] = [];
  for (let start = 0; start < text.length; start += 1) {
    for (let end = start + 1; end <= text.length; end += 1) {
      if (compiled.matcher(text.slice(start, end)).find()) spans.push({ start, end });
    }
  }
  return coverOf(spans, text);
}

describe("a walk over text", () => {
  it("finds the longest match from each beginning", () => {
    expect(walk("ab+", "xabbbyab")).toEqual([
      { start: 1, end: 5 },
      { start: 6, end: 8 },
    ]);
    expect(walk("(?i)key-[0-9]{3}", "my KEY-123 and key-12")).toEqual([{ start: 3, end: 10 }]);
    expect(walk("\\bcat\\b", "cat concat cat's")).toEqual([
      { start: 0, end: 3 },
      { start: 11, end: 14 },
    ]);
    expect(walk("^a|b$", "ab ab")).toEqual([
      { start: 0, end: 1 },
      { start: 4, end: 5 },
    ]);
    expect(walk("é+😀", "caféé😀")).toEqual([{ start: 3, end: 7 }]);
  });

  it("covers what the library covers, on any text", async () => {
    const patterns = [
      "a+b",
      "(ab|ba)*c",
      "a.c",
      "[ab]{2,3}",
      "a(b|c)?d*",
      "[^a]b+",
      "(a|ab)(c|bcd)",
    ];
    await check(
      asyncProperty(
        constantFrom(...patterns),
        array(constantFrom("a", "b", "c", "d"), { maxLength: 12 }),
        async (pattern, letters) => {
          const text = letters.join("");
          expect(coverOf(walk(pattern, text), text)).toBe(coverByLibrary(pattern, text));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("knows at every character what could still become a match", async () => {
    const program = programOf("ab+c|xyz");
    await check(
      asyncProperty(
        array(constantFrom("a", "b", "c", "x", "y", "z"), { maxLength: 12 }),
        nat(12),
        async (letters, at) => {
          const text = letters.join("");
          const cut = Math.min(at, text.length);
          const walker = new PatternWalk(program);
          for (const character of text.slice(0, cut)) walker.step(character.codePointAt(0) ?? 0, 1);
          const pending = walker.pendingFrom ?? cut;
          const found = walk("ab+c|xyz", text).filter(({ start, end }) => start < cut && end > cut);
          for (const { start } of found) expect(pending).toBeLessThanOrEqual(start);
        },
      ),
    );
  });

  it("takes time in proportion to the text, whatever the pattern", () => {
    const program = programOf("(a*)*b|(a|aa)+c");
    const walker = new PatternWalk(program);
    for (let index = 0; index < 200_000; index += 1) walker.step(0x61, 1);
    walker.finish();
    expect(walker.take()).toEqual([]);
  });
});
