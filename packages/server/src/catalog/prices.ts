/** What models cost, and what those without a price cost a tenant whose policy says so. */

import type { Clock } from "#kernel/index.ts";
import type { Reader, Schema, Store, TenantScope, Writer } from "#storage/index.ts";
import {
  type LedgerDefaultPrice,
  type LedgerPriceList,
  type LedgerPricesQuery,
  PlatformError,
  type TenantId,
} from "@faultline/protocol";
import { type Selectable, sql } from "kysely";

import type { Catalog } from "./catalog.ts";
import { listVersions } from "./price-list.ts";
import type { DefaultPrice } from "./price-book.ts";

export interface PricesParts {
  readonly store: Store;
  readonly clock: Clock;
  /** By the newest configuration. */
  readonly catalog: () => Catalog;
}

/** Whose default, and who sets it. */
export interface DefaultPriceScope extends TenantScope {
  readonly actor: string;
}

/** Micros for a million tokens, each absent class as another: cached input as input, reasoning as output. */
export interface DefaultPriceToSet {
  readonly inputMicros: bigint;
  readonly outputMicros: bigint;
  readonly cachedInputMicros: bigint | undefined;
  readonly reasoningMicros: bigint | undefined;
}

type Row = Selectable<Schema["default_price"]>;

const columns = [
  "tenant_id",
  "version",
  "set_at",
  "actor",
  "input_micros",
  "cached_input_micros",
  "output_micros",
  "reasoning_micros",
] as const;

/** As the schema has it. */
const microsMax = 1_000_000_000_000n;

export class Prices {
  readonly #parts: PricesParts;
  readonly #listeners = new Set<() => Promise<void>>();

  constructor(parts: PricesParts) {
    this.#parts = parts;
  }

  /** Every version of every model that is asked for, and the tenant's default. */
  async list(scope: TenantScope, query: LedgerPricesQuery): Promise<LedgerPriceList> {
    const { catalog, clock } = this.#parts;
    const defaultPrice = await this.readDefault(scope);
    return {
      prices: listVersions(catalog(), { query, nowMs: clock.nowMs() }),
      ...(defaultPrice === undefined ? {} : { defaultPrice }),
    };
  }

  /** The default that holds now. */
  async readDefault(scope: TenantScope): Promise<LedgerDefaultPrice | undefined> {
    const row = await this.#parts.store.read(scope, readNewest);
    return row === undefined ? undefined : show(row);
  }

