/** Load on one target over bare sockets: each connection asks, reads the reply to its end, checks it, and asks again. */

import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

import { MessageFraming } from "./framing.ts";
import type { Scenario } from "./scenario.ts";
import type { Target } from "./target.ts";

export interface LoadResult {
  readonly requestCount: number;
  readonly elapsedMs: number;
  /** From sending to the first byte of the reply, for each request, ascending. */
  readonly firstByteMs: readonly number[];
}

const okHead = Buffer.from("HTTP/1.1 200 ");
const excerptBytesMax = 600;

/** Connections to a target that carry one scenario. */
export class Load implements AsyncDisposable {
  readonly #target: Target;
  readonly #scenario: Scenario;
  readonly #connections: readonly Connection[];
  /** For single requests: connections that carry none, and those who wait for one. */
  readonly #free: Connection[];
  readonly #waiting: ((connection: Connection) => void)[] = [];

  private constructor(target: Target, scenario: Scenario, connections: readonly Connection[]) {
    this.#target = target;
    this.#scenario = scenario;
    this.#connections = connections;
    this.#free = [...connections];
  }

  /** Opens the connections and asks once on each, so that what comes then finds every connection made, upstream too. */
  static async open(target: Target, scenario: Scenario, count: number): Promise<Load> {
    const request = requestOf(target, scenario);
    const connections = await Promise.all(
      Array.from({ length: count }, async () => await Connection.open(target.port, request)),
    );
    const load = new Load(target, scenario, connections);
    await load.run(count);
    return load;
  }

  /** Asks so many times, on all connections at once. Throws when a reply is not whole. */
  async run(requestCount: number): Promise<LoadResult> {
    const firstByteMs: number[] = [];
    let started = 0;
    const startedMs = performance.now();
    const runOne = async (connection: Connection): Promise<void> => {
      while (started < requestCount) {
        started += 1;
        const { reply, waitedMs } = await connection.ask();
        firstByteMs.push(waitedMs);
        this.#check(reply);
      }
    };
    await Promise.all(this.#connections.map(runOne));
    const elapsedMs = performance.now() - startedMs;
    return { requestCount, elapsedMs, firstByteMs: firstByteMs.sort((a, b) => a - b) };
  }

  /** Asks once on a free connection, as soon as there is one; gives the milliseconds to the first byte. */
  async askOnce(): Promise<number> {
    const startedMs = performance.now();
    const connection =
      this.#free.pop() ??
      (await new Promise<Connection>((resolve) => {
        this.#waiting.push(resolve);
      }));
    const queuedMs = performance.now() - startedMs;
    const { reply, waitedMs } = await connection.ask();
    this.#check(reply);
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(connection);
    else next(connection);
    return queuedMs + waitedMs;
  }

  /** Replaces connections that the target closed while nothing was asked of it. */
  async freshen(): Promise<void> {
    await Promise.all(this.#connections.map(async (connection) => await connection.freshen()));
  }

  /** A hash over what the model said in one more reply. */
  async contentHash(): Promise<string> {
    const [connection] = this.#connections;
    if (connection === undefined) throw new Error("A load has a connection.");
    const { reply } = await connection.ask();
    this.#check(reply);
    return createHash("sha256").update(this.#scenario.contentOf(reply)).digest("hex");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#connections.map(async (connection) => await connection.close()));
  }

  #check(reply: Buffer): void {
    if (reply.subarray(0, okHead.length).equals(okHead) && this.#scenario.isWhole(reply)) return;
    const start = reply.toString("latin1", 0, excerptBytesMax);
    throw new Error(`${this.#target.name} gave a reply that is no success, or not whole: ${start}`);
  }
}

/** The bytes of a request. */
export function requestOf({ port, headers }: Target, { path, body }: Scenario): Buffer {
  const lines = Object.entries({
    host: `127.0.0.1:${port}`,
    ...headers,
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
}

class Connection {
  readonly #port: number;
  readonly #request: Buffer;
  readonly #framing = new MessageFraming();
  #socket: Socket | undefined;
  #firstMs = 0;
  #done: PromiseWithResolvers<Buffer> | undefined;

  private constructor(port: number, request: Buffer) {
    this.#port = port;
    this.#request = request;
  }

  static async open(port: number, request: Buffer): Promise<Connection> {
    const connection = new Connection(port, request);
    await connection.freshen();
    return connection;
  }

  async freshen(): Promise<void> {
    if (this.#socket?.writable === true) return;
    const socket = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    this.#socket = socket;
    socket.on("data", (part) => {
      if (this.#firstMs === 0) this.#firstMs = performance.now();
      const reply = this.#framing.take(part);
      if (reply !== undefined) this.#done?.resolve(reply);
    });
    socket.on("error", (error) => this.#done?.reject(error));
    socket.on("close", () =>
      this.#done?.reject(new Error("The connection was closed within a reply.")),
    );
  }

  async ask(): Promise<{ reply: Buffer; waitedMs: number }> {
    this.#done = Promise.withResolvers<Buffer>();
    this.#firstMs = 0;
    const sentMs = performance.now();
    this.#socket?.write(this.#request);
    const reply = await this.#done.promise;
    this.#done = undefined;
    return { reply, waitedMs: this.#firstMs - sentMs };
  }

  async close(): Promise<void> {
    if (this.#socket === undefined || this.#socket.closed) return;
    this.#socket.destroy();
    await once(this.#socket, "close");
  }
}
