/** The simulated provider as a real HTTP upstream, so that the relay has no special path for it. */

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { SimulationConfig } from "#config/index.ts";
import { type Clock, isAbort, type Random } from "#kernel/index.ts";

import { anthropicDialect, openaiDialect, toPlatformError } from "../calls/dialect.ts";
import { sendError } from "../calls/send-error.ts";
import { type Behaviour, readBehaviour, simulateHeader } from "./behaviour.ts";
import { chatSurface } from "./chat-wire.ts";
import { completionsSurface } from "./completions-wire.ts";
import { embeddingsSurface } from "./embeddings-wire.ts";
import type { SimulatedReply, SimulatedSurface } from "./simulated-surface.ts";
import { countTokensSurface, messagesSurface, responsesSurface } from "./translated-wire.ts";

/** Names the configured provider whose simulation applies. */
export const providerHeader = "x-faultline-provider";
const simulatedHeaders = { "x-faultline-simulated": "no language model" };
const drawBound = 2 ** 32;
const msPerSecond = 1_000;

/** By path; any other path is answered as chat completions. */
const surfaces: Readonly<Record<string, SimulatedSurface>> = {
  "/v1/responses": responsesSurface,
  "/v1/completions": completionsSurface,
  "/v1/embeddings": embeddingsSurface,
  "/v1/messages": messagesSurface,
  "/v1/messages/count_tokens": countTokensSurface,
};

function surfaceOf({ url = "" }: IncomingMessage): SimulatedSurface {
  const [path = ""] = url.split("?", 1);
  return (Object.hasOwn(surfaces, path) ? surfaces[path] : undefined) ?? chatSurface;
}

/** What came of the replies; that an upstream sees its caller leave is what other suites cannot see. */
export interface SimulatedObservations {
  startedCount: number;
  completedCount: number;
  /** The caller left before the end. */
  closedEarlyCount: number;
  /** Events that had been written when the latest caller left early. */
  eventsBeforeEarlyClose: number;
}

export interface SimulatedUpstreamOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** The behaviour of the configured provider of this name. */
  readonly simulationOf: (provider: string) => SimulationConfig | undefined;
}

export class SimulatedUpstream implements AsyncDisposable {
  readonly observed: SimulatedObservations = {
    startedCount: 0,
    completedCount: 0,
    closedEarlyCount: 0,
    eventsBeforeEarlyClose: 0,
  };
  readonly #options: SimulatedUpstreamOptions;
  readonly #server: Server;

  private constructor(options: SimulatedUpstreamOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => this.#handle(request, response));
  }

