import * as fc from "fast-check";
import { expect, test } from "vitest";

import { UnsupportedPattern } from "./parse-pattern.ts";
import { Pattern } from "./pattern.ts";

const free = (): void => undefined;

function matches(pattern: string, text: string): boolean {
  return Pattern.compile(pattern).matches(text, free);
}

const patterns = [
  "",
  "a",
  "^a$",
  "a*",
  "^a*$",
  "a+b",
  "^(a|b)+$",
  "^(a|ab)(c|bcd)?$",
  "[a-c]",
  "[^a-c]",
  "^[\\w.-]+@[\\w-]+\\.[a-z]{2,}$",
  "^\\d{3}-\\d{4}$",
  "^a{2,3}$",
  "^a{2,}$",
  "^a{0}$",
  "^(?:ab){2}c$",
  "\\bfoo\\b",
  "\\Bo",
  "^.$",
  "^\\S+\\s\\S+$",
  "^[\\d\\-]+$",
  "^(a*)*$",
  "^(a?){3}$",
  "x|y|z",
  "^(|a)b$",
  "^\\u0061\\x62$",
  "^[\\u{1F600}-\\u{1F64F}]$",
  "^\\p{L}+$",
  "^\\P{L}+$",
  "^[\\p{Lu}_]+$",
  "^\\W$",
  "^[^]$",
  "^[\\s\\S]*$",
  "^(?<year>\\d{4})$",
  "\\^\\$\\.",
  "^\\/a$",
  "a{1}?",
  "^[-a]$",
  "^[a-]$",
  "^\\cA$",
];
const texts = [
  "",
  "a",
  "b",
  "ab",
  "abc",
  "aaa",
  "aaaa",
  "aab",
  "abab",
  "ababc",
  "foo",
  "a foo b",
  "afoo",
  "123-4567",
  "x@y.org",
  "x@y",
  "é",
  "ÀÉ",
  "A_B",
  "😀",
  "\n",
  " ",
  "a b",
  "-",
  "1-2",
  "2024",
  "^$.",
  "/a",
  "\u0001",
  "z",
  "abcd",
  "abcbcd",
];

test.each(patterns)("%s says what the platform's engine says", (pattern) => {
  const platform = new RegExp(pattern, "u");
  for (const text of texts)
    expect(`${text}: ${matches(pattern, text)}`).toBe(`${text}: ${platform.test(text)}`);
});

test("random patterns say what the platform's engine says", () => {
  const atom = fc.constantFrom(
    "a",
    "b",
    ".",
    "[ab]",
    "[^a]",
    "\\w",
    "\\b",
    "(?:a|b)",
    "(a*b)",
    "(|a)",
    "^",
    "$",
  );
  const quantifier = fc.constantFrom("", "", "*", "+", "?", "{2}", "{1,2}", "*?");
  const piece = fc
    .tuple(atom, quantifier)
    .map(([what, often]) => (["\\b", "^", "$"].includes(what) ? what : `${what}${often}`));
  const pattern = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(""));
  const text = fc
    .array(fc.constantFrom("a", "b", "c", " "), { maxLength: 8 })
    .map((letters) => letters.join(""));
  fc.assert(
    fc.property(pattern, text, (source, value) => {
      expect(matches(source, value)).toBe(new RegExp(source, "u").test(value));
    }),
    { numRuns: 2_000 },
  );
});

test.each(["^(a+)+$", "^(a|a)*$", "^(a*)*b$", "(.*)*x"])(
  "%s takes time in proportion to the text",
  (pattern) => {
    let steps = 0;
    const spend = (count: number): void => {
      steps += count;
    };
    Pattern.compile(pattern).matches(`${"a".repeat(30)}!`, spend);
    expect(steps).toBeLessThan(1_000);
  },
);

test.each([
  "(?=a)",
  "(?!a)",
  "(?<=a)b",
  "(a)\\1",
  "(?<n>a)\\k<n>",
  "(",
  ")",
  "[a",
  "a**",
  "*",
  "[b-a]",
  "\\p{Nope}",
  "\\q",
  "a{3,2}",
  "(?i)a",
  "\\",
  "(a{1000}){1000}",
])("refuses %s", (pattern) => {
  expect(() => Pattern.compile(pattern)).toThrow(UnsupportedPattern);
});

test.each(["((){999999}){999999}", "(?:|){999999}", "(((){9999}){9999}){9999}", "(a{100}){100}"])(
  "%s is compiled or refused at once",
  (pattern) => {
    try {
      expect(matches(pattern, "")).toBe(!pattern.includes("a"));
    } catch (error) {
      expect(error).toBeInstanceOf(UnsupportedPattern);
    }
  },
);

test("any pattern compiles or is refused", () => {
  const pieces = [
    "a",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "1",
    ",",
    "*",
    "+",
    "?",
    "|",
    "\\",
    "^",
    "$",
    "-",
    ".",
    ":",
    "<",
    "p",
    "u",
    "x",
    "d",
    "\ud800",
    "😀",
  ];
  const source = fc
    .array(fc.constantFrom(...pieces), { maxLength: 20 })
    .map((list) => list.join(""));
  fc.assert(
    fc.property(source, (text) => {
      try {
        Pattern.compile(text).matches("abc", free);
      } catch (error) {
        expect(error).toBeInstanceOf(UnsupportedPattern);
      }
    }),
    { numRuns: 2_000 },
  );
});
