/** Durable streams through real worker processes. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { exchange, type RawReply } from "../test/raw-client.ts";
import { openTestGateway, type TestGateway, testSecret } from "../test/test-gateway.ts";

const streamBody = '{"model":"simulated","stream":true,"messages":[{"role":"user","content":"x"}]}';

async function begin(world: TestGateway, simulate = ""): Promise<RawReply> {
  return exchange(
    world.gateway.port,
    [
      "POST /v1/chat/completions HTTP/1.1",
      `authorization: Bearer ${testSecret}`,
      "x-faultline-stream: durable",
      `x-faultline-simulate: ${simulate}`,
    ],
    streamBody,
  );
}

async function comeBack(world: TestGateway, id: string, lastEventId?: string): Promise<RawReply> {
  return exchange(world.gateway.port, [
    `GET /v1/streams/${id} HTTP/1.1`,
    `authorization: Bearer ${testSecret}`,
    ...(lastEventId === undefined ? [] : [`last-event-id: ${lastEventId}`]),
  ]);
}

function idOf(reply: RawReply): string {
  return /^x-faultline-stream-id: (\S+)$/im.exec(reply.head)?.[1] ?? "";
}

describe.each([1, 3])("a durable stream with %i workers", (count) => {
  let world: TestGateway;
  beforeAll(async () => {
    world = await openTestGateway({ count });
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  it("is read again from every event on, and in full without one", async () => {
    const first = await begin(world, "tokens=12");
    expect([first.status, first.whole]).toEqual([200, true]);
    const id = idOf(first);
    const text = first.body.toString();
    const ids = [...text.matchAll(/^id: (\S+)$/gm)].map((match) => match[1] ?? "");
    expect(ids.length).toBeGreaterThan(12);
    const whole = await comeBack(world, id);
    expect([whole.status, whole.whole, whole.body.toString()]).toEqual([200, true, text]);
    for (const eventId of ids.slice(0, -1)) {
      const rest = await comeBack(world, id, eventId);
      const at = text.indexOf(`id: ${eventId}\n\n`) + `id: ${eventId}\n\n`.length;
      expect([rest.status, rest.whole, rest.body.toString()]).toEqual([200, true, text.slice(at)]);
    }
    expect((await comeBack(world, id, ids.at(-1))).status).toBe(204);
  });
});
