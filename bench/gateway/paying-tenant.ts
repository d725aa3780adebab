/** The credit of the tenant that calls in a gateway benchmark: an account of a ledger on a PostgreSQL of its own. */

import { createLogger } from "@faultline/server/create-logger.ts";
import {
  createIds,
  systemClock,
  systemEventLoop,
  systemRandom,
} from "@faultline/server/kernel/index.ts";
import { Ledger, Lending } from "@faultline/server/ledger/index.ts";
import { openPostgres, openStore } from "@faultline/server/storage/index.ts";

import { benchTenant } from "./key.ts";

/** A million dollars. */
const amountMicros = 1_000_000_000_000n;

/** Credit of the tenant that calls, and the database below it. */
export interface BenchCredit extends AsyncDisposable {
  readonly lending: Lending;
}

/** Opens the account. */
export async function openBenchCredit(dataFolder: string): Promise<BenchCredit> {
  const { signal } = new AbortController();
  const logger = createLogger({ level: "error", format: "json" });
  const base = { clock: systemClock, logger, signal };
  const postgres = await openPostgres({ ...base, dataFolder });
  const store = await openStore({ ...base, postgres });
  await store.system(signal, (writer) =>
    writer.insertInto("tenant").values({ id: benchTenant }).execute(),
  );
  const ids = createIds(systemClock, systemRandom);
  const ledger = Ledger.open({ ...base, store, ids, eventLoop: systemEventLoop });
  const tenant = { tenantId: benchTenant, signal };
  const currency = "USD";
  await ledger.submit(tenant, { kind: "open-account", id: "open", currency, limitMicros: 0n });
  const terms = { priority: 0, expiresAtMs: undefined };
  await ledger.submit(tenant, { kind: "grant", id: "grant", currency, amountMicros, ...terms });
  return {
    lending: new Lending({ ledger, store, signal }),
    [Symbol.asyncDispose]: () => postgres[Symbol.asyncDispose](),
  };
}
