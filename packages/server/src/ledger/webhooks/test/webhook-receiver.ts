/** For tests: a receiver of webhooks that keeps what came, and answers as the test wants. */

import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface ReceivedDelivery {
  readonly headers: IncomingHttpHeaders;
  readonly path: string;
  readonly body: string;
}

export interface WebhookReceiver extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly received: ReceivedDelivery[];
  /** Answers what comes from now on; by default with 204. */
  answer: (response: ServerResponse, delivery: ReceivedDelivery) => void;
  whenReceived(count: number): Promise<void>;
}

export async function openWebhookReceiver(): Promise<WebhookReceiver> {
  const waiters = new Set<() => void>();
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const { headers, url: path = "" } = request;
      const delivery = { headers, path, body: Buffer.concat(parts).toString() };
      receiver.received.push(delivery);
      for (const waiter of waiters) waiter();
      receiver.answer(response, delivery);
    });
  });
  server.listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  // It listens on TCP.
  const { port } = server.address() as AddressInfo;
  const receiver: WebhookReceiver = {
    port,
    url: `http://127.0.0.1:${port}/alerts?team=a`,
    received: [],
    answer: (response) => response.writeHead(204).end(),
    async whenReceived(count) {
      while (receiver.received.length < count) {
        const next = Promise.withResolvers<void>();
        waiters.add(next.resolve);
        await next.promise;
        waiters.delete(next.resolve);
      }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return receiver;
}
