import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { errorsReference, openApiReference } from "./reference.ts";

const regenerate = "run: node packages/server/src/http/generate-openapi.ts";

function committed(name: string): string {
  return readFileSync(new URL(`../../../../docs/reference/${name}`, import.meta.url), "utf8");
}

describe("the generated reference", () => {
  it("is what the protocol's table of routes gives", () => {
    expect(committed("openapi.json"), regenerate).toBe(openApiReference());
  });

  it("is what the table of error codes gives", () => {
    expect(committed("errors.md"), regenerate).toBe(errorsReference());
  });

  it("refers only to schemas that it holds", () => {
    const document = openApiReference();
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
