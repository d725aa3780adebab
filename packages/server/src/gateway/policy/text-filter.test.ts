import type { RuleMatch, SafetyRule } from "@faultline/protocol";
import { array, assert as check, constantFrom, property } from "fast-check";
import { describe, expect, it } from "vitest";

import { compilePolicy } from "./compiled-policy.ts";
import { policyLimits } from "./limits.ts";
import { TextFilter } from "./text-filter.ts";

function filterOf(...rules: readonly Partial<SafetyRule>[]): TextFilter {
  const output = rules.map((rule, index): SafetyRule => ({
    id: `rule-${index}`,
    action: "redact",
    match: { kind: "personal-data" },
    ...rule,
  }));
  return new TextFilter(compilePolicy({ output }).output);
}

function all(filter: TextFilter, parts: readonly string[]): string {
  let text = "";
  for (const part of parts) {
    const { text: out, refusedBy } = filter.push(part);
    if (refusedBy !== undefined) return `${text}<refused by ${refusedBy}>`;
    text += out;
  }
  const { text: rest, refusedBy } = filter.finish();
  return refusedBy === undefined ? text + rest : `${text}<refused by ${refusedBy}>`;
}

const pattern = (text: string): Pick<SafetyRule, "match"> => ({
  match: { kind: "pattern", pattern: text },
});

describe("a text that comes in parts", () => {
  it("is let out at once where nothing could become a match", () => {
    const filter = filterOf(pattern("secret-[0-9]+"));
    expect(filter.push("Hello, world. ")).toEqual({ text: "Hello, world. ", refusedBy: undefined });
    expect(filter.push("It is a se").text).toBe("It is a ");
    expect(filter.push("cond ").text).toBe("second ");
    expect(filter.push("secret-").text).toBe("");
    expect(filter.push("12").text).toBe("");
    expect(filter.push("3, yes").text).toBe("[redacted], ye");
  });

  it("gives the same wherever it is cut", () => {
    const text = "Write to bob@example.com, or +49 170 1234567; card 4111 1111 1111 1111.";
    const whole = all(filterOf({}), [text]);
    expect(whole).toBe("Write to [redacted], or [redacted]; card [redacted].");
    for (let at = 0; at <= text.length; at += 1) {
      expect(all(filterOf({}), [text.slice(0, at), text.slice(at)])).toBe(whole);
    }
    expect(all(filterOf({}), Array.from(text))).toBe(whole);
  });

  it("holds back a match that begins within what was taken out before", () => {
    const rules = [{ ...pattern("bcd?"), replacement: "#" }, pattern("d{3}")];
    expect(all(filterOf(...rules), ["bcdd", "d"])).toBe("#");
  });

  it("gives the same however it is cut, for any text and overlapping rules", () => {
    const rules = [pattern("ab+c"), { ...pattern("bcd?"), replacement: "#" }, pattern("d{3}")];
    check(
      property(array(array(constantFrom("a", "b", "c", "d"), { maxLength: 4 })), (cut) => {
        const parts = cut.map((letters) => letters.join(""));
        expect(all(filterOf(...rules), parts)).toBe(all(filterOf(...rules), [parts.join("")]));
      }),
      { numRuns: 2_000 },
    );
  });

  it("lets nothing of a match out, ever", () => {
    const letters = Array.from("my key is secret-42 and secret-7.");
    const filter = filterOf(pattern("secret-[0-9]+"));
    const out = letters.map((letter) => filter.push(letter).text).join("") + filter.finish().text;
    expect(out).toBe("my key is [redacted] and [redacted].");
    expect([...filter.redactedBy]).toEqual(["rule-0"]);
  });

  it("is refused as soon as a rule matches", () => {
    const refuse = { ...pattern("forbidden"), action: "refuse" } as const;
    expect(all(filterOf(refuse), ["this is for", "bidden, all of it"])).toBe(
      "this is <refused by rule-0>",
    );
  });

  it("leaves what is allowed", () => {
    const rule = { allow: ["Help@Example.com"] };
    expect(all(filterOf(rule), ["help@exam", "ple.com and eve@example.com"])).toBe(
      "help@example.com and [redacted]",
    );
  });

  it("takes out links to other hosts than those that are allowed", () => {
    const match: RuleMatch = { kind: "links", allowedHosts: ["example.com", "*.example.org"] };
    const text =
      "See https://example.com/a, https://x.example.org/, ![x](http://evil.test/?q=1) and https://example.org.";
    expect(all(filterOf({ match }), [text])).toBe(
      "See https://example.com/a, https://x.example.org/, ![x]([redacted]) and [redacted]",
    );
  });

  it.each([
    ["my key sk-abcdefghijklmnopqrstuvwx.", "my key [redacted]."],
    ["Authorization: Bearer abcdefghijklmnop1234", "Authorization: [redacted]"],
    ["password = hunter22!", "[redacted]"],
    ["postgres://app:s3cret@db/x", "[redacted]db/x"],
    ["-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n", "[redacted]\n"],
    ["the password is not said", "the password is not said"],
    ["a task-abcdefghijklmnopqrstuvwxyz", "a task-abcdefghijklmnopqrstuvwxyz"],
  ])("finds secrets in %j", (text, expected) => {
    expect(all(filterOf({ match: { kind: "secrets" } }), [text])).toBe(expected);
  });

  it.each([
    ["4111 1111 1111 1112 is no card", "4111 1111 1111 1112 is no card"],
    ["DE89 3704 0044 0532 0130 00 is an account", "[redacted] is an account"],
    ["DE88 3704 0044 0532 0130 00 is none", "DE88 3704 0044 0532 0130 00 is none"],
    ["078-05-1120 and 000-12-3456", "[redacted] and 000-12-3456"],
    ["call (212) 555-0123 now", "call [redacted] now"],
    ["order 12345678", "order 12345678"],
  ])("finds personal data in %j", (text, expected) => {
    expect(all(filterOf({}), [text])).toBe(expected);
  });

  it("holds back no more than its bound, and still takes out the rest of a longer match", () => {
    const filter = filterOf(pattern("<[^>]*>"));
    const longest = policyLimits.heldTextLengthMax;
    let out = filter.push(`a<${"x".repeat(longest - 1)}`).text;
    expect(out).toBe("a");
    out += filter.push("yyyy").text;
    expect(out).toBe("a<xxx");
    out += filter.push("z>b").text + filter.finish().text;
    expect(out).toBe("a<xxx[redacted]b");
  });

  it("never cuts a character in two", () => {
    const filter = filterOf(pattern("<[^>]*>"));
    const parts = [`a<${"\u{1F30A}".repeat(600)}`, "x", "\u{1F30A}yy", "z"];
    const out = [...parts.map((part) => filter.push(part).text), filter.finish().text];
    expect(out.join("")).toBe(parts.join(""));
    for (const text of out) expect(text.isWellFormed()).toBe(true);
  });

  it("takes out a secret that is longer than the bound, once", () => {
    const key = `-----BEGIN PRIVATE KEY-----\n${"MIIEv".repeat(900)}\n-----END PRIVATE KEY-----`;
    const parts = `It is ${key}. Keep it.`.match(/[^]{1,7}/g) ?? [];
    const filter = filterOf({ match: { kind: "secrets", kinds: ["private-key"] } });
    expect(all(filter, parts)).toBe("It is [redacted]. Keep it.");
  });
});
