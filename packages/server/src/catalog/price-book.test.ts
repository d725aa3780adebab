import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { ProviderConfig } from "#config/index.ts";

import { loadCatalog } from "./load-catalog.ts";
import {
  costUnder,
  type MeteredUsage,
  openPriceBook,
  priceBoundUnder,
  type PriceVersion,
} from "./price-book.ts";
import { readPriceTable, readShippedPriceTable } from "./price-table.ts";
import type { Price } from "./price.ts";

const price: Price = {
  inputMicrosPerMillionTokens: 1_250_000n,
  cachedInputMicrosPerMillionTokens: 125_000n,
  outputMicrosPerMillionTokens: 10_000_000n,
  source: "test",
};
const subject = { kind: "model", provider: "openai", model: "gpt" } as const;
const modelVersion = (id: string, span: Partial<PriceVersion>): PriceVersion =>
  // The parts of a span are the same on both kinds.
  ({ ...subject, id, validFromMs: 0, price, ...span }) as PriceVersion;
const usage: MeteredUsage = {
  inputTokens: 1_000,
  cachedInputTokens: 200,
  reasoningTokens: 0,
  outputTokens: 50,
  deviceSeconds: 0,
};

const idAt = (versions: readonly PriceVersion[], atMs: number): string | undefined => {
  const resolution = openPriceBook(versions).resolve(subject, atMs);
  return resolution.kind === "priced" ? resolution.version.id : undefined;
};

describe("a price book", () => {
  it("gives the version that is valid at the moment, whatever came later", () => {
    const versions = [modelVersion("b", { validFromMs: 100 }), modelVersion("a", {})];
    expect(idAt(versions, 99)).toBe("a");
    expect(idAt(versions, 100)).toBe("b");
  });

  it("knows no price before the first version and after the last one ended", () => {
    const versions = [modelVersion("a", { validFromMs: 100, validUntilMs: 200 })];
    expect([99, 100, 199, 200].map((atMs) => idAt(versions, atMs))).toEqual([
      undefined,
      "a",
      "a",
      undefined,
    ]);
  });

  it("takes the tenant's default for a model without a price, and never for a device", () => {
    const device: PriceVersion = {
      kind: "device",
      deviceKind: "h100",
      id: "device",
      validFromMs: 0,
      microsPerSecond: 1n,
    };
    const book = openPriceBook([modelVersion("a", {}), device]);
    const unknown = { ...subject, model: "other" };
    const standIn = { id: "default@1", price };
    expect(book.resolve(unknown, 0)).toEqual({ kind: "price-unknown" });
    expect(book.resolve(unknown, 0, standIn)).toMatchObject({
      kind: "priced",
      version: { ...unknown, ...standIn },
      isDefault: true,
    });
    expect(book.resolve(subject, 0, standIn)).toMatchObject({ version: { id: "a" } });
    const foreign = { kind: "device", deviceKind: "other" } as const;
    expect(book.resolve(foreign, 0, standIn)).toEqual({ kind: "price-unknown" });
  });

  it("keeps versions whose time is over, for work that was admitted under them", () => {
    const book = openPriceBook([modelVersion("a", { validUntilMs: 10 })]);
    expect(book.version("a")?.id).toBe("a");
  });

  it("refuses ids that stand twice, spans that overlap and spans that end before they begin", () => {
    for (const versions of [
      [modelVersion("a", {}), modelVersion("a", { validFromMs: 5 })],
      [modelVersion("a", { validUntilMs: 10 }), modelVersion("b", { validFromMs: 9 })],
      [modelVersion("a", {}), modelVersion("b", {})],
      [modelVersion("a", { validFromMs: 5, validUntilMs: 5 })],
    ]) {
      expect(() => openPriceBook(versions)).toThrow(/price version/);
    }
  });
});

