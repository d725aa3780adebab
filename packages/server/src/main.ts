/** Builds the platform: everything in the order in which things depend on one another, and down again in reverse. */

import path from "node:path";
import { fileURLToPath } from "node:url";

import { Cases } from "#cases/index.ts";
import { Bundles, Prices } from "#catalog/index.ts";
import { Compute, registerComputeMetrics } from "#compute/index.ts";
import type { Config } from "#config/index.ts";
import { type Gateway, startGatewayWorkers, UsageJournals } from "#gateway/index.ts";
import { type ControlServices, openControlApi } from "#http/index.ts";
import { Identity } from "#identity/index.ts";
import {
  type Clock,
  createIds,
  holdTick,
  type Ids,
  type Random,
  systemClock,
  systemEventLoop,
  systemRandom,
} from "#kernel/index.ts";
import {
  Ledger,
  LedgerBooks,
  JournalDifferences,
  Lending,
  oneRegion,
  Reconciliations,
  Regions,
  registerLedgerMetrics,
  registerRegionMetrics,
  registerWebhookMetrics,
  ScheduledReconciliation,
  SecretBox,
  WebhookDelivery,
  Webhooks,
} from "#ledger/index.ts";
import {
  acquireDataFolder,
  openBlobs,
  openPostgres,
  openStore,
  registerSessionMetrics,
  type Store,
} from "#storage/index.ts";
import { registerTelemetryMetrics, Telemetry, Tracer } from "#telemetry/index.ts";
import type { PlatformError } from "@faultline/protocol";
import type { Logger } from "pino";
import { collectDefaultMetrics, Registry } from "prom-client";

import { exposureWarning } from "./exposure.ts";
import { makeAdminKey, putTenants } from "./first-start.ts";
import { createSnapshots } from "./gateway-snapshot.ts";
import { LiveConfig } from "./live-config.ts";
import { checkReadiness } from "./readiness.ts";
import { recordOperations } from "./record-operations.ts";
import { makeRuntimeFolder } from "./runtime-folder.ts";
import { awaitFreePort } from "./probe-port.ts";

export interface PlatformOptions {
  readonly logger: Logger;
  /** Ends the start. A platform that has started is ended by its disposal. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Makes another admin key, for operators who lost theirs. */
  readonly newAdminKey?: boolean;
  /** Reads the configuration again, for a platform that follows changes. Throws `configuration_invalid`. */
  readonly loadConfig?: () => Config;
  /** Where the built console is; default: beside this package. */
  readonly consoleFolder?: string;
}

export interface Platform extends AsyncDisposable {
  /** Where a browser on this machine reaches it, without a slash at the end. */
  readonly url: string;
  /** Present when this start made an admin key; shown once, because only its hash is stored. */
  readonly adminKey: string | undefined;
  /** What the operator should know, a sentence each. */
  readonly warnings: readonly string[];
  readonly database: { readonly version: string; readonly description: string };
  /** From the call to readiness. */
  readonly startedInMs: number;
  /** Takes over a changed configuration; what is broken is refused with a warning. */
  reload(): Promise<void>;
  /** Resolves when the platform cannot go on by itself. Dispose it then, and say why. */
  readonly lost: Promise<PlatformError>;
}

/** The built console as it lies in the repository. */
const defaultConsoleFolder = fileURLToPath(new URL("../../console/dist", import.meta.url));

