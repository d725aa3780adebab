/** One process of the gateway benchmark, by role: `upstream`, `proxy`, `relay` or `faultline`. Prints where it listens. */

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, createServer, request as startRequest, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { startGatewayWorkers } from "@faultline/server/gateway/index.ts";
import { holdTick, systemClock } from "@faultline/server/kernel/index.ts";
import { Pool } from "undici";

import { type BenchCredit, openBenchCredit } from "./paying-tenant.ts";
import { benchTenant } from "./key.ts";
import { benchSnapshot } from "./snapshot.ts";
import { openUpstream } from "./upstream.ts";

/** What a process prints as one line of JSON once it serves. */
export interface Serving {
  readonly port: number;
  /** The processes that carry the requests, when it is not the printing one. */
  readonly carrierIds?: readonly number[];
}

const [role = "", upstreamPort = "0", workerCount = "1", adaptation = "", payment = ""] =
  process.argv.slice(2);
const beatMs = 1_000;
const backlog = 4_096;
const roles: Readonly<Record<string, () => Promise<Serving>>> = {
  upstream: serveUpstream,
  proxy: serveProxy,
  relay: serveRelay,
  faultline: serveFaultline,
};
// As the platform does: without it any role may be slower from its second collection on, by chance.
holdTick();
process.stdout.write(`${JSON.stringify(await roles[role]?.())}\n`);

/** The provider, with an event a second for slow streams. */
async function serveUpstream(): Promise<Serving> {
  return await openUpstream(beatMs);
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
  const quiet = (): void => {};
  const snapshot = benchSnapshot(Number(upstreamPort), adaptation === "none" ? "none" : "latency");
  const paying = payment === "pays" ? await openBenchCredit(folder) : undefined;
  if (paying !== undefined) endWith(paying, folder);
  const gateway = await startGatewayWorkers({
    count: Number(workerCount),
    host: "127.0.0.1",
    port: 0,
    controlSocketPath: path.join(folder, "control.sock"),
    snapshot: paying === undefined ? snapshot : { ...snapshot, payingTenants: [benchTenant] },
    ...(paying === undefined ? {} : { credit: { lending: paying.lending } }),
    onOperations: async () => {},
    logger: { info: quiet, warn: quiet, error: quiet },
    clock: systemClock,
    signal: new AbortController().signal,
  });
  return { port: gateway.port, carrierIds: gateway.workerIds };
}

/** Ends the database with this process, which would outlive it. */
function endWith(paying: BenchCredit, folder: string): void {
  const end = async (): Promise<void> => {
    await paying[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
    process.exit();
  };
  process.once("SIGTERM", () => void end());
}

async function listen(listener: RequestListener): Promise<Serving> {
  const server = createServer(listener);
  server.listen({ host: "127.0.0.1", port: 0, backlog });
  await once(server, "listening");
  // A server that listens on a port has such an address.
  return { port: (server.address() as AddressInfo).port };
}
