/** Many streams of one target that are held open at once: how many stand, how many broke, what came on them. */

import { once } from "node:events";
import { connect, type Socket } from "node:net";

import { requestOf } from "./load.ts";
import type { Scenario } from "./scenario.ts";
import type { Target } from "./target.ts";

/** Streams that are begun at the same time; more would only wait for each other. */
const beginningCountMax = 200;
const okHead = "HTTP/1.1 200 ";

export class HeldStreams implements AsyncDisposable {
  readonly #sockets: Socket[] = [];
  #brokenCount = 0;
  #partCount = 0;
  #isClosing = false;

  /** Begins so many streams; resolves when each has brought its first event. Throws when one is refused. */
  static async open(target: Target, scenario: Scenario, count: number): Promise<HeldStreams> {
    const streams = new HeldStreams();
    const request = requestOf(target, scenario);
    let begun = 0;
    const beginNext = async (): Promise<void> => {
      while (begun < count) {
        begun += 1;
        await streams.#begin(target, request);
      }
    };
    await Promise.all(Array.from({ length: Math.min(count, beginningCountMax) }, beginNext));
    return streams;
  }

  /** Streams that ended although they should not. */
  get brokenCount(): number {
    return this.#brokenCount;
  }

  /** Parts that came so far: of slow streams, about one for each event. */
  get partCount(): number {
    return this.#partCount;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true;
    await Promise.all(
      this.#sockets.map(async (socket) => {
        if (socket.closed) return;
        socket.destroy();
        await once(socket, "close");
      }),
    );
  }

  async #begin(target: Target, request: Buffer): Promise<void> {
    const socket = connect({ port: target.port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    this.#sockets.push(socket);
    const started = Promise.withResolvers<void>();
    let head = "";
    let isStarted = false;
    socket.on("data", (part) => {
      this.#partCount += 1;
      if (isStarted) return;
      head += part.toString("latin1");
      if (!head.includes("data: ")) return;
      isStarted = true;
      if (head.startsWith(okHead)) started.resolve();
      else started.reject(new Error(`${target.name} refused a stream: ${head.slice(0, 600)}`));
      head = "";
    });
    socket.on("error", (error) => started.reject(error));
    socket.on("close", () => {
      if (this.#isClosing) return;
      this.#brokenCount += 1;
      started.reject(new Error(`${target.name} broke a stream as it began: ${head.slice(0, 600)}`));
    });
    socket.write(request);
    await started.promise;
  }
}
