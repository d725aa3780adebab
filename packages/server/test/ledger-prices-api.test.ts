import type { Client } from "@faultline/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { loadConfig } from "#config/index.ts";

import { openTestControl, type TestControl } from "./control-fixture.ts";

const options = { signal: new AbortController().signal };
let control: TestControl;
let admin: Client;
let other: Client;

const million = 1_000_000n;
const price = {
  inputMicrosPerMillionTokens: 2n * million,
  outputMicrosPerMillionTokens: 8n * million,
  cachedInputMicrosPerMillionTokens: million,
};

beforeAll(async () => {
  const [simulated] = loadConfig({ environment: {} }).providers;
  if (simulated === undefined) throw new Error("There is a provider by default.");
  const change = { ...price, inputMicrosPerMillionTokens: million };
  const priceChanges = [
    { ...change, validFromMs: Date.parse("2026-01-01"), priorityPercents: { batch: 50 } },
    { ...change, validFromMs: Date.parse("2999-01-01"), reasoningMicrosPerMillionTokens: 3n },
  ];
  const models = [
    { name: "priced", upstreamName: "priced", price, priceChanges },
    { name: "bare", upstreamName: "bare", price: undefined },
  ];
  control = await openTestControl({ config: { providers: [{ ...simulated, models }] } });
  admin = control.client(control.keys.byRole.admin);
  other = control.client(control.keys.otherTenant);
});
afterAll(async () => {
  await control[Symbol.asyncDispose]();
});

const set = (inputMicros: string, more: Readonly<Record<string, string>> = {}) =>
  admin.setDefaultPrice({ body: { inputMicros, outputMicros: "8000000", ...more } }, options);

describe("prices over the control API", () => {
  it("are listed with their times, and the one that is valid now is told from the others", async () => {
    const { prices } = await admin.listPrices({ query: { model: "priced" } }, options);
    expect(prices).toMatchObject([
      { inputMicros: "2000000", validUntil: "2026-01-01T00:00:00.000Z", isValid: false },
      {
        inputMicros: "1000000",
        validFrom: "2026-01-01T00:00:00.000Z",
        validUntil: "2999-01-01T00:00:00.000Z",
        isValid: true,
        priorityPercents: { batch: 50 },
      },
      { reasoningMicros: "3", isValid: false, priorityPercents: {} },
    ]);
    expect(new Set(prices.map(({ priceVersion }) => priceVersion)).size).toBe(3);
    const full = { model: "simulated/priced" };
    expect((await admin.listPrices({ query: full }, options)).prices).toEqual(prices);
    expect((await admin.listPrices({ query: { model: "bare" } }, options)).prices).toEqual([]);
  });

  it("have a default of the tenant, of which each setting is a version of its own", async () => {
    expect(await admin.readDefaultPrice({}, options)).toEqual({});
    const first = await set("2000000");
    expect(first).toMatchObject({ priceVersion: "default@1", cachedInputMicros: "2000000" });
    expect(await set("2000000")).toEqual(first);
    const second = await set("2000000", { cachedInputMicros: "0", reasoningMicros: "5" });
    expect(second).toMatchObject({
      priceVersion: "default@2",
      cachedInputMicros: "0",
      reasoningMicros: "5",
    });
    expect(await admin.readDefaultPrice({}, options)).toEqual({ price: second });
    expect((await admin.listPrices({}, options)).defaultPrice).toEqual(second);
    const { signal } = options;
    expect(await control.services.prices.defaults(signal)).toMatchObject([
      { tenantId: control.database.tenantId, price: { id: "default@2" } },
    ]);
    expect(await other.readDefaultPrice({}, options)).toEqual({});
    await admin.removeDefaultPrice({}, options);
    expect(await admin.readDefaultPrice({}, options)).toEqual({});
    expect(await control.services.prices.defaults(signal)).toEqual([]);
    expect((await set("1")).priceVersion).toBe("default@4");
    await admin.removeDefaultPrice({}, options);
  });

  it("let a bundle name a model without a price only while there is a default", async () => {
    const body = { name: "b", bundle: { targets: [{ model: "simulated/bare" }] } };
    await expect(admin.putBundle({ body }, options)).rejects.toMatchObject({
      code: "request_invalid",
      message: expect.stringContaining("has no price"),
    });
    await set("7");
    expect(await admin.putBundle({ body }, options)).toMatchObject({ isNew: true });
    await admin.removeDefaultPrice({}, options);
  });

  it.each([
    ["-1", "amount_negative"],
    ["0.5", "amount_fractional"],
    ["1000000000001", "amount_too_large"],
    ["ten", "amount_invalid"],
  ])("refuse a default of %s by the code %s", async (inputMicros, code) => {
    await expect(set(inputMicros)).rejects.toMatchObject({ code });
  });
});
