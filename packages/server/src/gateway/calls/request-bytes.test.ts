import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

import { Pool } from "undici";
import { expect, it } from "vitest";

import { RequestBytes } from "./request-bytes.ts";

it("gives a short request to the client whole", () => {
  const bytes = Buffer.from('{"model":"m"}');
  expect(RequestBytes.of([bytes])).toBe(bytes);
  expect(RequestBytes.of([Buffer.from("{"), Buffer.from("}")])).toEqual(Buffer.from("{}"));
});

it("sends a long one byte for byte, with its length, as often as it is asked for, and whole when it is released on the way", async () => {
  const parts = [Buffer.alloc(3_000_000, "long "), Buffer.from("…"), Buffer.alloc(90_000, "x")];
  const sent = RequestBytes.of(parts);
  if (!(sent instanceof RequestBytes)) throw new Error("A long request is not given whole.");
  const received: { body: Buffer; length: string | undefined }[] = [];
  const readBody = async (request: IncomingMessage): Promise<Buffer> => {
    const pieces: Buffer[] = [];
    for await (const piece of request) {
      pieces.push(piece as Buffer);
      if (received.length === 1) sent.release();
    }
    return Buffer.concat(pieces);
  };
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      received.push({ body, length: request.headers["content-length"] });
      response.end();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  // A server that listens on a port has such an address.
  const { port } = server.address() as AddressInfo;
  const pool = new Pool(`http://127.0.0.1:${port}`);
  try {
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const headers = ["content-length", String(sent.length)];
      // As in the request to a provider: the types do not know iterables.
      const body = sent as unknown as Buffer;
      const reply = await pool.request({ path: "/", method: "POST", headers, body });
      await reply.body.dump();
    }
  } finally {
    await pool.close();
    server.close();
  }
  const whole = Buffer.concat(parts);
  expect(received.map(({ length }) => length)).toEqual(Array(2).fill(String(whole.length)));
  for (const { body } of received) expect(body.equals(whole)).toBe(true);
  expect([...sent]).toEqual([]);
});
