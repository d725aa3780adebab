/** For tests: the control API over a real database on a real Unix socket, with keys of every role and state. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { Cases } from "#cases/index.ts";
import { Bundles, loadCatalog, Prices } from "#catalog/index.ts";
import { Compute } from "#compute/index.ts";
import { type Config, loadConfig } from "#config/index.ts";
import { writeExposition } from "#gateway/index.ts";
import { Identity } from "#identity/index.ts";
import { createIds, systemClock, systemEventLoop, systemRandom } from "#kernel/index.ts";
import {
  Ledger,
  LedgerBooks,
  oneRegion,
  Reconciliations,
  Regions,
  SecretBox,
  WebhookDelivery,
  Webhooks,
} from "#ledger/index.ts";
import { openBlobs } from "#storage/index.ts";
import { Telemetry, Tracer } from "#telemetry/index.ts";
import {
  type Client,
  createClient,
  formatKey,
  type KeyId,
  type Role,
  rolePermissions,
  type TenantId,
} from "@faultline/protocol";
import { openTestDatabase, type TestDatabase } from "@faultline/testkit";
import { pino } from "pino";
import { Registry } from "prom-client";
import { Agent, fetch as undiciFetch } from "undici";

import { type ControlServices, openControlApi } from "#http/index.ts";

export interface TestKeys {
  readonly byRole: Readonly<Record<Role, string>>;
  readonly otherTenant: string;
  readonly mistyped: string;
  readonly unknown: string;
  readonly expired: string;
  readonly revoked: string;
}

export interface TestControl extends AsyncDisposable {
  readonly database: TestDatabase;
  readonly services: ControlServices;
  readonly keys: TestKeys;
  readonly socketPath: string;
  /** What was logged, a line each. */
  readonly log: readonly string[];
  /** Fetches a path; the host is that of a local server. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  client(key: string): Client;
}

export interface ControlFixtureOptions {
  readonly config?: Partial<Config>;
  readonly consoleFolder?: string;
  /** Replaces parts, to see how the API takes their failure. */
  readonly replace?: (services: ControlServices) => Partial<ControlServices>;
}

const localUrl = "http://127.0.0.1:4600";

/** Opens everything; disposal closes it. */
export async function openTestControl(options: ControlFixtureOptions = {}): Promise<TestControl> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(tmpdir(), "faultline-control-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const database = stack.use(await openTestDatabase());
  const background = new AbortController();
  stack.defer(() => background.abort());

  const log: string[] = [];
  const logger = pino({ level: "info" }, { write: (line: string) => void log.push(line) });
  const config: Config = {
    ...loadConfig({ environment: {}, workingFolder: folder }),
    ...options.config,
  };
  const parts = {
    config,
    store: database.store,
    clock: systemClock,
    random: systemRandom,
    ids: createIds(systemClock, systemRandom),
    logger,
    signal: background.signal,
  };
  const identity = stack.use(await Identity.open(parts));
  const telemetry = stack.use(await Telemetry.open({ ...parts, limits: config }));
  const tracer = new Tracer({
    ...parts,
    scope: "faultline.cases",
    sink: (tenantId, spans, signal) => telemetry.ingestSpans(tenantId, spans, signal),
  });
  stack.defer(() => tracer.flush());
  const ledgerBooks = new LedgerBooks(parts);
  const cases = Cases.open({
    ...parts,
    telemetry,
    ledger: ledgerBooks,
    blobs: await openBlobs(path.join(folder, "blobs")),
    tracer,
  });
  const ledger = stack.use(Ledger.open({ ...parts, eventLoop: systemEventLoop }));
  const compute = stack.use(await Compute.open({ ...parts, ledger, ledgerBooks }));
  const { allowsPrivate } = config.webhooks;
  const secretBox = new SecretBox(config.webhooks.secretKeys, systemRandom);
  const webhookParts = { ...parts, secretBox, allowsPrivate: () => allowsPrivate };
  const webhookDelivery = stack.use(WebhookDelivery.open(webhookParts));
  const whole: ControlServices = {
    identity,
    telemetry,
    cases,
    bundles: new Bundles({ ...parts, catalog: () => loadCatalog(config.providers) }),
    prices: new Prices({ ...parts, catalog: () => loadCatalog(config.providers) }),
    ledger,
    ledgerBooks,
    reconciliations: new Reconciliations({
      ...parts,
      books: ledgerBooks,
      ledger,
      sources: [compute],
    }),
    regions: new Regions({ ...parts, fetch: globalThis.fetch, terms: oneRegion, ledger }),
    webhooks: new Webhooks({ ...webhookParts, onDue: () => webhookDelivery.wake() }),
    compute,
    readiness: async () => ({ ready: true, checks: [{ name: "database", ready: true }] }),
    metrics: async (format, own) => `${writeExposition(own, format)}# from the gateway\n`,
  };
  const services = { ...whole, ...options.replace?.(whole) };
  const socketPath = path.join(folder, "control.sock");
  const consoleFolder = options.consoleFolder ?? path.join(folder, "console");
  stack.use(
    await openControlApi({
      ...parts,
      services,
      registry: new Registry(),
      consoleFolder,
      socketPath,
    }),
  );
  const keys = await makeKeys(identity, database);

  const dispatcher = new Agent({ connect: { socketPath } });
  stack.defer(() => dispatcher.destroy());
  const fetchOverSocket: typeof globalThis.fetch = async (url, init) =>
    // Undici's own fetch is the one that Node's global is made of; only their type declarations differ.
    (await undiciFetch(url as string, { ...(init as object), dispatcher })) as unknown as Response;
  const opened = stack.move();
  return {
    database,
    services,
    keys,
    socketPath,
    log,
    fetch: (target, init) => fetchOverSocket(`${localUrl}${target}`, init),
    client: (key) => createClient({ baseUrl: localUrl, key, fetch: fetchOverSocket }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function makeKeys(identity: Identity, database: TestDatabase): Promise<TestKeys> {
  const { signal } = new AbortController();
  const own = { tenantId: database.tenantId, signal };
  const make = async (
    name: string,
    role: Role,
    tenantId: TenantId = database.tenantId,
  ): Promise<{ id: KeyId; secret: string }> => {
    const { key, secret } = await identity.createKey({ tenantId, signal }, { name, role });
    // Identity made this id.
    return { id: key.id as KeyId, secret };
  };
  const roles = await Promise.all(
    // The keys of the table of roles are its roles.
    (Object.keys(rolePermissions) as Role[]).map(
      async (role) => [role, (await make(role, role)).secret] as const,
    ),
  );
  const expired = await make("expired", "admin");
  await database.sql(
    "update faultline.api_key set expires_at = now() - interval '1 minute' where id = $1",
    [expired.id],
  );
  const revoked = await make("revoked", "admin");
  await identity.revokeKey(own, revoked.id);
  const unknown = formatKey(database.tenantId, (bound) => systemRandom.integer(bound));
  const last = unknown.endsWith("x") ? "y" : "x";
  return {
    // One entry for each role was made above.
    byRole: Object.fromEntries(roles) as Record<Role, string>,
    otherTenant: (await make("other", "admin", await database.createTenant("other"))).secret,
    mistyped: `${unknown.slice(0, -1)}${last}`,
    unknown,
    expired: expired.secret,
    revoked: revoked.secret,
  };
}
