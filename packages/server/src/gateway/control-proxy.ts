/** Hands requests that are not the gateway's to the control process, over its Unix socket, with back-pressure. */

import {
  Agent,
  type IncomingMessage,
  request as startRequest,
  type ServerResponse,
} from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";

import { PlatformError } from "@faultline/protocol";

import type { GatewayMetrics } from "./gateway-metrics.ts";

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
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 0 });

  constructor(socketPath: string, metrics: GatewayMetrics) {
    this.#socketPath = socketPath;
    this.#metrics = metrics;
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

  /** Pipes an upgraded connection, such as a WebSocket, in both directions. */
  handleUpgrade(request: IncomingMessage, caller: Duplex, head: Buffer): void {
    const control = connect(this.#socketPath);
    let connected = false;
    const close = (): void => {
      caller.destroy();
      control.destroy();
    };
    control.on("connect", () => {
      connected = true;
      this.#metrics.countProxied("passed");
      control.write(upgradeHead(request));
      if (head.length > 0) control.write(head);
      control.pipe(caller);
      caller.pipe(control);
    });
    control.on("error", () => {
      if (connected) {
        close();
        return;
      }
      this.#metrics.countProxied("unavailable");
      const body = JSON.stringify(unavailable.toBody());
      caller.end(
        `HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
      );
    });
    caller.on("error", close);
    caller.on("close", () => control.destroy());
    control.on("close", () => {
      if (connected) caller.end();
    });
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
    for (const name of line[1].split(",")) named.add(name.trim().toLowerCase());
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

function upgradeHead(request: IncomingMessage): string {
  const headers = forwardedHeaders(request, endToEnd(request.rawHeaders));
  headers.push("connection", "Upgrade", "upgrade", request.headers.upgrade ?? "websocket");
  const lines = [`${request.method ?? "GET"} ${request.url ?? "/"} HTTP/1.1`];
  for (let index = 0; index < headers.length; index += 2) {
    lines.push(`${headers[index]}: ${headers[index + 1]}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}
