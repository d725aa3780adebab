import type { ProviderConfig } from "#config/index.ts";
import { PlatformError } from "@faultline/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  costUnder,
  loadCatalog,
  type ModelResolution,
  type Price,
  readPriceTable,
  readShippedPriceTable,
} from "./index.ts";

const price: Price = {
  inputMicrosPerMillionTokens: 2_500_000n,
  cachedInputMicrosPerMillionTokens: 1_250_000n,
  outputMicrosPerMillionTokens: 10_000_000n,
  source: "test",
};

function provider(
  name: string,
  baseUrl: string,
  models: readonly { name: string; upstreamName?: string; priced?: boolean }[],
): ProviderConfig {
  return {
    kind: "openai",
    name,
    baseUrl,
    apiKeyEnvironment: undefined,
    apiKey: undefined,
    models: models.map((model) => ({
      name: model.name,
      upstreamName: model.upstreamName ?? model.name,
      price: model.priced === true ? price : undefined,
    })),
  };
}

const providers = [
  provider("near", "http://127.0.0.1:11434/v1", [
    { name: "llama", priced: true },
    { name: "org/model", priced: true },
    { name: "unpriced" },
  ]),
  provider("openai", "https://api.openai.com/v1", [
    { name: "gpt-4o-mini" },
    { name: "llama", upstreamName: "gpt-4o" },
    { name: "gpt-unheard-of" },
  ]),
  provider("reseller", "https://example.com/v1", [{ name: "gpt-4o-mini" }]),
];

describe("the name of the limit of tokens", () => {
  it.each([
    ["http://127.0.0.1:11434/v1", "max_tokens"],
    ["https://api.openai.com/v1", "max_completion_tokens"],
    ["https://example.openai.azure.com/openai", "max_completion_tokens"],
    ["https://openai.azure.com.example.com/openai", "max_tokens"],
  ])("at %s is %s, unless the configuration says otherwise", (baseUrl, field) => {
    const asked = provider("one", baseUrl, [{ name: "m" }]);
    const [known] = loadCatalog([asked]).snapshot.providers;
    expect(known?.tokenLimitField).toBe(field);
    const other = field === "max_tokens" ? "max_completion_tokens" : "max_tokens";
    if (asked.kind === "simulated") throw new Error("It has a base URL.");
    const [configured] = loadCatalog([{ ...asked, tokenLimitField: other }]).snapshot.providers;
    expect(configured?.tokenLimitField).toBe(other);
  });
});

describe("the catalog", () => {
  const catalog = loadCatalog(providers);
  const describeResolution = (resolution: ModelResolution): string =>
    resolution.kind === "found"
      ? `${resolution.target.model.id} > ${resolution.target.model.upstreamName}`
      : resolution.kind;

  it.each([
    ["near/llama", "near/llama > llama"],
    ["openai/llama", "openai/llama > gpt-4o"],
    ["llama", "near/llama > llama"],
    ["org/model", "near/org/model > org/model"],
    ["near/org/model", "near/org/model > org/model"],
    ["gpt-4o-mini", "openai/gpt-4o-mini > gpt-4o-mini"],
    ["near/unpriced", "near/unpriced > unpriced"],
    ["reseller/gpt-4o-mini", "reseller/gpt-4o-mini > gpt-4o-mini"],
    ["nothing/llama", "unknown"],
    ["", "unknown"],
    ["__proto__", "unknown"],
  ])("resolves %s to %s", (name, expected) => {
    expect(describeResolution(catalog.resolveModel(name))).toBe(expected);
  });

  it("suggests the nearest name", () => {
    expect(catalog.resolveModel("gpt4o-mini")).toEqual({ kind: "unknown", nearest: "gpt-4o-mini" });
    expect(catalog.resolveModel("something else entirely")).toEqual({
      kind: "unknown",
      nearest: undefined,
    });
  });

  it("takes list prices from the page that they stand on, for the vendor's own host only", () => {
    const priceAt = (provider: string, model: string) => {
      const found = catalog.prices.resolve({ kind: "model", provider, model }, 0);
      return found.kind === "priced" && found.version.kind === "model"
        ? found.version.price
        : undefined;
    };
    expect(priceAt("reseller", "gpt-4o-mini")).toBeUndefined();
    expect(priceAt("openai", "gpt-4o-mini")).toEqual({
      inputMicrosPerMillionTokens: 150_000n,
      cachedInputMicrosPerMillionTokens: 75_000n,
      outputMicrosPerMillionTokens: 600_000n,
      source: expect.stringMatching(/^https:\/\/\S+ \(as of \d{4}-\d{2}-\d{2}\)$/),
    });
  });

  it("lists all models in the order of the configuration", () => {
    expect(catalog.listModels().map(({ id }) => id)).toEqual([
      "near/llama",
      "near/org/model",
      "near/unpriced",
      "openai/gpt-4o-mini",
      "openai/llama",
      "openai/gpt-unheard-of",
      "reseller/gpt-4o-mini",
    ]);
  });
});

