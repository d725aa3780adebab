/** One process of the gateway benchmark, by role: `upstream`, `proxy`, `relay` or `faultline`. Prints where it listens. */

import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { Agent, createServer, request as startRequest, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { loadCatalog, noBundles } from "@faultline/server/catalog/index.ts";
import { defaultDispatch, defaultLimits } from "@faultline/server/config/index.ts";
import { startGatewayWorkers } from "@faultline/server/gateway/index.ts";
import { SimulatedUpstream } from "@faultline/server/gateway/simulated/upstream.ts";
import { seededRandom, systemClock } from "@faultline/server/kernel/index.ts";
import { Pool } from "undici";

import { benchKey, benchKeyRow } from "./gateway-key.ts";

/** What a process prints as one line of JSON once it serves. */
export interface Serving {
  readonly port: number;
  /** The process that carries the requests, when it is not the printing one. */
  readonly carrierId?: number;
}

const [role = "", upstreamPort = "0"] = process.argv.slice(2);
const roles: Readonly<Record<string, () => Promise<Serving>>> = {
  upstream: serveUpstream,
  proxy: serveProxy,
  relay: serveRelay,
  faultline: serveFaultline,
};
process.stdout.write(`${JSON.stringify(await roles[role]?.())}\n`);

/** The simulated provider, answering at once. */
async function serveUpstream(): Promise<Serving> {
  const upstream = await SimulatedUpstream.open(
    { port: 0 },
    { clock: systemClock, random: seededRandom("bench"), simulationOf: () => undefined },
  );
  return { port: upstream.port ?? 0 };
}

/** The floor: a bare proxy of `node:http`, which does nothing but pipe. */
async function serveProxy(): Promise<Serving> {
  const agent = new Agent({ keepAlive: true });
  return listen((request, response) => {
    const upstream = startRequest(
      {
        host: "127.0.0.1",
        port: Number(upstreamPort),
        agent,
        method: request.method,
        path: request.url,
        headers: request.headers,
      },
      (reply) => {
        response.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(response);
      },
    );
    upstream.on("error", () => response.destroy());
    response.on("close", () => upstream.destroy());
    request.pipe(upstream);
  });
}

/** The nearer floor: undici's dispatcher below `node:http`, without reading anything. */
async function serveRelay(): Promise<Serving> {
  const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, { headersTimeout: 0, bodyTimeout: 0 });
  return listen((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      pool.dispatch(
        {
          path: request.url ?? "/",
          method: "POST",
          headers: { "content-type": "application/json" },
          body: Buffer.concat(parts),
        },
        {
          onRequestStart: () => {},
          onResponseStart: (_, status, headers) => {
            response.writeHead(status, { "content-type": String(headers["content-type"]) });
          },
          onResponseData: (controller, part) => {
            if (response.write(part)) return;
            controller.pause();
            response.once("drain", () => controller.resume());
          },
          onResponseEnd: () => response.end(),
          onResponseError: () => response.destroy(),
        },
      );
    });
  });
}

/** Faultline with keys, prices, spans and metrics on; records are taken and thrown away. */
async function serveFaultline(): Promise<Serving> {
  const folder = await mkdtemp(path.join(tmpdir(), "faultline-bench-"));
  const free = {
    inputMicrosPerMillionTokens: 0n,
    outputMicrosPerMillionTokens: 0n,
    cachedInputMicrosPerMillionTokens: 0n,
  };
  const { snapshot: catalog } = loadCatalog([
    {
      kind: "openai",
      name: "upstream",
      baseUrl: `http://127.0.0.1:${upstreamPort}/v1`,
      apiKeyEnvironment: undefined,
      apiKey: "x",
      models: [{ name: "bench-model", upstreamName: "bench-model", price: free }],
    },
  ]);
  const quiet = (): void => {};
  const gateway = await startGatewayWorkers({
    count: 1,
    host: "127.0.0.1",
    port: 0,
    controlSocketPath: path.join(folder, "control.sock"),
    snapshot: {
      version: 1,
      settings: {
        bodyBytesMax: 33_554_432,
        headerBytesMax: 32_768,
        depthMax: 128,
        messageCountMax: 10_000,
        toolCountMax: 1_024,
        imageCountMax: 1_000,
        proxyCount: 0,
        concurrencyMax: 10_000,
        queueMs: 10_000,
        connectMs: 5_000,
        firstTokenMs: 120_000,
        stallMs: 60_000,
        totalMs: 900_000,
        dispatch: defaultDispatch,
        streamRetentionMs: 3_600_000,
        streamBytesMax: 268_435_456,
        idempotencyMs: 86_400_000,
        idempotencyBytesMax: 67_108_864,
        cacheMs: 300_000,
        cacheBytesMax: 16_777_216,
        captureRatios: {},
      },
      // So high that nothing is refused, and everything is counted.
      limits: {
        ...defaultLimits,
        key: {
          requestsPerMinute: 1_000_000_000,
          tokensPerMinute: 1_000_000_000_000,
          concurrencyMax: 1_000_000,
        },
        tenant: {
          requestsPerMinute: 1_000_000_000,
          tokensPerMinute: 1_000_000_000_000,
          concurrencyMax: 1_000_000,
        },
      },
      bundles: noBundles,
      catalog,
      keys: [benchKeyRow(benchKey)],
      tenants: [],
    },
    onOperations: async () => {},
    logger: { info: quiet, warn: quiet, error: quiet },
    clock: systemClock,
    signal: new AbortController().signal,
  });
  const [carrierId] = gateway.workerIds;
  return { port: gateway.port, ...(carrierId === undefined ? {} : { carrierId }) };
}

async function listen(listener: RequestListener): Promise<Serving> {
  const server = createServer(listener);
  server.listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  // A server that listens on a port has such an address.
  return { port: (server.address() as AddressInfo).port };
}
