/** The gateway's processes among themselves: each listens on a Unix socket, on which the others ask for what it owns. */

import {
  Agent,
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request as startRequest,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import path from "node:path";
import type { Duplex } from "node:stream";

import { type Clock, isAbort, raceAbort } from "#kernel/index.ts";
import { PlatformError } from "@faultline/protocol";

import { peerAddressHeader, unknownAddress } from "../admission/client-address.ts";
import type { Dialect } from "../calls/dialect.ts";
import { refuseBody } from "../calls/request-body.ts";
import { gatewayLimits } from "../limits.ts";

export interface PeersOptions {
  /** The private folder of the sockets. */
  readonly folder: string;
  /** Of this process. */
  readonly index: number;
  readonly headerBytesMax: number;
  readonly clock: Clock;
}

/** A request for another process. */
export interface Forwarded {
  readonly owner: number;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly dialect: Dialect;
}

export class Peers {
  readonly #options: PeersOptions;
  // As with the control process: no connection is used twice, and none is announced as closing either.
  readonly #agent = new Agent({ keepAlive: true });
  #server: Server | undefined;
  /** Connections of other processes: anybody can write their header. */
  readonly #sockets = new WeakSet<Duplex>();

  constructor(options: PeersOptions) {
    this.#options = options;
    this.#agent.maxFreeSockets = 0;
  }

  /** Listens for the others. A predecessor of this place is dead, and so is its socket. */
  async listen(listener: RequestListener): Promise<void> {
    const socketPath = this.#socketOf(this.#options.index);
    await rm(socketPath, { force: true });
    const { headerBytesMax: maxHeaderSize } = this.#options;
    this.#server = createServer({ maxHeaderSize, noDelay: true }, listener);
    this.#server.on("connection", (socket: Duplex) => this.#sockets.add(socket));
    this.#server.listen({ path: socketPath });
    await once(this.#server, "listening");
  }

  /** The address of a caller whose request another process hands over; `undefined` for a request that came by itself. */
  addressOf({ socket, headers }: IncomingMessage): string | undefined {
    if (!this.#sockets.has(socket)) return undefined;
    return String(headers[peerAddressHeader]);
  }

  /** Takes no more, lets what is under way end until the signal aborts, then cuts it. */
  async close(signal: AbortSignal): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const closed = once(server, "close");
    server.close();
    server.closeIdleConnections();
    try {
      await raceAbort(closed, signal);
    } catch (error) {
      if (!isAbort(error)) throw error;
      server.closeAllConnections();
      await closed;
    }
    this.#agent.destroy();
  }

  /** Hands a request to its owner and its reply back. An owner that is being replaced is waited for. */
  forward(forwarded: Forwarded): void {
    const { request, response, dialect } = forwarded;
    const left = new AbortController();
    response.on("close", () => left.abort(new DOMException("The caller left.", "AbortError")));
    this.#connect(forwarded, left.signal).then(
      (upstream) => pass(forwarded, upstream, () => this.#refuse(forwarded)),
      (error: unknown) => {
        if (isAbort(error) && left.signal.aborted) return;
        if (response.headersSent) response.destroy();
        else refuseBody({ request, response, clock: this.#options.clock, dialect }, unavailable());
      },
    );
  }

  #refuse({ request, response, dialect }: Forwarded): void {
    if (response.destroyed) return;
    refuseBody({ request, response, clock: this.#options.clock, dialect }, unavailable());
  }

  /** A request whose connection stands; nothing of its body was sent yet. */
  async #connect(forwarded: Forwarded, signal: AbortSignal): Promise<ClientRequest> {
    const { clock } = this.#options;
    const deadline = clock.deadline(gatewayLimits.peerWaitMs, signal);
    for (;;) {
      try {
        return await this.#try(forwarded, deadline);
      } catch (error) {
        if (isAbort(error)) throw error;
        await clock.sleep(gatewayLimits.peerRetryMs, deadline);
      }
    }
  }

  async #try({ owner, request }: Forwarded, signal: AbortSignal): Promise<ClientRequest> {
    signal.throwIfAborted();
    const upstream = startRequest({
      socketPath: this.#socketOf(owner),
      agent: this.#agent,
      method: request.method,
      path: request.url,
      headers: endToEnd(request),
      setHost: false,
    });
    // Whatever fails is seen by who waits for the connection, or for the reply.
    upstream.on("error", () => {});
    try {
      const [socket] = await once(upstream, "socket", { signal });
      if (socket.connecting === true) await once(socket, "connect", { signal });
      return upstream;
    } catch (error) {
      upstream.destroy();
      throw error;
    }
  }

  #socketOf(index: number): string {
    return path.join(this.#options.folder, `worker-${index}.sock`);
  }
}

function unavailable(): PlatformError {
  return new PlatformError(
    "owner_unavailable",
    "The gateway process that owns this stream or key cannot be reached.",
    { hint: "Try again; a process that died is replaced within seconds." },
  );
}

/** Pipes both ways. The cut of a reply is passed on once what came before it was written. */
function pass({ request, response }: Forwarded, upstream: ClientRequest, refuse: () => void): void {
  if (upstream.destroyed) {
    refuse();
    return;
  }
  upstream.on("response", (reply) => {
    response.writeHead(reply.statusCode ?? 502, forwardedHead(reply.rawHeaders));
    reply.pipe(response);
    const cut = (): void => {
      if (response.socket === null) response.destroy();
      else response.socket.destroySoon();
    };
    reply.on("aborted", cut);
    reply.on("error", cut);
  });
  upstream.on("error", () => {
    request.unpipe(upstream);
    if (!response.headersSent) refuse();
  });
  response.on("close", () => {
    upstream.destroy();
    request.unpipe(upstream);
    request.resume();
  });
  request.pipe(upstream);
}

/** Headers that are about one connection only. */
const ofOneConnection: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
  "te",
  "trailer",
  "expect",
  peerAddressHeader,
]);

function endToEnd(request: IncomingMessage): string[] {
  const lines = forwardedHead(request.rawHeaders);
  lines.push(peerAddressHeader, request.socket.remoteAddress ?? unknownAddress);
  // Node frames the body as it came.
  if (request.headers["transfer-encoding"] !== undefined)
    lines.push("transfer-encoding", "chunked");
  return lines;
}

function forwardedHead(raw: readonly string[]): string[] {
  const lines: string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? "";
    if (!ofOneConnection.has(name.toLowerCase())) lines.push(name, raw[index + 1] ?? "");
  }
  return lines;
}