describe("the prices of a catalog", () => {
  const openai = (models: ProviderConfig["models"]): ProviderConfig => ({
    kind: "openai",
    name: "openai",
    baseUrl: "https://api.openai.com/v1",
    apiKeyEnvironment: undefined,
    apiKey: undefined,
    models,
  });
  const model = { name: "gpt", upstreamName: "gpt-5-mini", price: undefined };
  const [vendor] = readShippedPriceTable().vendors;
  const row = (inputMicrosPerMillionTokens: string, validFrom?: string) => ({
    names: ["gpt-5-mini"],
    inputMicrosPerMillionTokens,
    cachedInputMicrosPerMillionTokens: "1",
    outputMicrosPerMillionTokens: "1",
    ...(validFrom === undefined ? {} : { validFrom }),
  });
  const table = (models: ReturnType<typeof row>[]) =>
    readPriceTable({ formatVersion: 1, vendors: [{ ...vendor, models }] });

  it("are those of the table, each from its day on", () => {
    const catalog = loadCatalog([openai([model])], table([row("7", "2026-09-01"), row("5")]));
    const book = openPriceBook(catalog.snapshot.prices);
    const inputAt = (moment: string): bigint | undefined => {
      const found = book.resolve(subject, Date.parse(moment));
      return found.kind === "priced" && found.version.kind === "model"
        ? found.version.price.inputMicrosPerMillionTokens
        : undefined;
    };
    expect(inputAt("2026-08-31T23:59:59.999Z")).toBe(5n);
    expect(inputAt("2026-09-01T00:00:00Z")).toBe(7n);
  });

  it("give way to those that the configuration changes them to, each at its moment", () => {
    const change = (input: bigint, moment: string) => ({
      ...price,
      inputMicrosPerMillionTokens: input,
      validFromMs: Date.parse(moment),
    });
    const priceChanges = [change(3n, "2027-01-01T08:00Z"), change(4n, "2026-11-01T00:00Z")];
    const listed = table([row("7", "2026-12-01"), row("6", "2026-09-01"), row("5")]);
    const inputAt = (found: ReturnType<typeof loadCatalog>, moment: string) => {
      const at = found.prices.resolve(subject, Date.parse(moment));
      return at.kind === "priced" && at.version.kind === "model"
        ? at.version.price.inputMicrosPerMillionTokens
        : undefined;
    };
    const changed = loadCatalog([openai([{ ...model, priceChanges }])], listed);
    const moments = ["2026-08-01", "2026-10-01", "2026-11-01", "2026-12-15", "2027-01-01T08:00Z"];
    expect(moments.map((moment) => inputAt(changed, moment))).toEqual([5n, 6n, 4n, 4n, 3n]);
    const own = loadCatalog([openai([{ ...model, price, priceChanges }])], listed);
    const first = price.inputMicrosPerMillionTokens;
    expect(moments.map((moment) => inputAt(own, moment))).toEqual([first, first, 4n, 4n, 3n]);
  });

  it("have short ids, also of models whose names are long, and each its own", () => {
    const names = ["a", "b"].map((end) => `${"m".repeat(250)}${end}`);
    const models = names.map((name) => ({ name, upstreamName: name, price }));
    const ids = loadCatalog([openai(models)]).snapshot.prices.map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
    expect(ids.every((id) => id.length <= 256)).toBe(true);
  });

  it("bear another id when the configuration sets another price", () => {
    const idOf = (input: bigint): string | undefined =>
      loadCatalog([
        openai([{ ...model, price: { ...price, inputMicrosPerMillionTokens: input } }]),
      ]).snapshot.prices.map(({ id }) => id)[0];
    expect(idOf(1n)).toMatch(/^openai\/gpt@configuration-[0-9a-f]{12}$/);
    expect(idOf(2n)).not.toBe(idOf(1n));
    expect(idOf(1n)).toBe(idOf(1n));
  });

  it("are unknown where neither names one, and every shipped one opens", () => {
    const unknown = loadCatalog([openai([{ ...model, upstreamName: "unheard-of" }])]);
    expect(openPriceBook(unknown.snapshot.prices).resolve(subject, 0)).toEqual({
      kind: "price-unknown",
    });
    const shipped = readShippedPriceTable().vendors.flatMap(({ models }) =>
      models.flatMap(({ names }) => names.map((name) => ({ ...model, name, upstreamName: name }))),
    );
    expect(() => openPriceBook(loadCatalog([openai(shipped)]).snapshot.prices)).not.toThrow();
  });
});

describe("the cost under a version", () => {
  it("is never above what its bound says of as many tokens", () => {
    const tokens = fc.integer({ min: 0, max: 10_000_000 });
    const micros = fc.bigInt({ min: 0n, max: 20_000_000n });
    const version = fc
      .record({
        input: micros,
        cached: micros,
        output: micros,
        reasoning: fc.option(micros, { nil: undefined }),
        batch: fc.bigInt({ min: 0n, max: 3_000n }),
      })
      .map(({ input, cached, output, reasoning, batch }) => ({
        ...subject,
        id: "a",
        validFromMs: 0,
        price: {
          inputMicrosPerMillionTokens: input,
          cachedInputMicrosPerMillionTokens: cached,
          outputMicrosPerMillionTokens: output,
          source: "test",
        },
        ...(reasoning === undefined ? {} : { reasoningMicrosPerMillionTokens: reasoning }),
        priorityPermille: { batch },
      }));
    const used = fc.record({
      inputTokens: tokens,
      cachedInputTokens: tokens,
      outputTokens: tokens,
      reasoningTokens: tokens,
      deviceSeconds: fc.constant(0),
    });
    fc.assert(
      fc.property(version, used, (one, spent) => {
        for (const priority of ["batch", "standard"] as const) {
          const bound = priceBoundUnder(one, priority);
          const most =
            BigInt(spent.inputTokens) * BigInt(bound.inputMicrosPerMillionTokens) +
            BigInt(spent.outputTokens) * BigInt(bound.outputMicrosPerMillionTokens);
          expect(costUnder(one, spent, priority) <= (most + 999_999n) / 1_000_000n).toBe(true);
        }
      }),
    );
  });

  it("charges reasoning at its own price and a priority by its multiplier, rounded up once", () => {
    const span: Partial<Extract<PriceVersion, { kind: "model" }>> = {
      priorityPermille: { batch: 500n },
      reasoningMicrosPerMillionTokens: 1n,
    };
    const version = modelVersion("a", span);
    const used = { ...usage, reasoningTokens: 50 };
    // 800 input at 1.25, 200 cached at 0.125, 50 reasoning at next to nothing.
    expect(costUnder(version, used)).toBe(1_026n);
    expect(costUnder(version, used, "batch")).toBe(513n);
    expect(costUnder(version, used, "interactive")).toBe(1_026n);
  });

  it("charges a device by the millisecond", () => {
    const device: PriceVersion = {
      kind: "device",
      deviceKind: "h100",
      id: "d",
      validFromMs: 0,
      microsPerSecond: 1_000n,
    };
    expect(costUnder(device, { ...usage, deviceSeconds: 1.5 })).toBe(1_500n);
    expect(costUnder(device, { ...usage, deviceSeconds: 0.000_1 })).toBe(1n);
  });
});