/** Starts everything and resolves when it is ready. Disposal drains, then stops everything, PostgreSQL too. */
export async function startPlatform(config: Config, options: PlatformOptions): Promise<Platform> {
  const { logger, signal, clock = systemClock, random = systemRandom } = options;
  const startedMs = clock.monotonicMs();
  holdTick();
  await using stack = new AsyncDisposableStack();

  // The lock comes first: who starts twice on one folder learns who holds it, not that the port is taken.
  stack.use(await acquireDataFolder(config.dataFolder));
  await awaitFreePort({ host: config.host, port: config.port, clock, signal });
  const postgres = stack.use(
    await openPostgres({
      dataFolder: config.dataFolder,
      databaseUrl: config.databaseUrl,
      clock,
      logger,
      signal,
    }),
  );
  const store = stack.use(await openStore({ postgres, clock, logger, signal }));
  const base: Base = {
    config,
    store,
    clock,
    random,
    ids: createIds(clock, random.fork("ids")),
    logger,
  };
  const domains = await openDomains(base, stack, options.loadConfig);
  await putTenants(config, domains.identity, signal);
  await domains.regions.open();
  const gateway = await openFaces({ base, domains, options, stack });
  const adminKey = await makeAdminKey(domains.identity, {
    isForced: options.newAdminKey === true,
    signal,
  });
  signal.throwIfAborted();
  const startedInMs = clock.monotonicMs() - startedMs;
  logger.info(
    { url: urlOf(config), startedInMs: Math.round(startedInMs), workers: config.workerCount },
    "the platform is ready",
  );

  const running = stack.move();
  return {
    url: urlOf(config),
    adminKey,
    warnings: [exposureWarning(config)].filter((warning) => warning !== undefined),
    database: { version: postgres.version, description: postgres.description },
    startedInMs,
    reload: () => domains.live.reload(),
    lost: Promise.race([postgres.lost, gateway.lost]),
    async [Symbol.asyncDispose]() {
      logger.info("the platform stops");
      await running.disposeAsync();
      logger.info("the platform has stopped");
    },
  };
}

interface Base {
  readonly config: Config;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly logger: Logger;
}

interface Domains {
  readonly identity: Identity;
  readonly telemetry: Telemetry;
  readonly cases: Cases;
  readonly bundles: Bundles;
  readonly prices: Prices;
  readonly ledger: Ledger;
  readonly ledgerBooks: LedgerBooks;
  readonly reconciliations: Reconciliations;
  readonly reconciliation: ScheduledReconciliation;
  readonly lending: Lending;
  readonly regions: Regions;
  readonly compute: Compute;
  readonly webhooks: Webhooks;
  readonly webhookDelivery: WebhookDelivery;
  readonly live: LiveConfig;
  /** Ends background work; aborted after everything that is above the store has closed. */
  readonly signal: AbortSignal;
}

async function openDomains(
  base: Base,
  stack: AsyncDisposableStack,
  load: PlatformOptions["loadConfig"],
): Promise<Domains> {
  const background = new AbortController();
  stack.defer(() => background.abort(new DOMException("The platform stops.", "AbortError")));
  const parts = { ...base, signal: background.signal };
  const identity = stack.use(await Identity.open({ ...parts, random: base.random.fork("keys") }));
  const telemetry = stack.use(await Telemetry.open({ ...parts, limits: base.config }));
  const tracer = new Tracer({
    ...parts,
    random: base.random.fork("spans"),
    scope: "faultline.cases",
    sink: (tenantId, spans, signal) => telemetry.ingestSpans(tenantId, spans, signal),
  });
  stack.defer(() => tracer.flush());
  const blobs = await openBlobs(path.join(base.config.dataFolder, "blobs"));
  const ledgerBooks = new LedgerBooks(base);
  const cases = Cases.open({ ...parts, telemetry, blobs, tracer, ledger: ledgerBooks });
  const live = new LiveConfig(base.config, { ...parts, load });
  const bundles = new Bundles({ ...base, catalog: () => live.catalog });
  const prices = new Prices({ ...base, catalog: () => live.catalog });
  const ledger = stack.use(Ledger.open({ ...parts, eventLoop: systemEventLoop }));
  const compute = stack.use(await Compute.open({ ...parts, ledger, ledgerBooks }));
  const journals = new UsageJournals(journalFolderOf(base.config));
  const sources = [compute, new JournalDifferences({ ...base, journals })];
  const reconciliations = new Reconciliations({ ...parts, books: ledgerBooks, ledger, sources });
  const { signal } = background;
  const terms = base.config.regions ?? oneRegion;
  const random = base.random.fork("regions");
  const { fetch } = globalThis;
  const regions = new Regions({ ...parts, random, fetch, terms, ledger });
  const reconciliation = new ScheduledReconciliation({
    ...parts,
    reconciliations,
    // What an entry gave in another region nobody would have lent.
    mayApply: (id) => live.config.ledger.appliesProposals && !regions.isAway(id),
    tenants: () => ledger.loadedTenants(),
  });
  const lending = new Lending({ ledger, store: base.store, remote: regions, signal });
  const allowsPrivate = (): boolean => live.config.webhooks.allowsPrivate;
  const secretBox = new SecretBox(base.config.webhooks.secretKeys, base.random.fork("seals"));
  const webhookRandom = base.random.fork("webhooks");
  const webhookParts = { ...parts, random: webhookRandom, secretBox, allowsPrivate };
  const webhookDelivery = stack.use(WebhookDelivery.open(webhookParts));
  const webhooks = new Webhooks({ ...webhookParts, onDue: () => webhookDelivery.wake() });
  const told = { webhooks, webhookDelivery };
  const reconciling = { reconciliations, reconciliation };
  const accounts = { ledger, ledgerBooks, ...reconciling, lending, regions, compute, ...told };
  return { identity, telemetry, cases, bundles, prices, ...accounts, live, signal };
}

