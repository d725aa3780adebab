import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { referenceFiles } from "./reference.ts";

const regenerate = "run: node packages/server/src/http/generate-openapi.ts";

const files = referenceFiles();

describe("the generated reference", () => {
  it.each(Object.keys(files))("holds %s as it would be generated now", (name) => {
    const committed = readFileSync(
      new URL(`../../../../docs/reference/${name}`, import.meta.url),
      "utf8",
    );
    expect(committed, regenerate).toBe(files[name]);
  });

  it("refers only to schemas that it holds", () => {
    const document = files["openapi.json"] ?? "";
    const referred = [...document.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
      ([, name]) => name,
    );
    // The generator writes an object.
    const { components } = JSON.parse(document) as {
      components: { schemas: Record<string, unknown> };
    };
    expect(
      [...new Set(referred)].filter((name) => name === undefined || !(name in components.schemas)),
    ).toEqual([]);
  });
});
