import { Check } from "typebox/value";
import { describe, expect, it } from "vitest";

import { admitsName, KeyTerms } from "./key-terms.ts";

describe("the terms of a key", () => {
  it("admit every name when they list none", () => {
    expect(admitsName(undefined, "anything")).toBe(true);
    expect(admitsName([], "anything")).toBe(false);
  });

  it("admit a name that is listed, or whose beginning is", () => {
    const patterns = ["gpt-5-mini", "openai/*"];
    expect(admitsName(patterns, "gpt-5-mini")).toBe(true);
    expect(admitsName(patterns, "openai/gpt-5")).toBe(true);
    expect(admitsName(patterns, "gpt-5-mini-2")).toBe(false);
    expect(admitsName(patterns, "azure/openai/gpt-5")).toBe(false);
    expect(admitsName(["*"], "anything")).toBe(true);
  });

  it.each(["", "*x", "a*b", "a b", `${"a".repeat(256)}*`])(
    "do not take %j for a name or a beginning",
    (pattern) => {
      expect(Check(KeyTerms, { models: [pattern] })).toBe(false);
    },
  );

  it.each(["*", "gpt-*", "openai/gpt-5-mini", "model:8b"])("take %j for one", (pattern) => {
    expect(Check(KeyTerms, { models: [pattern] })).toBe(true);
  });
});
