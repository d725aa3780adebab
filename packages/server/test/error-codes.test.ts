import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { type ErrorCode, errorCodes } from "@faultline/protocol";
import { describe, expect, it } from "vitest";

const packages = fileURLToPath(new URL("../../", import.meta.url));

/** Every source file that may throw, without tests and without the table itself. */
function sources(): string[] {
  return ["protocol", "server", "cli"].flatMap((name) => {
    const folder = path.join(packages, name, "src");
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
      .map((file) => path.join(folder, file))
      .filter((file) => file !== path.join(packages, "protocol", "src", "errors.ts"));
  });
}

const text = sources()
  .map((file) => readFileSync(file, "utf8"))
  .join("\n");

/** Codes of errors that are made, and of results that carry one because they go on after it. */
const thrown = codesAfter(/\bnew PlatformError\(\s*"([a-z_]+)"/g);
const reported = codesAfter(/\bcode: "([a-z_]+)"/g);

function codesAfter(pattern: RegExp): (string | undefined)[] {
  return [...text.matchAll(pattern)].map(([, code]) => code);
}

describe("the table of error codes", () => {
  it.each(errorCodes)("has no code that nothing throws: %s", (code: ErrorCode) => {
    expect([...thrown, ...reported]).toContain(code);
  });

  it("is the only place that gives codes: none is made up where it is thrown", () => {
    const known: readonly (string | undefined)[] = errorCodes;
    expect(thrown.filter((code) => !known.includes(code))).toEqual([]);
    expect(thrown.length).toBeGreaterThan(50);
  });
});
