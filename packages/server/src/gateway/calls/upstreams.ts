/** Connections to providers: one pool for each, kept across snapshots as long as the address stays. */

import type { CatalogProvider } from "#catalog/index.ts";
import { buildConnector, type Dispatcher, Pool } from "undici";

import type { GatewaySnapshot } from "../snapshot.ts";
import type { DescriptorReserve } from "../workers/descriptor-reserve.ts";

export interface Upstream {
  readonly dispatcher: Dispatcher;
  readonly origin: string;
  /** The path for a surface, `/chat/completions` for example, and a model as the provider knows it. */
  pathOf(surfacePath: string, model: string): string;
  readonly address: string | undefined;
  readonly port: number | undefined;
}

/** Name that stands in `Host` for the simulated provider, which is reached over a private socket. */
const simulatedOrigin = "http://simulated.invalid";

export class Upstreams {
  readonly #simulatedSocketPath: string;
  readonly #pools = new Map<string, { upstream: Upstream; pool: Pool }>();
  #byProvider: ReadonlyMap<string, Upstream> = new Map();

  readonly #reserve: DescriptorReserve;

  constructor(simulatedSocketPath: string, reserve: DescriptorReserve) {
    this.#reserve = reserve;
    this.#simulatedSocketPath = simulatedSocketPath;
  }

  /** Opens pools for new addresses and closes those that no provider names, once their calls have ended. */
  apply(snapshot: GatewaySnapshot): void {
    const byProvider = new Map<string, Upstream>();
    const used = new Set<string>();
    for (const provider of snapshot.catalog.providers) {
      const { kind, baseUrl, pathTemplate = "" } = provider;
      const id = `${kind} ${baseUrl} ${pathTemplate} ${snapshot.settings.connectMs}`;
      used.add(id);
      let entry = this.#pools.get(id);
      if (entry === undefined) {
        entry = this.#open(provider, snapshot.settings.connectMs);
        this.#pools.set(id, entry);
      }
      byProvider.set(provider.name, entry.upstream);
    }
    this.#byProvider = byProvider;
    for (const [id, { pool }] of this.#pools) {
      if (used.has(id)) continue;
      this.#pools.delete(id);
      // Its calls go on; nothing waits for the last of them.
      void pool.close();
    }
  }

  of(provider: string): Upstream | undefined {
    return this.#byProvider.get(provider);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map(async ({ pool }) => await pool.destroy()));
    this.#pools.clear();
  }

  /** Connects, unless that would take one of the last descriptors. */
  #connector(options: buildConnector.BuildOptions): buildConnector.connector {
    const connect = buildConnector(options);
    return (to, done) => {
      connect(to, (...result) => {
        // A failure comes without a socket, whatever the types say of it.
        const [error, socket] = result;
        if (error !== null || !this.#reserve.holds(socket)) return done(...result);
        socket.destroy();
        return done(new NoDescriptors("No descriptor is left for a provider."), null);
      });
    };
  }

  #open(provider: CatalogProvider, connectMs: number): { upstream: Upstream; pool: Pool } {
    const simulated = provider.kind === "simulated";
    const url = new URL(simulated ? `${simulatedOrigin}/v1` : provider.baseUrl);
    const pool = new Pool(url.origin, {
      pipelining: 1,
      // The deadlines of the gateway decide, not those of the client.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: this.#connector({
        timeout: connectMs,
        ...(simulated ? { socketPath: this.#simulatedSocketPath } : {}),
      }),
    });
    const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
    const upstream: Upstream = {
      dispatcher: pool,
      origin: url.origin,
      pathOf: pathMaker(url.pathname === "/" ? "" : url.pathname, provider.pathTemplate),
      address: simulated ? undefined : url.hostname,
      port: simulated ? undefined : port,
    };
    return { upstream, pool };
  }
}

class NoDescriptors extends Error {
  readonly code = "EMFILE";
}

/** Most providers have one path for each surface; a template puts the model into it, as Azure's deployments do. */
function pathMaker(
  basePath: string,
  template: string | undefined,
): (surfacePath: string, model: string) => string {
  if (template === undefined) return (surfacePath) => basePath + surfacePath;
  return (surfacePath, model) =>
    basePath +
    template
      .replaceAll("{model}", () => encodeURIComponent(model))
      .replaceAll("{path}", () => surfacePath);
}
