import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type RunningPlatform, startPlatform } from "./platform.ts";

const page = readFileSync(new URL("../../../docs/bundles.md", import.meta.url), "utf8");
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, "g"))].map(
    ([, text]) => text ?? "",
  );

/** The words of a call as a shell reads them, as far as the page needs it. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
}

describe("the page about bundles", () => {
  let platform: RunningPlatform;
  beforeAll(async () => {
    platform = await startPlatform();
  });
  afterAll(async () => {
    await platform[Symbol.asyncDispose]();
  });

  it("shows a bundle and calls that work as they stand", async () => {
    const [bundle = ""] = blocks("yaml");
    await writeFile(join(platform.folder, "support.yaml"), bundle);
    await writeFile(join(platform.folder, "next.yaml"), bundle.replace("five sentences", "two"));
    const calls = blocks("sh").flatMap((block) => block.trim().split("\n"));
    expect(calls.length).toBeGreaterThan(10);
    const printed: string[] = [];
    for (const call of calls) {
      const [program, ...words] = wordsOf(call);
      expect(program).toBe("faultline");
      const { code, stdout, stderr } = await platform.call(...words);
      expect({ call, code, stderr }).toEqual({ call, code: 0, stderr: "" });
      printed.push(stdout);
    }
    expect(printed.join("\n")).toContain("two");
    expect(printed.join("\n")).toContain("1 % support-chat@2");
  });

  it("is right about what a caller sees", async () => {
    const response = await fetch(`${platform.url}/v1/chat/completions`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${platform.key}`,
        "content-type": "application/json",
        "x-user-id": "ada",
      },
      body: JSON.stringify({ model: "support", messages: [{ role: "user", content: "Hello" }] }),
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("x-faultline-bundle")).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(response.headers.get("x-faultline-target")).toBe("simulated/simulated");
    await response.text();
  });
});
