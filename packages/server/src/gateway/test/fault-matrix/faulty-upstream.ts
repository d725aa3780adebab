/** A provider on bare TCP that answers each request with the fault that the request names. */

import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

import { gatewayLimits } from "../../limits.ts";
import {
  chatText,
  chatTools,
  messagesText,
  messagesTools,
  type WireSample,
} from "../wire-samples.ts";
import type { Cell } from "./cells.ts";

/** What came of the requests of one cell. */
export interface CellLog {
  attemptCount: number;
  /** Connections of its attempts that have ended. */
  closedCount: number;
  /** Resolves once every connection of a failed attempt has ended. */
  readonly onClose: Set<() => void>;
}

/** How many events, or which part of a body, come before the fault. */
export interface Sent {
  readonly sample: WireSample;
  readonly events: readonly string[];
  readonly body: Buffer;
  readonly bodyPrefix: Buffer;
}

/** Beyond what one event may have. */
const hugeBytes = gatewayLimits.frameBytesMax + 65_536;
const sliceBytes = 24;
const notUtf8 = Buffer.from([0xff, 0xfe, 0xc3]);
/** Stands in for bytes that are not UTF-8 until they are sent. */
const notUtf8Mark = "NOT-UTF-8";

/** What a provider of this cell has to say, and how far it comes. */
export function sentOf({ point, pair: { provider } }: Cell): Sent {
  const withTools = point === "mid-tool-call";
  const samples =
    provider === "chat"
      ? { text: chatText, tools: chatTools }
      : { text: messagesText, tools: messagesTools };
  const sample = withTools ? samples.tools : samples.text;
  const { events, firstDelta } = sample;
  const lastDelta = provider === "chat" ? events.length - 4 : events.length - 4;
  const counts: Record<Cell["point"], number> = {
    "before headers": 0,
    "before first token": firstDelta,
    "mid-stream": firstDelta + 2,
    "mid-tool-call": firstDelta + 2,
    "after last token": lastDelta + 1,
    "before the end is announced": events.length - 1,
  };
  const body = Buffer.from(JSON.stringify(sample.plain));
  const shares: Record<Cell["point"], number> = {
    "before headers": 0,
    "before first token": 0,
    "mid-stream": 0.5,
    "mid-tool-call": 0.6,
    "after last token": 1,
    "before the end is announced": 1,
  };
  const prefixBytes = Math.min(Math.floor(body.length * shares[point]), body.length - 1);
  return {
    sample,
    events: events.slice(0, counts[point]),
    body,
    bodyPrefix: body.subarray(0, prefixBytes),
  };
}

export class FaultyUpstream implements AsyncDisposable {
  readonly #server: Server;
  readonly #cells: readonly Cell[];
  readonly #logs = new Map<number, CellLog>();
  readonly #sockets = new Set<Socket>();

