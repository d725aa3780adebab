/** What calls of a tenant that pays are charged, when prices have versions: three workers, with a real ledger. */

import { loadCatalog } from "#catalog/index.ts";
import type { ModelConfig, PriceChange } from "#config/index.ts";
import { systemRandom } from "#kernel/index.ts";
import { formatKey, type KeyId, type TenantId } from "@faultline/protocol";
import { openTestDatabase, type TestDatabase } from "@faultline/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { openHeldProvider } from "../test/held-provider.ts";
import { exchange } from "../test/raw-client.ts";
import { keyRow, providerAt } from "../test/test-gateway.ts";
import { body, openCreditWorld } from "./test/credit-world.ts";

const stack = new AsyncDisposableStack();
let database: TestDatabase;
let tenantId: TenantId;
let tenantCount = 0;

beforeAll(async () => {
  database = stack.use(await openTestDatabase());
});
beforeEach(async () => {
  tenantCount += 1;
  tenantId = await database.createTenant(`priced-${tenantCount}`);
});
afterAll(() => stack.disposeAsync());

const million = 1_000_000n;
const priceOf = (input: bigint, output: bigint) => ({
  inputMicrosPerMillionTokens: input * million,
  outputMicrosPerMillionTokens: output * million,
  cachedInputMicrosPerMillionTokens: input * million,
});
const providerOf = (port: number, model: Partial<ModelConfig>) => {
  const provider = providerAt(port);
  return { ...provider, models: provider.models.map((known) => ({ ...known, ...model })) };
};
const creditMicros = 1_000_000_000n;

interface Use {
  readonly amount_micros: string;
  readonly details: { readonly priceVersion: string; readonly reasoningTokens: number };
}
const uses = (): Promise<Use[]> =>
  database.sql<Use>(
    "select amount_micros, details from ledger_use where tenant_id = $1 order by amount_micros",
    [tenantId],
  );

describe("a call of a tenant that pays", () => {
  it("costs what was valid when it was admitted, whatever prices become while it runs", async () => {
    await using provider = await openHeldProvider();
    const at = (input: bigint) =>
      providerOf(provider.server.port, { price: priceOf(input, input) });
    const before = loadCatalog([at(2n)]).snapshot;
    const after = loadCatalog([at(7n)]).snapshot;
    const opened = await openCreditWorld(
      { ...database, tenantId },
      { creditMicros, count: 1, providers: [at(2n)] },
    );
    const first = opened.call();
    await provider.whenHeld(1);
    const { world } = opened;
    await world.gateway.updateSnapshot(world.snapshot({ version: 2, catalog: after }));
    provider.release();
    expect((await first).status).toBe(200);
    expect((await opened.call()).status).toBe(200);
    const [, newer] = [before, after].map(({ prices }) => prices[0]?.id);
    const span = await world.spanWhere(
      ({ attributes }) => attributes["faultline.cost.price_version"] === newer,
    );
    expect(span.attributes["faultline.cost.micros"]).toBe(70);
    await opened[Symbol.asyncDispose]();
    // Ten tokens each.
    expect(await uses()).toMatchObject([
      { amount_micros: "20", details: { priceVersion: before.prices[0]?.id } },
      { amount_micros: "70", details: { priceVersion: newer } },
    ]);
  });

  it("takes the price of its moment out of those that are announced", async () => {
    await using provider = await openHeldProvider();
    provider.release();
    const change = (input: bigint, moment: string): PriceChange => ({
      ...priceOf(input, input),
      validFromMs: Date.parse(moment),
    });
    const priceChanges = [change(9n, "2999-01-01"), change(3n, "2020-01-01")];
    const providers = [providerOf(provider.server.port, { price: undefined, priceChanges })];
    const opened = await openCreditWorld({ ...database, tenantId }, { creditMicros, providers });
    expect((await opened.call()).status).toBe(200);
    await opened[Symbol.asyncDispose]();
    expect(await uses()).toMatchObject([{ amount_micros: "30" }]);
  });

  it("pays for reasoning by its own price, and by the priority of its key, and holds for both", async () => {
    const usage = {
      prompt_tokens: 5,
      completion_tokens: 5,
      completion_tokens_details: { reasoning_tokens: 4 },
    };
    await using provider = await openHeldProvider(usage);
    provider.release();
    const price = {
      ...priceOf(1n, 1n),
      reasoningMicrosPerMillionTokens: 10n * million,
      priorityPercents: { batch: 50, interactive: 200 },
    };
    const priorities = ["batch", "interactive"] as const;
    const secrets = priorities.map(() =>
      formatKey(tenantId, (bound) => systemRandom.integer(bound)),
    );
    const keys = priorities.map((priority, index) =>
      keyRow(secrets[index] ?? "", {
        tenantId,
        id: `00000000-0000-7000-8000-00000000000${index}` as KeyId,
        terms: { priority },
      }),
    );
    const opened = await openCreditWorld(
      { ...database, tenantId },
      { creditMicros, keys, providers: [providerOf(provider.server.port, { price })] },
    );
    for (const secret of secrets) {
      const head = ["POST /v1/chat/completions HTTP/1.1", `x-api-key: ${secret}`];
      expect((await exchange(opened.world.gateway.port, head, body)).status).toBe(200);
    }
    await opened[Symbol.asyncDispose]();
    // 5 input, 1 said and 4 thought at ten times the price: 46.
    expect(await uses()).toMatchObject([
      { amount_micros: "23", details: { reasoningTokens: 4 } },
      { amount_micros: "92", details: { reasoningTokens: 4 } },
    ]);
    const beyond = await database.sql(
      "select 1 from ledger_transfer where tenant_id = $1 and reason = 'charged-beyond-hold'",
      [tenantId],
    );
    expect(beyond).toEqual([]);
  });
});

describe("a model without a price", () => {
  it("is refused, until the tenant's policy names a default, which its usage says", async () => {
    await using provider = await openHeldProvider();
    provider.release();
    const providers = [providerOf(provider.server.port, { price: undefined })];
    const opened = await openCreditWorld(
      { ...database, tenantId },
      { creditMicros, count: 1, providers },
    );
    const refused = await opened.call();
    expect(refused.status).toBe(402);
    expect(refused.body.toString()).toContain("price_unknown");
    const { world } = opened;
    const price = { id: "default@4", price: { ...priceOf(5n, 5n), source: "test" } };
    const foreign = [{ tenantId: "another" as TenantId, price }];
    await world.gateway.updateSnapshot(world.snapshot({ version: 2, defaultPrices: foreign }));
    expect((await opened.call()).status).toBe(402);
    const own = [{ tenantId, price }];
    await world.gateway.updateSnapshot(world.snapshot({ version: 3, defaultPrices: own }));
    expect((await opened.call()).status).toBe(200);
    await opened[Symbol.asyncDispose]();
    expect(await uses()).toMatchObject([
      { amount_micros: "50", details: { priceVersion: "default@4" } },
    ]);
  });
});
