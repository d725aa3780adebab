/** The HTTP server of one worker: model calls are its own, everything else goes to the control process. */

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";

import { raceAbort } from "#kernel/index.ts";
import { PlatformError } from "@faultline/protocol";

import { ModelCalls } from "../calls/model-calls.ts";
import { surfaceByPath } from "../calls/surface.ts";
import { descriptorsExhausted } from "./descriptor-reserve.ts";
import type { ControlProxy } from "./control-proxy.ts";
import type { GatewayState } from "./gateway-state.ts";
import { gatewayLimits } from "../limits.ts";
import { expositionFormat, expositionTypes, writeExposition } from "../observation/exposition.ts";
import { readMetrics } from "../observation/read-metrics.ts";
import { handleModels } from "../calls/models.ts";
import { isStreamPath, StreamRequests } from "../streams/stream-requests.ts";
import { openaiDialect, toPlatformError } from "../calls/dialect.ts";
import { sendError } from "../calls/send-error.ts";
import { type Exchange, refuseBody } from "../calls/request-body.ts";

const modelsPath = "/v1/models";

export class GatewayServer {
  readonly #state: GatewayState;
  readonly #control: ControlProxy;
  readonly #calls: ModelCalls;
  readonly #streams: StreamRequests;
  readonly #server: Server;
  readonly #upgraded = new Set<Duplex>();

