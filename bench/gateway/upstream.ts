/**
 * The provider of the gateway benchmarks: prepared bytes over bare sockets, so that it takes as little of the load's
 * core as can be. The model's name says how it answers; it counts the callers that leave before the end of a reply.
 */

import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

import { beatEvent, doneEvent, eventsOf, plainReply, replyFormOf } from "./replies.ts";
import { MessageFraming } from "./framing.ts";

/** What a caller of `/observed` is told. */
export interface UpstreamObservations {
  readonly startedCount: number;
  readonly completedCount: number;
  readonly closedEarlyCount: number;
  /** Events written to slow streams. */
  readonly beatCount: number;
}

const streamHead = Buffer.from(
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n",
);
const lastBytes = Buffer.concat([doneEvent, Buffer.from("0\r\n\r\n")]);
/** Slow streams are written to in this many groups, one after another, so that they do not beat at once. */
const groupCount = 25;
const backlog = 4_096;

/** A stream that gets an event once in a while, until its caller leaves. */
interface SlowStream {
  readonly socket: Socket;
}

/** Listens on the loopback interface. A slow stream gets an event every `beatMs`. */
export async function openUpstream(beatMs: number): Promise<{ readonly port: number }> {
  const upstream = new Upstream(beatMs);
  return { port: await upstream.listen() };
}

class Upstream {
  readonly #observed = { startedCount: 0, completedCount: 0, closedEarlyCount: 0, beatCount: 0 };
  readonly #groups: Set<SlowStream>[] = Array.from({ length: groupCount }, () => new Set());
  readonly #server: Server;
  #slowCount = 0;
  #group = 0;

  constructor(beatMs: number) {
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
    setInterval(() => this.#beat(), beatMs / groupCount).unref();
  }

  async listen(): Promise<number> {
    this.#server.listen({ host: "127.0.0.1", port: 0, backlog });
    await once(this.#server, "listening");
    // A server that listens on a port has such an address.
    return (this.#server.address() as AddressInfo).port;
  }

  #serve(socket: Socket): void {
    const framing = new MessageFraming();
    const state = { isOpen: false };
    socket.on("data", (part) => {
      const request = framing.take(part);
      if (request === undefined) return;
      state.isOpen = true;
      this.#answer(socket, request, () => (state.isOpen = false));
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      if (state.isOpen) this.#observed.closedEarlyCount += 1;
    });
  }

  #answer(socket: Socket, request: Buffer, onEnd: () => void): void {
    if (request.subarray(0, "GET /observed".length).equals(Buffer.from("GET /observed"))) {
      onEnd();
      const body = JSON.stringify(this.#observed);
      socket.end(
        `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
      return;
    }
    this.#observed.startedCount += 1;
    const form = replyFormOf(request);
    if (!form.stream) {
      socket.write(plainReply(form.model));
      this.#end(onEnd);
      return;
    }
    socket.write(streamHead);
    if (form.pace === "slow" || form.pace === "idle") {
      socket.write(beatEvent);
      if (form.pace === "slow") this.#keepSlow(socket);
      return;
    }
    this.#write(socket, eventsOf(form), { isEager: form.pace === "eager", onEnd });
  }

  /** Each event in a turn of its own, as those of a model come by themselves; eager streams write all they can. */
  #write(
    socket: Socket,
    events: readonly Buffer[],
    { isEager, onEnd }: { isEager: boolean; onEnd: () => void },
  ): void {
    const perTurn = isEager ? events.length : 1;
    let next = 0;
    const writeSome = (): void => {
      if (socket.destroyed) return;
      const turnEnd = Math.min(next + perTurn, events.length);
      let isDrained = true;
      while (isDrained && next < turnEnd) {
        isDrained = socket.write(events[next] ?? doneEvent);
        next += 1;
      }
      if (!isDrained) {
        socket.once("drain", writeSome);
      } else if (next < events.length) {
        setImmediate(writeSome);
      } else {
        socket.write(lastBytes);
        this.#end(onEnd);
      }
    };
    writeSome();
  }

  #end(onEnd: () => void): void {
    onEnd();
    this.#observed.completedCount += 1;
  }

  #keepSlow(socket: Socket): void {
    const stream = { socket };
    const group = this.#groups[this.#slowCount % groupCount];
    this.#slowCount += 1;
    group?.add(stream);
    socket.once("close", () => group?.delete(stream));
  }

  #beat(): void {
    const group = this.#groups[this.#group % groupCount];
    this.#group += 1;
    for (const { socket } of group ?? []) {
      socket.write(beatEvent);
      this.#observed.beatCount += 1;
    }
  }
}