describe("the price table", () => {
  it("ships in its form, each name once for each vendor, cached input never above input", () => {
    for (const vendor of readShippedPriceTable().vendors) {
      const names = vendor.models.flatMap((model) => model.names);
      expect(new Set(names).size).toBe(names.length);
      for (const model of vendor.models) {
        expect(BigInt(model.cachedInputMicrosPerMillionTokens)).toBeLessThanOrEqual(
          BigInt(model.inputMicrosPerMillionTokens),
        );
        expect(BigInt(model.inputMicrosPerMillionTokens)).toBeGreaterThan(0n);
      }
    }
  });

  it("is refused with the place of its fault", () => {
    const table = structuredClone(readShippedPriceTable());
    Object.assign(table.vendors[0]?.models[0] ?? {}, { inputMicrosPerMillionTokens: "2.5" });
    expect(() => readPriceTable(table)).toThrow(PlatformError);
    try {
      readPriceTable(table);
    } catch (error) {
      expect(error).toMatchObject({
        code: "configuration_invalid",
        where: "/vendors/0/models/0/inputMicrosPerMillionTokens",
      });
    }
  });
});

describe("the cost of usage", () => {
  const costOf = (inputTokens: number, cachedInputTokens: number, outputTokens: number): bigint =>
    costUnder(
      { kind: "model", provider: "p", model: "m", id: "p/m@1", validFromMs: 0, price },
      { inputTokens, cachedInputTokens, outputTokens, reasoningTokens: 0, deviceSeconds: 0 },
    );

  it.each([
    [[0, 0, 0], 0n],
    [[1, 0, 0], 3n],
    [[0, 0, 1], 10n],
    [[1_000_000, 0, 0], 2_500_000n],
    [[1_000_000, 1_000_000, 0], 1_250_000n],
    [[1_000_000, 2_000_000, 0], 1_250_000n],
    [[3, 1, 2], 27n],
  ] as const)(
    "of %j tokens, which are input, cached of it, and output, is %s micros",
    ([inputTokens, cachedInputTokens, outputTokens], expected) => {
      expect(costOf(inputTokens, cachedInputTokens, outputTokens)).toBe(expected);
    },
  );

  it("is never below the exact cost, and above it by less than a micro", () => {
    const count = fc.nat({ max: 2_000_000_000 });
    fc.assert(
      fc.property(count, count, count, (inputTokens, cachedInputTokens, outputTokens) => {
        const cached = BigInt(Math.min(cachedInputTokens, inputTokens));
        const exact =
          (BigInt(inputTokens) - cached) * 2_500_000n +
          cached * 1_250_000n +
          BigInt(outputTokens) * 10_000_000n;
        const charged = costOf(inputTokens, cachedInputTokens, outputTokens) * 1_000_000n;
        expect(charged >= exact && charged < exact + 1_000_000n).toBe(true);
      }),
    );
  });
});
