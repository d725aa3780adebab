import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { checkValue } from "./check-value.ts";

interface SuiteGroup {
  readonly description: string;
  readonly schema: unknown;
  readonly tests: readonly {
    readonly description: string;
    readonly data: unknown;
    readonly valid: boolean;
  }[];
}

/** Data that lies beside a checkout of the repository; its tests say why they are skipped without it. */
const suite = fileURLToPath(
  new URL("../../../../../../shared/data/json-schema-suite/", import.meta.url),
);

function json(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8"));
}

function documentsBelow(folder: string, uri: string): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const name of readdirSync(folder)) {
    const path = `${folder}/${name}`;
    if (statSync(path).isDirectory()) Object.assign(found, documentsBelow(path, `${uri}${name}/`));
    else found[`${uri}${name}`] = json(path);
  }
  return found;
}

describe.skipIf(!existsSync(suite))(
  "the official suite, draft 2020-12 (skipped where ../shared/data is absent)",
  () => {
    const folder = `${suite}tests/draft2020-12`;
    const files = existsSync(folder)
      ? readdirSync(folder).filter((name) => name.endsWith(".json"))
      : [];

    test.each(files)("%s: every required test", (file) => {
      const documents = documentsBelow(`${suite}remotes`, "http://localhost:1234/");
      // The suite's format is its own contract.
      for (const group of json(`${folder}/${file}`) as SuiteGroup[]) {
        for (const { description, data, valid } of group.tests) {
          const { verdict } = checkValue(group.schema, data, { documents });
          expect(verdict, `${group.description}: ${description}`).toBe(valid ? "valid" : "invalid");
        }
      }
    });
  },
);

describe("what cannot be judged is said, never guessed", () => {
  test.each([
    ["a reference that leads nowhere", { $ref: "#/$defs/none" }, 1],
    ["a reference to another document", { $ref: "https://example.com/other" }, 1],
    ["a schema that refers to itself", { $ref: "#" }, 1],
    ["look-ahead in a pattern", { pattern: "^(?=a)" }, "b"],
    ["a type that JSON Schema does not have", { type: "uuid" }, "b"],
    ["a schema that is no schema", "string", 1],
    [
      "an alternative that cannot be judged",
      { anyOf: [{ type: "integer" }, { $ref: "#/none" }] },
      "b",
    ],
  ])("%s", (_what, schema, value) => {
    const { verdict, doubts } = checkValue(schema, value);
    expect(verdict).toBe("unknown");
    expect(doubts).not.toEqual([]);
  });

  test("a fault stays a fault beside what cannot be judged", () => {
    const schema = { properties: { a: { type: "string" }, b: { pattern: "(?=x)" } } };
    expect(checkValue(schema, { a: 1, b: "x" }).verdict).toBe("invalid");
  });

  test("the work is bounded", () => {
    const levels = Array.from({ length: 30 }, (_item, index) => [
      `l${index}`,
      { anyOf: [{ $ref: `#/$defs/l${index + 1}` }, { $ref: `#/$defs/l${index + 1}` }] },
    ]);
    const schema = { $ref: "#/$defs/l0", $defs: Object.fromEntries([...levels, ["l30", false]]) };
    expect(checkValue(schema, 1, { stepCountMax: 10_000 })).toMatchObject({
      verdict: "unknown",
      doubts: ["the check takes more steps than it may"],
    });
  });

  test("a pattern that makes others hang does not", () => {
    expect(checkValue({ pattern: "^(a+)+$" }, `${"a".repeat(30)}!`).verdict).toBe("invalid");
  });
});

test("any schema and any value give a verdict", () => {
  const keyword = fc.constantFrom(
    "type",
    "properties",
    "items",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "$ref",
    "$id",
    "enum",
    "const",
    "required",
    "pattern",
    "minimum",
    "multipleOf",
    "if",
    "then",
    "contains",
    "unevaluatedProperties",
    "$dynamicRef",
    "dependencies",
    "prefixItems",
  );
  const schema = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      fc.jsonValue({ maxDepth: 1 }),
      fc.dictionary(keyword, tie("node"), { maxKeys: 4 }),
      fc.array(tie("node"), { maxLength: 3 }),
    ),
  })).node;
  fc.assert(
    fc.property(schema, fc.jsonValue(), (someSchema, value) => {
      expect(["valid", "invalid", "unknown"]).toContain(checkValue(someSchema, value).verdict);
    }),
    { numRuns: 500 },
  );
});