  /** Listens on a socket path, or on a free port of the loopback interface. */
  static async open(
    where: { readonly socketPath: string } | { readonly port: number },
    options: SimulatedUpstreamOptions,
  ): Promise<SimulatedUpstream> {
    const upstream = new SimulatedUpstream(options);
    const address =
      "socketPath" in where ? { path: where.socketPath } : { host: "127.0.0.1", port: where.port };
    upstream.#server.listen(address);
    await once(upstream.#server, "listening");
    return upstream;
  }

  /** The port, when it listens on one. */
  get port(): number | undefined {
    const address = this.#server.address();
    return typeof address === "object" && address !== null
      ? (address satisfies AddressInfo).port
      : undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    if (this.#server.listening) await once(this.#server, "close");
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const aborter = new AbortController();
      response.on("close", () => aborter.abort());
      this.#answer(request, response, { body: Buffer.concat(parts), signal: aborter.signal }).catch(
        (error: unknown) => this.#onFailure(request, response, error),
      );
    });
  }

  #onFailure(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    // A caller that leaves ends every wait; that is no failure.
    if (isAbort(error)) return;
    if (response.headersSent) response.destroy();
    else
      sendError(response, toPlatformError(error), {
        dialect:
          request.url?.startsWith("/v1/messages") === true ? anthropicDialect : openaiDialect,
        headers: simulatedHeaders,
      });
  }

  async #answer(
    incoming: IncomingMessage,
    response: ServerResponse,
    { body, signal }: { body: Buffer; signal: AbortSignal },
  ): Promise<void> {
    this.observed.startedCount += 1;
    const surface = surfaceOf(incoming);
    const behaviour = this.#behaviourOf(incoming);
    const createdSeconds = Math.floor(this.#options.clock.nowMs() / msPerSecond);
    const reply = surface.reply(body, { behaviour, createdSeconds });
    await this.#wait(behaviour.latencyMs, signal);
    this.#block(behaviour.blockMs);
    if (behaviour.resets) {
      response.destroy();
      return;
    }
    if (behaviour.errorStatus !== undefined) {
      sendSimulatedError(response, surface, behaviour.errorStatus);
      return;
    }
    if (reply.stream) {
      await this.#stream(response, { reply, surface, behaviour, signal });
    } else {
      await this.#wait(behaviour.firstTokenMs + reply.tokenCount * behaviour.paceMs, signal);
      this.#sendPlain(response, Buffer.from(reply.whole()), behaviour);
    }
    this.observed.completedCount += 1;
  }

  #behaviourOf(incoming: IncomingMessage): Behaviour {
    const provider = incoming.headers[providerHeader];
    const header = incoming.headers[simulateHeader];
    const simulation = this.#options.simulationOf(typeof provider === "string" ? provider : "");
    return readBehaviour(
      simulation ?? prompt,
      typeof header === "string" ? header : undefined,
      () => this.#options.random.integer(drawBound) / drawBound,
    );
  }

  #sendPlain(response: ServerResponse, body: Buffer, behaviour: Behaviour): void {
    response.writeHead(200, {
      ...simulatedHeaders,
      "content-type": "application/json",
      "content-length": body.length,
    });
    const { cutAfter, stallAfter } = behaviour;
    if (cutAfter !== undefined) {
      response.write(body.subarray(0, cutAfter), () => response.destroy());
    } else if (stallAfter === undefined) {
      response.end(body);
    } else {
      response.write(body.subarray(0, stallAfter));
    }
  }

  async #stream(response: ServerResponse, streamed: Streamed): Promise<void> {
    const { reply, behaviour, signal } = streamed;
    response.writeHead(200, {
      ...simulatedHeaders,
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
    });
    let count = 0;
    let waitMs = behaviour.firstTokenMs;
    try {
      for (const { bytes, isToken } of reply.events()) {
        if (await this.#breaksAt(count, response, streamed)) return;
        if (isToken) {
          await this.#wait(waitMs, signal);
          waitMs = behaviour.paceMs;
        }
        if (!response.write(bytes)) await once(response, "drain", { signal });
        count += 1;
      }
    } catch (error) {
      if (isAbort(error)) {
        this.observed.closedEarlyCount += 1;
        this.observed.eventsBeforeEarlyClose = count;
      }
      throw error;
    }
    response.end(behaviour.endsWithDone ? reply.terminator() : undefined);
  }

  /** Whether the stream ends here, in the way that was asked for. */
  async #breaksAt(
    count: number,
    response: ServerResponse,
    { surface, behaviour, signal }: Streamed,
  ): Promise<boolean> {
    if (count === behaviour.stallAfter) {
      await this.#wait(Number.MAX_SAFE_INTEGER, signal);
    }
    if (count === behaviour.cutAfter) {
      // Half an event, as a broken connection leaves it.
      response.write('data: {"id":"chatcmpl-sim', () => response.destroy());
      return true;
    }
    if (count === behaviour.errorAfter) {
      response.end(surface.errorEvent(500));
      return true;
    }
    if (count === behaviour.garbageAfter) {
      response.write("data: <html>not a chunk</html>\n\n");
    }
    return false;
  }

  /** Stands in for code that computes for too long. */
  #block(durationMs: number): void {
    const { clock } = this.#options;
    const untilMs = clock.monotonicMs() + durationMs;
    while (clock.monotonicMs() < untilMs) {
      // Nothing else may run.
    }
  }

  async #wait(durationMs: number, signal: AbortSignal): Promise<void> {
    if (durationMs <= 0) return;
    await this.#options.clock.sleep(Math.min(durationMs, waitMsMax), signal);
  }
}

/** The longest wait that a timer can hold; a stall is one. */
const waitMsMax = 2 ** 31 - 1;

/** Without a configuration it answers at once. */
const prompt: SimulationConfig = {
  seed: "faultline",
  firstTokenMs: 0,
  tokensPerSecond: Number.MAX_SAFE_INTEGER,
  errorRatio: 0,
  stallRatio: 0,
  cutRatio: 0,
};

/** A stream on its way. */
interface Streamed {
  readonly reply: SimulatedReply;
  readonly surface: SimulatedSurface;
  readonly behaviour: Behaviour;
  readonly signal: AbortSignal;
}

function sendSimulatedError(
  response: ServerResponse,
  surface: SimulatedSurface,
  status: number,
): void {
  response.writeHead(status, {
    ...simulatedHeaders,
    "content-type": "application/json",
    ...(status === 429 || status === 503 ? { "retry-after": "1" } : {}),
  });
  response.end(JSON.stringify(surface.errorBody(status)));
}
