/** Hands requests that are not the gateway's to the control process, over its Unix socket, with back-pressure. */

import {
  Agent,
  type IncomingMessage,
  request as startRequest,
  type ServerResponse,
} from "node:http";
import type { Duplex } from "node:stream";

import { PlatformError } from "@faultline/protocol";

import type { GatewayMetrics } from "../observation/gateway-metrics.ts";

/** Headers that concern one connection only (RFC 9110, section 7.6.1). */
const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
/**
 * What frames and addresses a message is not of one connection, whatever its `Connection` header says: without it the two ends would
 * disagree on where the message ends.
 */
const framing: ReadonlySet<string> = new Set(["content-length", "transfer-encoding", "host"]);
/** Only Faultline says where a request came from; what a caller says of it is dropped. */
const forwarding = /^(?:x-forwarded-.*|forwarded|x-real-ip)$/;

const unavailable = new PlatformError(
  "control_unavailable",
  "The control process of Faultline cannot be reached.",
  { hint: "Model calls go on; try again in a moment." },
);

export class ControlProxy {
  readonly #socketPath: string;
  readonly #metrics: GatewayMetrics;
  // No connection is used twice: a Unix connection costs little, and a kept one may close just when it is used again. But
  // none is announced as `connection: close` either: a peer that closes behind its answer can overtake our
  // reading of it while we still write.
  readonly #agent = new Agent({ keepAlive: true });

  constructor(socketPath: string, metrics: GatewayMetrics) {
    this.#socketPath = socketPath;
    this.#metrics = metrics;
    // As an option, 0 would mean the default.
    this.#agent.maxFreeSockets = 0;
  }

  /** Pipes a request and its reply. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    const upstream = startRequest({
      socketPath: this.#socketPath,
      agent: this.#agent,
      method: request.method,
      path: request.url,
      headers: forwardedHeaders(request, endToEnd(request.rawHeaders)),
      setHost: false,
    });
    upstream.on("response", (reply) => {
      this.#metrics.countProxied("passed");
      response.writeHead(
        reply.statusCode ?? 502,
        reply.statusMessage,
        endToEnd(reply.rawHeaders).flat(),
      );
      reply.pipe(response);
      reply.on("error", () => response.destroy());
      reply.on("aborted", () => response.destroy());
    });
    upstream.on("error", () => {
      request.unpipe(upstream);
      this.#refuse(request, response);
    });
    response.on("close", () => {
      upstream.destroy();
      // A caller that sends all of its body before it reads the answer must get to its end.
      request.unpipe(upstream);
      request.resume();
    });
    request.on("error", () => upstream.destroy());
    request.pipe(upstream);
  }

  /**
   * Asks the control process for an upgrade, such as to a WebSocket, and pipes in both directions once it has agreed.
   * Any other answer is passed on and ends the connection: what a caller sends behind a request that was not
   * upgraded is never read as another one.
   */
  handleUpgrade(request: IncomingMessage, caller: Duplex, head: Buffer): void {
    const upstream = startRequest({
      socketPath: this.#socketPath,
      agent: this.#agent,
      method: request.method,
      path: request.url,
      headers: upgradeHeaders(request),
      setHost: false,
    });
    upstream.on("upgrade", (reply, control, early) => {
      this.#metrics.countProxied("passed");
      caller.write(replyHead(reply, reply.rawHeaders));
      if (early.length > 0) caller.write(early);
      if (head.length > 0) control.write(head);
      joinStreams(caller, control);
    });
    upstream.on("response", (reply) => {
      this.#metrics.countProxied("passed");
      // Its end is the end of the connection, so that it needs no framing of its own.
      caller.write(replyHead(reply, [...endToEnd(reply.rawHeaders).flat(), "connection", "close"]));
      reply.pipe(caller);
      reply.on("error", () => caller.destroy());
      reply.on("aborted", () => caller.destroy());
    });
    upstream.on("error", () => {
      if (!caller.writable) return;
      this.#metrics.countProxied("unavailable");
      const body = JSON.stringify(unavailable.toBody());
      caller.end(
        `HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
      );
    });
    caller.on("error", () => caller.destroy());
    caller.on("close", () => upstream.destroy());
    upstream.end();
  }

  close(): void {
    this.#agent.destroy();
  }

  #refuse(request: IncomingMessage, response: ServerResponse): void {
    if (response.destroyed) return;
    if (response.headersSent) {
      response.destroy();
      return;
    }
    this.#metrics.countProxied("unavailable");
    request.resume();
    const body = Buffer.from(JSON.stringify(unavailable.toBody()));
    response.writeHead(unavailable.row.status, {
      "content-type": "application/json",
      "content-length": body.length,
      "retry-after": "1",
      ...(request.complete ? {} : { connection: "close" }),
    });
    response.end(body);
  }
}

type HeaderLine = [name: string, value: string];

/** The lines that are meant for the other end, in their order and spelling. */
function endToEnd(rawHeaders: readonly string[]): HeaderLine[] {
  const lines: HeaderLine[] = [];
  const named = new Set<string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const line: HeaderLine = [rawHeaders[index] ?? "", rawHeaders[index + 1] ?? ""];
    lines.push(line);
    if (line[0].toLowerCase() !== "connection") continue;
    for (const name of line[1].split(",")) {
      const lower = name.trim().toLowerCase();
      if (!framing.has(lower)) named.add(lower);
    }
  }
  return lines.filter(([name]) => {
    const lower = name.toLowerCase();
    return !hopByHop.has(lower) && !named.has(lower);
  });
}

function forwardedHeaders(request: IncomingMessage, lines: HeaderLine[]): string[] {
  const kept = lines.filter(([name]) => !forwarding.test(name.toLowerCase()));
  const own: HeaderLine[] = [
    ["x-forwarded-for", request.socket.remoteAddress ?? ""],
    ["x-forwarded-proto", "http"],
    ["x-forwarded-host", request.headers.host ?? ""],
  ];
  // A body without a length is sent in chunks, as it came.
  if (request.headers["transfer-encoding"] !== undefined)
    own.push(["transfer-encoding", "chunked"]);
  return [...kept, ...own].flat();
}

function upgradeHeaders(request: IncomingMessage): string[] {
  const headers = forwardedHeaders(request, endToEnd(request.rawHeaders));
  headers.push("connection", "Upgrade", "upgrade", request.headers.upgrade ?? "websocket");
  return headers;
}

function replyHead(reply: IncomingMessage, headers: readonly string[]): string {
  const lines = [`HTTP/1.1 ${reply.statusCode ?? 502} ${reply.statusMessage ?? ""}`];
  for (let index = 0; index < headers.length; index += 2) {
    lines.push(`${headers[index]}: ${headers[index + 1]}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** Pipes both ways; the end of either is the end of both. */
function joinStreams(one: Duplex, other: Duplex): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.pipe(to);
    from.on("error", () => to.destroy());
    from.on("close", () => to.destroy());
  }
}
