import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { PlatformError } from "@faultline/protocol";
import { describe, expect, it } from "vitest";

import { loadConfig } from "./load.ts";

/** Loads a file with these lines. */
function load(text: string) {
  const folder = mkdtempSync(path.join(tmpdir(), "faultline-prices-"));
  try {
    writeFileSync(path.join(folder, "faultline.yaml"), text);
    return loadConfig({ environment: { OPENAI_API_KEY: "k" }, workingFolder: folder });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const model = (lines: string): string =>
  `providers:\n  - {name: p, kind: openai, baseUrl: 'http://127.0.0.1:1/v1', models: [{name: m, ${lines}}]}`;
const change = (validFrom: string, input = 1): string =>
  `{validFrom: ${validFrom}, inputPricePerMillionTokens: ${input}, outputPricePerMillionTokens: 2}`;

function refusalOf(lines: string): string {
  try {
    load(model(lines));
  } catch (error) {
    if (error instanceof PlatformError) return error.message;
    throw error;
  }
  return "";
}

describe("prices that follow one another", () => {
  it("are read as the page about the ledger shows them", () => {
    const page = readFileSync(new URL("../../../../docs/ledger.md", import.meta.url), "utf8");
    const example = /```yaml\n(providers:[^]*?)```/.exec(page)?.[1] ?? "";
    expect(load(example).providers[0]?.models).toEqual([
      {
        name: "gpt-5-mini",
        upstreamName: "gpt-5-mini",
        price: {
          inputMicrosPerMillionTokens: 250_000n,
          cachedInputMicrosPerMillionTokens: 25_000n,
          outputMicrosPerMillionTokens: 2_000_000n,
          priorityPercents: { batch: 50 },
        },
        priceChanges: [
          {
            inputMicrosPerMillionTokens: 200_000n,
            cachedInputMicrosPerMillionTokens: 200_000n,
            outputMicrosPerMillionTokens: 1_600_000n,
            reasoningMicrosPerMillionTokens: 1_200_000n,
            validFromMs: Date.parse("2027-01-01T00:00:00Z"),
          },
        ],
      },
    ]);
  });

  it("begin with a day of UTC, or at a moment of any zone", () => {
    const lines = `priceChanges: [${change("2027-01-01")}, ${change("'2027-01-01T08:00+02:00'")}]`;
    const [first, second] = load(model(lines)).providers[0]?.models[0]?.priceChanges ?? [];
    expect(first?.validFromMs).toBe(Date.parse("2027-01-01T00:00:00Z"));
    expect(second?.validFromMs).toBe(Date.parse("2027-01-01T06:00:00Z"));
  });

  it.each([
    [
      "two of one moment",
      `priceChanges: [${change("2027-01-01")}, ${change("2027-01-01", 3)}]`,
      "Two prices",
    ],
    [
      "half a price",
      "priceChanges: [{validFrom: 2027-01-01, inputPricePerMillionTokens: 1}]",
      "both an input and an output",
    ],
    ["none", "priceChanges: [{validFrom: 2027-01-01}]", "both an input and an output"],
    ["no moment", `priceChanges: [${change("soon")}]`, "must be text that matches"],
    ["a day that is none", `priceChanges: [${change("2027-13-45")}]`, "no moment"],
    [
      "a price of what is local",
      `local: true, priceChanges: [${change("2027-01-01")}]`,
      "priced 0",
    ],
    [
      "a multiplier without a price",
      "priorityPercents: {batch: 50}",
      "both an input and an output",
    ],
    ["a priority that is none", "priorityPercents: {urgent: 50}", "not a setting"],
  ])("are refused with their line where there is %s", (_what, lines, words) => {
    expect(refusalOf(lines)).toContain(words);
  });
});
