import { once } from "node:events";

import { describe, expect, it } from "vitest";

import { openSocket } from "./raw-client.ts";
import { openTestGateway, openTestServer, providerAt, testSecret } from "./test-gateway.ts";

const body = JSON.stringify({ model: "model-a", messages: [{ role: "user", content: "Hello" }] });
const call = [
  "POST /v1/chat/completions HTTP/1.1",
  "host: gateway",
  `authorization: Bearer ${testSecret}`,
  "content-type: application/json",
  `content-length: ${body.length}`,
  "",
  body,
].join("\r\n");

async function openCount(url: string): Promise<unknown> {
  const reply = await fetch(`${url}/readyz/gateway`);
  return ((await reply.json()) as { openOperations: number }).openOperations;
}

describe("calls in a row on one connection", () => {
  it("give back their places and let go of the provider when their caller leaves", async () => {
    const cuts: Promise<unknown>[] = [];
    const arrived = Promise.withResolvers<void>();
    await using upstream = await openTestServer((_request, response) => {
      cuts.push(once(response, "close"));
      if (cuts.length === 2) arrived.resolve();
    });
    await using test = await openTestGateway({ providers: [providerAt(upstream.port)] });
    const socket = await openSocket(test.gateway.port);
    socket.write(call + call);
    await arrived.promise;
    expect(await openCount(test.url)).toBe(2);
    socket.destroy();
    await once(socket, "close");
    // Both exchanges with the provider are cut.
    await Promise.all(cuts);
    while ((await openCount(test.url)) !== 0) await new Promise((resolve) => setImmediate(resolve));
  });
});
