/** A gateway of real worker processes for tests, with keys, recorded spans and upstreams of the test's making. */

import { hash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import path from "node:path";

import { loadCatalog, noBundles } from "#catalog/index.ts";
import {
  defaultDispatch,
  defaultLimits,
  type LimitsConfig,
  type ProviderConfig,
} from "#config/index.ts";
import { seededRandom, systemClock } from "#kernel/index.ts";
import type { Span } from "@faultline/contracts/model";
import { formatKey, type KeyId, type TenantId } from "@faultline/protocol";

import type { CreditSource } from "../credit/credit-control.ts";
import type { GatewaySettings, GatewaySnapshot, SnapshotKey } from "../snapshot.ts";
import { type Gateway, startGatewayWorkers } from "../workers/supervisor.ts";

export const testSettings: GatewaySettings = {
  bodyBytesMax: 33_554_432,
  headerBytesMax: 32_768,
  depthMax: 128,
  messageCountMax: 10_000,
  toolCountMax: 1_024,
  imageCountMax: 1_000,
  proxyCount: 0,
  concurrencyMax: 1_024,
  queueMs: 10_000,
  connectMs: 5_000,
  firstTokenMs: 60_000,
  stallMs: 60_000,
  totalMs: 120_000,
  // Most tests are of one attempt; those of several ask for them.
  dispatch: {
    ...defaultDispatch,
    retries: { ...defaultDispatch.retries, attemptCountMax: 1 },
    breaker: { ...defaultDispatch.breaker, failureCountMax: 0 },
  },
  streamRetentionMs: 3_600_000,
  streamBytesMax: 268_435_456,
  idempotencyMs: 86_400_000,
  idempotencyBytesMax: 67_108_864,
  cacheMs: 300_000,
  cacheBytesMax: 16_777_216,
  captureRatios: {},
};

const free = {
  inputMicrosPerMillionTokens: 0n,
  outputMicrosPerMillionTokens: 0n,
  cachedInputMicrosPerMillionTokens: 0n,
};

/** A simulated provider that answers without waiting. */
export const simulatedProvider: ProviderConfig = {
  kind: "simulated",
  name: "simulated",
  simulation: {
    seed: "test",
    firstTokenMs: 0,
    tokensPerSecond: 1_000_000,
    errorRatio: 0,
    stallRatio: 0,
    cutRatio: 0,
  },
  models: [{ name: "simulated", upstreamName: "simulated", price: free }],
};

/** A provider that is reached over HTTP. */
export type RemoteProvider = Exclude<ProviderConfig, { kind: "simulated" }>;

/** A provider at a port of this machine, whose model costs 2 and 8 dollars per million tokens. */
export function providerAt(
  port: number,
  overrides: { name?: string; apiKey?: string } = {},
): RemoteProvider {
  return {
    kind: "openai",
    name: overrides.name ?? "upstream",
    baseUrl: `http://127.0.0.1:${port}/v1`,
    apiKeyEnvironment: undefined,
    apiKey: overrides.apiKey,
    models: [
      {
        name: "model-a",
        upstreamName: "vendor/model-a-2026",
        price: {
          inputMicrosPerMillionTokens: 2_000_000n,
          outputMicrosPerMillionTokens: 8_000_000n,
          cachedInputMicrosPerMillionTokens: 500_000n,
        },
      },
    ],
  };
}

export const testTenant = "acme" as TenantId;
const random = seededRandom("gateway tests");
export const testSecret = formatKey(testTenant, (bound) => random.integer(bound));

/** The row of a key, as a snapshot has it. */
export function keyRow(secret: string, overrides: Partial<SnapshotKey> = {}): SnapshotKey {
  return {
    id: "00000000-0000-7000-8000-000000000001" as KeyId,
    tenantId: testTenant,
    name: "test",
    hash: hash("sha256", secret, "hex"),
    role: "service",
    terms: {},
    expiresAtMs: undefined,
    revokedAtMs: undefined,
    ...overrides,
  };
}

export interface TestGatewayOptions {
  readonly providers?: readonly ProviderConfig[];
  readonly settings?: Partial<GatewaySettings>;
  readonly limits?: Partial<LimitsConfig>;
  readonly keys?: readonly SnapshotKey[];
  readonly capture?: "nothing" | "content";
  readonly count?: number;
  /** Outlives the gateway; default: a folder of its own. */
  readonly journalFolder?: string;
  readonly port?: number;
  readonly drainMs?: number;
  readonly credit?: CreditSource;
  readonly payingTenants?: readonly TenantId[];
  readonly onOperations?: () => Promise<void>;
}

export interface TestGateway extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly url: string;
  readonly controlSocketPath: string;
  readonly spans: Span[];
  readonly logs: string[];
  snapshot(overrides: Partial<GatewaySnapshot>): GatewaySnapshot;
  /** The first span that fits, once it has arrived. */
  spanWhere(fits: (span: Span) => boolean): Promise<Span>;
}

export async function openTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const folder = await mkdtemp("/tmp/faultline-gateway-");
  const spans: Span[] = [];
  const logs: string[] = [];
  const waiters = new Set<() => void>();
  const first: GatewaySnapshot = {
    version: 1,
    settings: { ...testSettings, ...options.settings },
    limits: { ...defaultLimits, ...options.limits },
    catalog: loadCatalog(options.providers ?? [simulatedProvider]).snapshot,
    bundles: noBundles,
    keys: options.keys ?? [keyRow(testSecret)],
    tenants: [{ id: testTenant, capture: options.capture ?? "nothing" }],
    payingTenants: options.payingTenants ?? [],
  };
  const log = (fields: object, message: string): void => {
    logs.push(`${message} ${JSON.stringify(fields)}`);
  };
  const controlSocketPath = path.join(folder, "control.sock");
  const gateway = await startGatewayWorkers({
    count: options.count ?? 1,
    host: "127.0.0.1",
    port: options.port ?? 0,
    controlSocketPath,
    snapshot: first,
    onOperations: async (batch) => {
      await options.onOperations?.();
      spans.push(...batch.flatMap((own) => own.spans));
      for (const waiter of waiters) waiter();
    },
    logger: { info: log, warn: log, error: log },
    clock: systemClock,
    signal: new AbortController().signal,
    ...(options.journalFolder === undefined ? {} : { journalFolder: options.journalFolder }),
    ...(options.credit === undefined ? {} : { credit: options.credit }),
    ...(options.drainMs === undefined ? {} : { drainMs: options.drainMs }),
  });
  return {
    gateway,
    url: `http://127.0.0.1:${gateway.port}`,
    controlSocketPath,
    spans,
    logs,
    snapshot: (overrides) => ({ ...first, ...overrides }),
    spanWhere: async (fits) => {
      for (;;) {
        const found = spans.find((span) => fits(span));
        if (found !== undefined) return found;
        const next = Promise.withResolvers<void>();
        waiters.add(next.resolve);
        await next.promise;
        waiters.delete(next.resolve);
      }
    },
    [Symbol.asyncDispose]: async () => {
      await gateway[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

export interface TestServer extends AsyncDisposable {
  readonly server: Server;
  readonly port: number;
}

/** An HTTP server of the test on a free port, or on a socket path. */
export async function openTestServer(
  listener: RequestListener,
  socketPath?: string,
): Promise<TestServer> {
  const server = createServer(listener);
  server.listen(socketPath === undefined ? { host: "127.0.0.1", port: 0 } : { path: socketPath });
  await once(server, "listening");
  const address = server.address();
  return {
    server,
    port: typeof address === "object" ? (address?.port ?? 0) : 0,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      if (server.listening) await once(server, "close");
    },
  };
}
