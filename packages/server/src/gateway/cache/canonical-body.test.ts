/** What counts as the same question. */

import { parseForeignJson } from "@faultline/contracts/json";
import { assert, jsonValue, property } from "fast-check";
import { describe, expect, it } from "vitest";

import { canonicalBody } from "./canonical-body.ts";

describe("the canonical text of a body", () => {
  it("does not depend on white space, the order of fields or escapes", () => {
    expect(canonicalBody('{"b":[1,{"y":null,"x":"\\u0041\\/"}],"a":true}')).toBe(
      canonicalBody(' { "a" : true , "b" : [ 1 , { "x" : "A/" , "y" : null } ] } '),
    );
  });

  it.each([
    ['{"seed":9007199254740993}', '{"seed":9007199254740992}'],
    ['{"n":1.0}', '{"n":1}'],
    ['{"a":1,"a":2}', '{"a":2,"a":1}'],
    ['{"a":1,"a":2}', '{"a":2}'],
    ["[1,2]", "[2,1]"],
    ['{"a":[]}', '{"a":{}}'],
    ['{"a":"1"}', '{"a":1}'],
  ])("tells %s from %s", (one, other) => {
    expect(canonicalBody(one)).not.toBe(canonicalBody(other));
  });

  it.each([
    ["text", `"${'a\\"'.repeat(6_000_000)}"`],
    ["white space", `1${" ".repeat(12_000_000)}`],
    ["number", "1".repeat(12_000_000)],
  ])("takes a long %s", (_, text) => {
    expect(canonicalBody(`[${text}]`) === `[${text.trimEnd()}]`).toBe(true);
  });

  it("says what the body says", () => {
    assert(
      property(jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(parseForeignJson(canonicalBody(text))).toEqual(parseForeignJson(text));
        expect(canonicalBody(JSON.stringify(value, undefined, 2))).toBe(canonicalBody(text));
      }),
    );
  });
});