  private constructor(cells: readonly Cell[]) {
    this.#cells = cells;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** Listens on a free port; a request names its cell as `cell-INDEX` in its body. */
  static async open(cells: readonly Cell[]): Promise<FaultyUpstream> {
    const upstream = new FaultyUpstream(cells);
    upstream.#server.listen(0, "127.0.0.1");
    await once(upstream.#server, "listening");
    return upstream;
  }

  get port(): number {
    // A server that listens on a port has such an address.
    return (this.#server.address() as AddressInfo).port;
  }

  logOf(index: number): CellLog {
    const log = this.#logs.get(index) ?? { attemptCount: 0, closedCount: 0, onClose: new Set() };
    this.#logs.set(index, log);
    return log;
  }

  /** Resolves once the gateway has let go of every connection on which this cell failed. */
  async closed(index: number): Promise<void> {
    const log = this.logOf(index);
    while (log.closedCount < log.attemptCount) {
      const next = Promise.withResolvers<void>();
      log.onClose.add(next.resolve);
      await next.promise;
      log.onClose.delete(next.resolve);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    let received = Buffer.alloc(0);
    let log: CellLog | undefined;
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#sockets.delete(socket);
      if (log === undefined) return;
      log.closedCount += 1;
      for (const listener of log.onClose) listener();
    });
    socket.on("data", (part) => {
      received = Buffer.concat([received, part]);
      const request = wholeRequest(received);
      if (request === undefined) return;
      received = Buffer.alloc(0);
      const index = Number(/cell-(\d+)/.exec(request)?.[1]);
      const cell = this.#cells[index];
      if (cell === undefined) throw new Error("A request names no cell.");
      log = this.logOf(index);
      log.attemptCount += 1;
      play(cell, socket);
    });
  }
}

/** The body of a request once it is whole. */
function wholeRequest(bytes: Buffer): string | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const length = Number(/content-length: (\d+)/i.exec(bytes.toString("latin1", 0, headEnd))?.[1]);
  return bytes.length < headEnd + 4 + length ? undefined : bytes.toString("utf8", headEnd + 4);
}

/** Every connection ends with its reply, so that a fault never touches the next request. */
function headOf(cell: Cell, extra: readonly string[] = []): string {
  const type = cell.mode === "plain" ? "application/json" : "text/event-stream";
  const framing =
    cell.mode === "plain"
      ? `content-length: ${declaredLength(cell)}`
      : "transfer-encoding: chunked";
  const lines = [
    "HTTP/1.1 200 OK",
    `content-type: ${type}`,
    framing,
    "connection: close",
    ...extra,
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** A plain reply that is truncated is whole as far as HTTP goes. */
function declaredLength(cell: Cell): number {
  const { body, bodyPrefix } = sentOf(cell);
  if (cell.fault === "truncated") return bodyPrefix.length;
  return cell.fault === "huge chunk" ? body.length + hugeBytes : body.length;
}

const chunk = (data: Buffer | string): Buffer => {
  const bytes = Buffer.from(data);
  return Buffer.concat([
    Buffer.from(`${bytes.length.toString(16)}\r\n`),
    bytes,
    Buffer.from("\r\n"),
  ]);
};
const lastChunk = "0\r\n\r\n";

function play(cell: Cell, socket: Socket): void {
  if (cell.point === "before headers") playHead(cell, socket);
  else if (cell.mode === "plain") playPlain(cell, socket);
  else playStream(cell, socket);
}

function playHead(cell: Cell, socket: Socket): void {
  const { sample, body } = sentOf(cell);
  const rest = (): Buffer =>
    cell.mode === "plain"
      ? body
      : Buffer.concat([...sample.events.map((event) => chunk(event)), Buffer.from(lastChunk)]);
  const error = JSON.stringify({
    error: { message: "Not now.", type: "server_error", code: null },
  });
  const status = (line: string, extra: string): string =>
    `HTTP/1.1 ${line}\r\ncontent-type: application/json\r\n${extra}content-length: ${error.length}\r\nconnection: close\r\n\r\n${error}`;
  switch (cell.fault) {
    case "reset":
      socket.resetAndDestroy();
      return;
    case "truncated":
      socket.end();
      return;
    case "garbage":
      socket.end("\u0000\u0001 this is no HTTP\r\n\r\n");
      return;
    case "429 with Retry-After":
      socket.end(status("429 Too Many Requests", "retry-after: 86400\r\n"));
      return;
    case "500":
      socket.end(status("500 Internal Server Error", ""));
      return;
    case "wrong content type":
      socket.end(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>",
      );
      return;
    case "huge chunk":
      socket.end(
        Buffer.concat([Buffer.from(headOf(cell, [`x-huge: ${"h".repeat(131_072)}`])), rest()]),
      );
      return;
    case "invalid UTF-8":
      socket.end(
        Buffer.concat([
          Buffer.from(headOf(cell).replace("\r\n\r\n", "\r\nx-name: ")),
          notUtf8,
          Buffer.from("\r\n\r\n"),
          rest(),
        ]),
      );
      return;
    case "slow trickle":
      trickle(Buffer.concat([Buffer.from(headOf(cell)), rest()]), socket);
      return;
    case "stall":
    case "refused":
    case "in-band error":
      return;
  }
}

function playPlain(cell: Cell, socket: Socket): void {
  const { body, bodyPrefix } = sentOf(cell);
  const head = Buffer.from(headOf(cell));
  const rest = body.subarray(bodyPrefix.length);
  const begun = Buffer.concat([head, bodyPrefix]);
  switch (cell.fault) {
    case "reset":
      socket.write(begun, () => socket.resetAndDestroy());
      return;
    case "truncated":
      socket.end(begun);
      return;
    case "garbage":
      socket.end(Buffer.concat([begun, Buffer.alloc(rest.length, "<")]));
      return;
    case "slow trickle":
      socket.write(begun);
      trickle(rest, socket);
      return;
    case "huge chunk": {
      // White space before the last brace: as long as it is, it says nothing.
      const last = body.length - 1;
      socket.write(head);
      socket.end(
        Buffer.concat([body.subarray(0, last), Buffer.alloc(hugeBytes, " "), body.subarray(last)]),
      );
      return;
    }
    case "invalid UTF-8": {
      const at = body.indexOf("model-a");
      socket.write(head);
      socket.end(
        Buffer.concat([body.subarray(0, at), notUtf8, body.subarray(at + notUtf8.length)]),
      );
      return;
    }
    default:
      socket.write(begun);
  }
}

function playStream(cell: Cell, socket: Socket): void {
  const { sample, events } = sentOf(cell);
  const begun = Buffer.concat([Buffer.from(headOf(cell)), ...events.map((event) => chunk(event))]);
  const rest = sample.events.slice(events.length);
  const whole = (list: readonly string[]): Buffer =>
    Buffer.concat([...list.map((event) => chunk(event)), Buffer.from(lastChunk)]);
  switch (cell.fault) {
    case "reset":
      socket.write(begun, () => socket.resetAndDestroy());
      return;
    case "truncated":
      socket.end(Buffer.concat([begun, Buffer.from(lastChunk)]));
      return;
    case "garbage":
      socket.write(Buffer.concat([begun, chunk("data: <html>no event</html>\n\n")]));
      return;
    case "in-band error":
      socket.write(Buffer.concat([begun, chunk(errorEventOf(cell)), Buffer.from(lastChunk)]));
      return;
    case "slow trickle":
      socket.write(begun);
      trickle(whole(rest), socket);
      return;
    case "huge chunk":
      socket.write(
        Buffer.concat([begun, chunk(`data: {"filler":"${"h".repeat(hugeBytes)}"}\n\n`)]),
      );
      return;
    case "invalid UTF-8":
      socket.end(Buffer.concat([begun, ...invalidEventsOf(cell), whole(rest)]));
      return;
    default:
      socket.write(begun);
  }
}

function errorEventOf({ pair: { provider } }: Cell): string {
  return provider === "chat"
    ? 'data: {"error":{"message":"Overloaded.","type":"server_error","code":null}}\n\n'
    : 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded."}}\n\n';
}

/** An event that no client looks at, with bytes that are not UTF-8. */
export function invalidEventsOf({ pair: { provider } }: Cell): Buffer[] {
  const text =
    provider === "chat"
      ? `data: {"object":"chat.completion.chunk","choices":[],"note":"${notUtf8Mark}"}\n\n`
      : `event: ping\ndata: {"type":"ping","note":"${notUtf8Mark}"}\n\n`;
  const at = text.indexOf(notUtf8Mark);
  const bytes = Buffer.concat([
    Buffer.from(text.slice(0, at)),
    notUtf8,
    Buffer.from(text.slice(at + notUtf8Mark.length)),
  ]);
  return [chunk(bytes)];
}

/** Writes a slice whenever the one before has gone out. */
function trickle(bytes: Buffer, socket: Socket): void {
  if (bytes.length === 0) {
    socket.end();
    return;
  }
  socket.write(bytes.subarray(0, sliceBytes), () => {
    trickle(bytes.subarray(sliceBytes), socket);
  });
}