interface Faces {
  readonly base: Base;
  readonly domains: Domains;
  readonly options: PlatformOptions;
  readonly stack: AsyncDisposableStack;
}

/** The control API on its socket, and before it the gateway processes on the port. */
async function openFaces({ base, domains, options, stack }: Faces): Promise<Gateway> {
  const { config, clock, logger } = base;
  const socketPath = path.join(await makeRuntimeFolder(config.dataFolder, stack), "control.sock");
  const gatewayOpened = Promise.withResolvers<Gateway>();
  // Nobody waits for it when the start fails before.
  gatewayOpened.promise.catch(() => {});
  const services: ControlServices = {
    ...domains,
    readiness: (signal) =>
      checkReadiness({ store: base.store, gateway: gatewayOpened.promise, signal }),
    metrics: async (format, own) => (await gatewayOpened.promise).metrics(format, own),
  };
  stack.use(
    await openControlApi({
      ...base,
      services,
      registry: createRegistry(base.store, domains),
      consoleFolder: options.consoleFolder ?? defaultConsoleFolder,
      socketPath,
      signal: domains.signal,
    }),
  );
  const nextSnapshot = createSnapshots(domains.live, domains);
  const gateway = stack.use(
    await startGatewayWorkers({
      count: config.workerCount,
      host: config.host,
      port: config.port,
      controlSocketPath: socketPath,
      journalFolder: journalFolderOf(config),
      snapshot: await nextSnapshot(options.signal),
      onOperations: (batch) => recordOperations(batch, domains),
      credit: { lending: domains.lending },
      logger,
      clock,
      signal: domains.signal,
    }),
  );
  gatewayOpened.resolve(gateway);
  const update = async (): Promise<void> =>
    gateway.updateSnapshot(await nextSnapshot(domains.signal));
  domains.identity.onKeysChanged(update);
  domains.bundles.onChanged(update);
  domains.prices.onChanged(update);
  domains.ledger.onAccountOpened(update);
  domains.live.follow(async (changed) => {
    await putTenants(changed, domains.identity, domains.signal);
    await update();
  });
  return gateway;
}

function createRegistry(
  store: Store,
  { telemetry, ledger, reconciliation, regions, webhookDelivery, compute }: Domains,
): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: "faultline_control_" });
  registerSessionMetrics(registry, store);
  registerTelemetryMetrics(registry, telemetry);
  registerLedgerMetrics(registry, ledger, reconciliation);
  registerRegionMetrics(registry, regions);
  registerWebhookMetrics(registry, webhookDelivery);
  registerComputeMetrics(registry, compute);
  return registry;
}

/** Where the gateway's processes keep their journals. */
function journalFolderOf({ dataFolder }: Config): string {
  return path.join(dataFolder, "gateway");
}

function urlOf(config: Config): string {
  if (config.publicUrl !== undefined) return config.publicUrl.origin;
  const host = config.host === "0.0.0.0" || config.host === "::" ? "127.0.0.1" : config.host;
  return `http://${host.includes(":") ? `[${host}]` : host}:${config.port}`;
}
