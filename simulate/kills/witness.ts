/** The provider: the one party that is never killed. It notes what it was asked and what it served, by the name of the call. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

import { systemClock } from "@faultline/server/kernel/index.ts";

/** How a call wants to be answered: stands in its message, behind its name. */
export type Manner = "plain" | "stream" | "flaky" | "wait-first" | "wait-middle";

/** What became of one request. */
export interface Served {
  readonly call: string;
  /** Tokens of output that were sent. */
  outputTokens: number;
  end: "open" | "failed" | "cut" | "whole";
}

const inputTokens = 10;
const tokenCount = 5;
const pauseMs = 15;
const { signal } = new AbortController();

export class Witness implements AsyncDisposable {
  readonly #server: Server;
  readonly served: Served[] = [];
  readonly #gates = new Map<string, PromiseWithResolvers<void>>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<Witness> {
    const server = createServer();
    const witness = new Witness(server);
    server.on("request", (request, response) => void witness.#answer(request, response));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return witness;
  }

  get port(): number {
    // It listens on TCP.
    return (this.#server.address() as AddressInfo).port;
  }

  /** Whether a call of this name was asked. */
  hasSeen(call: string): boolean {
    return this.served.some((one) => one.call === call);
  }

  /** A call was sent to a provider that takes connections and never reads: it was asked, and nothing was served. */
  noteUnread(call: string): void {
    this.served.push({ call, outputTokens: 0, end: "cut" });
  }

  /** Lets calls that wait go on. */
  release(): void {
    for (const gate of this.#gates.values()) gate.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    request.on("error", () => {});
    for await (const part of request) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString();
    const [call = "", manner = "plain"] = /"content":"([^"]*)"/.exec(text)?.[1]?.split(" ") ?? [];
    const isFirst = !this.hasSeen(call);
    const served: Served = { call, outputTokens: 0, end: "open" };
    this.served.push(served);
    response.on("close", () => {
      if (served.end === "open") served.end = "cut";
    });
    if (manner === "flaky" && isFirst) {
      served.end = "failed";
      response.writeHead(503).end('{"error":{"message":"busy"}}');
      return;
    }
    if (manner === "wait-first") await this.#gate(call);
    if (text.includes('"stream":true')) await this.#stream(served, response, manner);
    else {
      await systemClock.sleep(pauseMs, signal);
      if (served.end !== "open") return;
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(completion()), () => {
        served.end = "whole";
      });
      served.outputTokens = tokenCount;
    }
  }

  async #stream(served: Served, response: ServerResponse, manner: string): Promise<void> {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (let count = 0; count < tokenCount; count += 1) {
      if (served.end !== "open") return;
      response.write(`data: ${JSON.stringify(chunk({ content: "word " }))}\n\n`);
      served.outputTokens += 1;
      if (manner === "wait-middle" && count === 1) await this.#gate(served.call);
      await systemClock.sleep(pauseMs, signal);
    }
    if (served.end !== "open") return;
    const last = { ...chunk({}), choices: [{ index: 0, delta: {}, finish_reason: "stop" }] };
    response.write(`data: ${JSON.stringify(last)}\n\n`);
    response.write(`data: ${JSON.stringify({ ...chunk({}), choices: [], usage })}\n\n`);
    response.end("data: [DONE]\n\n", () => {
      served.end = "whole";
    });
  }

  async #gate(call: string): Promise<void> {
    const gate = this.#gates.get(call) ?? Promise.withResolvers<void>();
    this.#gates.set(call, gate);
    await gate.promise;
  }
}

const usage = {
  prompt_tokens: inputTokens,
  completion_tokens: tokenCount,
  total_tokens: inputTokens + tokenCount,
};

function completion(): object {
  const message = { role: "assistant", content: "word word word word word" };
  const choices = [{ index: 0, message, finish_reason: "stop" }];
  return { id: "r", object: "chat.completion", choices, usage };
}

function chunk(delta: object): Record<string, unknown> {
  const choices = [{ index: 0, delta, finish_reason: null }];
  return { id: "r", object: "chat.completion.chunk", choices };
}
