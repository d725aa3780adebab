import { type BundleDocument, bundleLimits } from "@faultline/protocol";
import { describe, expect, it } from "vitest";

import { checkBundle } from "./check-bundle.ts";

function checkPrompt(text: string, names: readonly string[] = []) {
  const variables = names.map((name) => ({ name, from: { header: "x-name" } }));
  const document: BundleDocument = {
    targets: [{ model: "large" }],
    systemPrompt: { text, variables },
  };
  return checkBundle(document);
}

describe("a prompt", () => {
  it("may have any spaces around the name of a variable", () => {
    expect(checkPrompt("Hello {{name}}, {{ name }}, {{\n name\t}}.", ["name"])).toEqual([]);
    expect(checkPrompt("Hello {{ na me }}.", ["name"])).toMatchObject([
      { where: "/systemPrompt/text", offset: 6 },
      { where: "/systemPrompt/variables/0/name" },
    ]);
  });

  it("is read in linear time, whatever stands in its braces", () => {
    const spaces = " ".repeat(bundleLimits.promptLengthMax - 2);
    expect(checkPrompt(`{{${spaces}`)).toMatchObject([{ where: "/systemPrompt/text" }]);
    expect(checkPrompt("{{".repeat(bundleLimits.promptLengthMax / 2))).toMatchObject([{}]);
  });
});
