import { compilePattern } from "@faultline/contracts/expressions";
import { expect, it } from "vitest";

import { linkPattern, personalPatterns, secretPatterns } from "./known-patterns.ts";

const all = [...Object.values(secretPatterns), ...Object.values(personalPatterns)]
  .flat()
  .map(({ pattern }) => pattern);

it.each([...all, linkPattern])("the pattern %s compiles, and matches no empty text", (pattern) => {
  const compiled = compilePattern(pattern);
  if (typeof compiled === "string") throw new Error(compiled);
  expect(compiled.matcher("").find()).toBe(false);
});