  constructor(state: GatewayState, control: ControlProxy) {
    this.#state = state;
    this.#control = control;
    this.#calls = new ModelCalls(state);
    this.#streams = new StreamRequests(state);
    this.#server = createServer(
      {
        maxHeaderSize: state.knowledge.settings.headerBytesMax,
        noDelay: true,
        highWaterMark: 65_536,
        shouldUpgradeCallback: isTunnelled,
      },
      this.listener,
    );
    this.#server.on("connection", (socket: Duplex) => {
      state.loop.accept(socket);
      state.descriptors.admit(socket);
    });
    this.#server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) =>
      this.#onExpectation(request, response),
    );
    this.#server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#upgraded.add(socket);
      socket.on("close", () => this.#upgraded.delete(socket));
      control.handleUpgrade(request, socket, head);
    });
    this.#server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) =>
      onClientError(error, socket, state.knowledge.settings.headerBytesMax),
    );
  }

  /** Resolves with the port once connections are accepted. */
  async listen(where: { host: string; port: number; reusePort: boolean }): Promise<number> {
    this.#server.listen(where);
    await once(this.#server, "listening");
    // A server that listens on a port has such an address.
    return (this.#server.address() as AddressInfo).port;
  }

  /** Accepts no more, lets calls under way finish until the signal aborts, then cuts them. */
  async drain(signal: AbortSignal): Promise<void> {
    const { clock } = this.#state;
    this.#state.draining = true;
    const closed = Promise.all([once(this.#server, "close"), this.#calls.whenIdle()]);
    const ended = new AbortController();
    this.#server.close();
    for (const socket of this.#upgraded) socket.destroy();
    // A connection becomes idle when its last call ends, and would stay open for the next one.
    clock.every(gatewayLimits.drainTickMs, ended.signal, () => this.#server.closeIdleConnections());
    try {
      if (await settles(closed, signal)) return;
      this.#calls.cutAll();
      if (await settles(closed, clock.deadline(gatewayLimits.cutMs))) return;
      this.#server.closeAllConnections();
      await closed;
    } finally {
      ended.abort();
      await this.#state.peers.close(clock.deadline(gatewayLimits.cutMs, signal));
    }
  }

  /** Streamed model calls under way. */
  get openStreamCount(): number {
    return this.#calls.openStreamCount;
  }

  /** Serves a request, be it from outside or from another process of the gateway. */
  readonly listener = (request: IncomingMessage, response: ServerResponse): void => {
    this.#handle(request, response);
  };

  #handle(request: IncomingMessage, response: ServerResponse): void {
    // A connection that outlives the drain must not be used again.
    if (this.#state.draining) response.setHeader("connection", "close");
    try {
      this.#route(request, response);
    } catch (error) {
      const failure = toPlatformError(error);
      this.#state.metrics.countFailure(failure.code);
      this.#state.log("error", failure.message, { cause: String(failure.cause) });
      if (response.headersSent) response.destroy();
      else sendError(response, failure, { dialect: openaiDialect });
    }
  }

  #route(request: IncomingMessage, response: ServerResponse): void {
    const url = request.url ?? "/";
    const path = pathOf(url);
    const surface = surfaceByPath.get(path);
    if (this.#state.descriptors.holds(request.socket)) {
      response.setHeader("connection", "close");
      this.#refuse({ request, response }, descriptorsExhausted());
    } else if (surface !== undefined) {
      if (request.method === "POST") this.#calls.handle(surface, request, response);
      else this.#refuseMethod(request, response, "POST");
    } else if (path === modelsPath || path.startsWith(`${modelsPath}/`)) {
      if (request.method === "GET") handleModels(this.#state, request, response);
      else this.#refuseMethod(request, response, "GET");
    } else if (isStreamPath(path)) {
      this.#streams.handle(request, response);
    } else if (path === "/livez") {
      sendText(response, 200, { text: "ok\n", type: "text/plain; charset=utf-8" });
    } else if (path === "/readyz/gateway" || (path === "/readyz" && this.#isAlone)) {
      this.#sendReadiness(response);
    } else if (path === "/metrics" && this.#isAlone) {
      const format = expositionFormat(request.headers.accept);
      const text = writeExposition(readMetrics(this.#state), format);
      sendText(response, 200, { text, type: expositionTypes[format] });
    } else {
      this.#control.handle(request, response);
    }
  }

  #onExpectation(request: IncomingMessage, response: ServerResponse): void {
    const length = Number(request.headers["content-length"] ?? "0");
    const ours = surfaceByPath.has(pathOf(request.url ?? "/"));
    // A body that will be refused is not asked for.
    if (!ours || length <= this.#state.knowledge.settings.bodyBytesMax) response.writeContinue();
    this.#handle(request, response);
  }

  #refuseMethod(request: IncomingMessage, response: ServerResponse, allowed: string): void {
    const error = new PlatformError(
      "method_not_allowed",
      `This path takes ${allowed}, not ${request.method ?? "this method"}.`,
    );
    this.#refuse({ request, response }, error, { allow: allowed });
  }

  #refuse(
    { request, response }: Pick<Exchange, "request" | "response">,
    error: PlatformError,
    headers: Readonly<Record<string, string>> = {},
  ): void {
    this.#state.metrics.countFailure(error.code);
    const { clock } = this.#state;
    const dialect = surfaceByPath.get(pathOf(request.url ?? "/"))?.dialect ?? openaiDialect;
    refuseBody({ request, response, clock, dialect }, error, headers);
  }

  /** Whether the control process is lost, so that this one answers for it as far as it can. */
  get #isAlone(): boolean {
    return this.#state.controlLink.lostSinceMs !== undefined;
  }

  #sendReadiness(response: ServerResponse): void {
    const { knowledge, draining, admission, controlLink, journals } = this.#state;
    const body = JSON.stringify({
      ready: !draining,
      snapshotVersion: knowledge.version,
      openOperations: admission.takenCount,
      failedJournals: journals.failedCount,
      ...controlLink.report(),
    });
    sendText(response, draining ? 503 : 200, { text: body, type: "application/json" });
  }
}

/**
 * Whether a request leaves HTTP for the control process. Whoever offers something else on the way, as clients of HTTP/2
 * do, is served in the HTTP that it speaks already, and so is a call of the gateway's own paths.
 */
function isTunnelled(request: IncomingMessage): boolean {
  const { headers, url = "/" } = request;
  return (
    headers.upgrade?.trim().toLowerCase() === "websocket" &&
    request.method === "GET" &&
    headers["transfer-encoding"] === undefined &&
    (headers["content-length"] ?? "0") === "0" &&
    !surfaceByPath.has(pathOf(url)) &&
    !isStreamPath(url) &&
    !url.startsWith(modelsPath)
  );
}

function pathOf(url: string): string {
  const queryAt = url.indexOf("?");
  return queryAt < 0 ? url : url.slice(0, queryAt);
}

function sendText(
  response: ServerResponse,
  status: number,
  { text, type }: { readonly text: string; readonly type: string },
): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text) });
  response.end(text);
}

/** Answers what is not even HTTP, or whose head is too large, in the dialect's shape. */
function onClientError(error: NodeJS.ErrnoException, socket: Duplex, headerBytesMax: number): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const tooLarge = error.code === "HPE_HEADER_OVERFLOW";
  const refusal = tooLarge
    ? new PlatformError(
        "headers_too_large",
        `The headers of the request are larger than ${headerBytesMax} bytes.`,
        { hint: "Send less; the operator sets the bound with gateway.headerKilobytesMax." },
      )
    : new PlatformError("request_malformed", "The request is not HTTP as this server reads it.");
  const body = JSON.stringify(openaiDialect.errorBody(refusal, undefined));
  const status = tooLarge ? "431 Request Header Fields Too Large" : "400 Bad Request";
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

/** Whether it resolved before the signal aborted. */
async function settles(work: Promise<unknown>, signal: AbortSignal): Promise<boolean> {
  try {
    await raceAbort(work, signal);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
