/**
 * The process under test: an embedded PostgreSQL, the ledger, and a gateway of real worker processes, as the product builds
 * them. It is started with its terms as JSON, tells over its channel when it serves, and takes grants from there.
 */

import {
  createIds,
  systemClock,
  systemEventLoop,
  systemRandom,
} from "@faultline/server/kernel/index.ts";
import { defaultDispatch } from "@faultline/server/config/index.ts";
import { pricedProvider } from "@faultline/server/gateway/credit/test/credit-world.ts";
import {
  keyRow,
  openTestGateway,
  testSettings,
} from "@faultline/server/gateway/test/test-gateway.ts";
import { Ledger, Lending } from "@faultline/server/ledger/index.ts";
import { openPostgres, openStore } from "@faultline/server/storage/index.ts";
import type { TenantId } from "@faultline/protocol";
import { pino } from "pino";

/** How a control process is started. */
export interface ControlTerms {
  readonly dataFolder: string;
  readonly journalFolder: string;
  /** The gateway's; 0 for a free one. */
  readonly port: number;
  readonly workerCount: number;
  /** Of the provider that answers, and of one that takes connections and never reads. */
  readonly providerPort: number;
  readonly silentPort: number;
  readonly keys: readonly { readonly tenantId: string; readonly secret: string }[];
}

/** What it is told: to open an account, or to grant credit. The id makes a repetition harmless. */
export interface Gift {
  readonly id: string;
  readonly tenantId: string;
  readonly amountMicros: string;
}

/** What it says. */
export type ControlMessage =
  | { readonly kind: "ready"; readonly port: number; readonly database: object }
  | { readonly kind: "given"; readonly id: string; readonly error: string | undefined };

const leaseDurationMs = 15_000;
const journalFileBytesMax = 24_576;
const drainMs = 3_000;

async function run(terms: ControlTerms): Promise<void> {
  const stop = new AbortController();
  process.once("SIGTERM", () => stop.abort());
  // Nobody is left to tell anything.
  process.once("disconnect", () => stop.abort());
  const background = new AbortController();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => background.abort());
  const { signal } = background;
  const logger = pino({ level: "silent" });
  const base = { clock: systemClock, logger, signal };
  const postgres = stack.use(await openPostgres({ ...base, dataFolder: terms.dataFolder }));
  const store = stack.use(await openStore({ ...base, postgres }));
  for (const { tenantId } of terms.keys)
    await store.system(signal, (writer) =>
      writer
        .insertInto("tenant")
        // The program names its tenants as tenants are named.
        .values({ id: tenantId as TenantId })
        .onConflict((conflict) => conflict.doNothing())
        .execute(),
    );
  const ids = createIds(systemClock, systemRandom);
  const ledger = stack.use(Ledger.open({ ...base, store, ids, eventLoop: systemEventLoop }));
  const give = async ({ id, tenantId, amountMicros }: Gift): Promise<void> => {
    const scope = { tenantId: tenantId as TenantId, signal };
    const open = { kind: "open-account", currency: "USD", limitMicros: 0n } as const;
    await ledger.submit(scope, { ...open, id: `open/${tenantId}` });
    const gift = { kind: "grant", currency: "USD", priority: 0, expiresAtMs: undefined } as const;
    const answer = await ledger.submit(scope, { ...gift, id, amountMicros: BigInt(amountMicros) });
    if (answer.kind === "refused") throw new Error(answer.code);
  };
  const gateway = stack.use(
    await openTestGateway({
      count: terms.workerCount,
      port: terms.port,
      journalFolder: terms.journalFolder,
      drainMs,
      settings: {
        ...testSettings,
        dispatch: {
          ...defaultDispatch,
          retries: { ...defaultDispatch.retries, sameTargetCountMax: 2, backoffMsMin: 1 },
          // One provider serves all: it stays in use however often a killed worker broke off.
          breaker: { ...defaultDispatch.breaker, failureCountMax: 0 },
        },
      },
      providers: [
        pricedProvider(terms.providerPort),
        { ...silentProvider(terms.silentPort), name: "silent" },
      ],
      keys: terms.keys.map(({ tenantId, secret }) =>
        keyRow(secret, { tenantId: tenantId as TenantId }),
      ),
      payingTenants: terms.keys.map(({ tenantId }) => tenantId as TenantId),
      credit: {
        lending: new Lending({ ledger, store, signal }),
        leaseDurationMs,
        journalFileBytesMax,
      },
    }),
  );
  process.on("message", (gift: Gift) => {
    give(gift).then(
      () => tell({ kind: "given", id: gift.id, error: undefined }),
      (error: unknown) => tell({ kind: "given", id: gift.id, error: String(error) }),
    );
  });
  tell({ kind: "ready", port: gateway.gateway.port, database: postgres.setUpConfig() });
  if (!stop.signal.aborted)
    await new Promise((resolve) => stop.signal.addEventListener("abort", resolve, { once: true }));
}

function silentProvider(port: number): ReturnType<typeof pricedProvider> {
  const provider = pricedProvider(port, "silent");
  return { ...provider, models: provider.models.map((model) => ({ ...model, name: "silent" })) };
}

function tell(message: ControlMessage): void {
  process.send?.(message);
}

// The program that starts it writes the terms.
await run(JSON.parse(process.argv[2] ?? "{}") as ControlTerms);
process.exit(0);