  /** Sets the default; the same one again is no new version. Resolves when every gateway process knows of it. */
  async setDefault(
    scope: DefaultPriceScope,
    price: DefaultPriceToSet,
  ): Promise<LedgerDefaultPrice> {
    const { inputMicros, outputMicros, cachedInputMicros = inputMicros, reasoningMicros } = price;
    const all = [inputMicros, outputMicros, cachedInputMicros, reasoningMicros ?? 0n];
    if (all.some((micros) => micros > microsMax))
      throw new PlatformError("amount_too_large", "No token costs more than a dollar.", {
        hint: `At most ${microsMax} micros for a million tokens.`,
      });
    const row = await this.#write(scope, {
      input_micros: String(inputMicros),
      cached_input_micros: String(cachedInputMicros),
      output_micros: String(outputMicros),
      reasoning_micros: reasoningMicros === undefined ? null : String(reasoningMicros),
    });
    const shown = show(row);
    if (shown !== undefined) return shown;
    throw new PlatformError("internal", "A default price was set and has no amounts.");
  }

  /** From now on there is none. Resolves when every gateway process knows of it. */
  async removeDefault(scope: DefaultPriceScope): Promise<void> {
    await this.#write(scope, {
      input_micros: null,
      cached_input_micros: null,
      output_micros: null,
      reasoning_micros: null,
    });
  }

  /** Calls `listener` after every change of a default; whoever made it is answered once that is known everywhere. */
  onChanged(listener: () => Promise<void>): void {
    this.#listeners.add(listener);
  }

  /** The defaults of all tenants that have one. */
  async defaults(
    signal: AbortSignal,
  ): Promise<{ readonly tenantId: TenantId; readonly price: DefaultPrice }[]> {
    const rows = await this.#parts.store.system(signal, (writer) =>
      writer
        .selectFrom("default_price")
        .distinctOn("tenant_id")
        .select([...columns])
        .orderBy("tenant_id")
        .orderBy("version", "desc")
        .execute(),
    );
    return rows.flatMap((row) => {
      const price = toDefaultPrice(row);
      return price === undefined ? [] : [{ tenantId: row.tenant_id, price }];
    });
  }

  async #write(
    scope: DefaultPriceScope,
    amounts: Pick<
      Row,
      "input_micros" | "cached_input_micros" | "output_micros" | "reasoning_micros"
    >,
  ): Promise<Row> {
    const { store, clock } = this.#parts;
    const at = new Date(clock.nowMs()).toISOString();
    const row = await store.transact(scope, async (writer) => {
      await takeTurn(writer, scope.tenantId);
      const newest = await readNewest(writer);
      if (newest !== undefined && isSame(newest, amounts)) return newest;
      return await writer
        .insertInto("default_price")
        .values({
          tenant_id: scope.tenantId,
          version: (newest?.version ?? 0) + 1,
          set_at: at,
          actor: scope.actor,
          ...amounts,
        })
        .returning([...columns])
        .executeTakeFirstOrThrow();
    });
    // Also of what was set already: the answer promises it.
    await Promise.all([...this.#listeners].map((listener) => listener()));
    return row;
  }
}

/** The default of the tenant whose transaction this is. */
export async function readDefaultPrice(
  reader: Pick<Reader, "selectFrom">,
): Promise<DefaultPrice | undefined> {
  const row = await readNewest(reader);
  return row === undefined ? undefined : toDefaultPrice(row);
}

/** Versions of one tenant are numbered one after the other. */
async function takeTurn(writer: Writer, tenantId: TenantId): Promise<void> {
  const name = `default_price/${tenantId}`;
  await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(writer);
}

async function readNewest(reader: Pick<Reader, "selectFrom">): Promise<Row | undefined> {
  return await reader
    .selectFrom("default_price")
    .select([...columns])
    .orderBy("version", "desc")
    .limit(1)
    .executeTakeFirst();
}

function isSame(
  row: Row,
  amounts: Pick<Row, "input_micros" | "cached_input_micros" | "output_micros" | "reasoning_micros">,
): boolean {
  return (
    row.input_micros === amounts.input_micros &&
    row.cached_input_micros === amounts.cached_input_micros &&
    row.output_micros === amounts.output_micros &&
    row.reasoning_micros === amounts.reasoning_micros
  );
}

function toDefaultPrice(row: Row): DefaultPrice | undefined {
  const { input_micros, cached_input_micros, output_micros, reasoning_micros } = row;
  if (input_micros === null || cached_input_micros === null || output_micros === null)
    return undefined;
  return {
    id: idOf(row),
    price: {
      inputMicrosPerMillionTokens: BigInt(input_micros),
      cachedInputMicrosPerMillionTokens: BigInt(cached_input_micros),
      outputMicrosPerMillionTokens: BigInt(output_micros),
      source: "default of the tenant",
    },
    ...(reasoning_micros === null
      ? {}
      : { reasoningMicrosPerMillionTokens: BigInt(reasoning_micros) }),
  };
}

function show(row: Row): LedgerDefaultPrice | undefined {
  const { input_micros, cached_input_micros, output_micros, reasoning_micros } = row;
  if (input_micros === null || cached_input_micros === null || output_micros === null)
    return undefined;
  return {
    priceVersion: idOf(row),
    inputMicros: input_micros,
    cachedInputMicros: cached_input_micros,
    outputMicros: output_micros,
    ...(reasoning_micros === null ? {} : { reasoningMicros: reasoning_micros }),
    setAt: row.set_at.toISOString(),
    setBy: row.actor,
  };
}

/** No configured version is named so: theirs begin with a provider and a slash. */
function idOf({ version }: Row): string {
  return `default@${version}`;
}
