import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";

import { describe, expect, it } from "vitest";

import { FramedResponse } from "./framed-response.ts";

/** The raw reply of a server that answers every request so. */
async function replyOf(
  head: string,
  answer: (response: FramedResponse) => void,
): Promise<{ readonly head: string; readonly body: string }> {
  const server = createServer((_request, response) => answer(new FramedResponse(response)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A server that listens on a port has such an address.
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const parts: Buffer[] = [];
  socket.on("data", (part) => parts.push(part));
  socket.write(head);
  await once(socket, "close");
  server.close();
  const reply = Buffer.concat(parts).toString("latin1");
  const bodyAt = reply.indexOf("\r\n\r\n") + 4;
  return { head: reply.slice(0, bodyAt).toLowerCase(), body: reply.slice(bodyAt) };
}

const newer = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
const older = "GET / HTTP/1.0\r\n\r\n";

describe("a response that frames its chunks", () => {
  it("writes each part as a chunk of its length, whatever that is, and the last one at its end", async () => {
    const lengths = [1, 15, 16, 255, 256, 4_095, 4_096, 4_097, 65_536, 100_000];
    const { head, body } = await replyOf(newer, (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const length of lengths) response.write(Buffer.alloc(length, "a"));
      response.end();
    });
    expect(head).toContain("transfer-encoding: chunked");
    const chunks = lengths.map((length) => `${length.toString(16)}\r\n${"a".repeat(length)}\r\n`);
    expect(body).toBe(`${chunks.join("")}0\r\n\r\n`);
  });

  it("writes parts in their order, those that come together and those that come later", async () => {
    const { body } = await replyOf(newer, (response) => {
      response.writeHead(200, {});
      response.write("a");
      response.write("b");
      setImmediate(() => {
        for (const length of [4_096, 4_096, 4_096, 4_096, 5_000, 1]) {
          response.write(Buffer.alloc(length, "c"));
        }
        setImmediate(() => {
          response.write("d");
          response.end("e");
        });
      });
    });
    const part = `1000\r\n${"c".repeat(4_096)}\r\n`;
    const long = `1388\r\n${"c".repeat(5_000)}\r\n`;
    expect(body).toBe(
      `1\r\na\r\n1\r\nb\r\n${part.repeat(4)}${long}1\r\nc\r\n1\r\nd\r\n1\r\ne\r\n0\r\n\r\n`,
    );
  });

  it("asks to wait once its caller takes no more, and tells when it does again", async () => {
    const drained = Promise.withResolvers<number>();
    const server = createServer((_request, bare) => {
      const response = new FramedResponse(bare);
      response.writeHead(200, {});
      let count = 0;
      const writeOn = (): void => {
        count += 1;
        if (response.write(Buffer.alloc(1_000, "a"))) setImmediate(writeOn);
        else {
          response.once("drain", () => drained.resolve(count));
          socket.resume();
        }
      };
      writeOn();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    // A server that listens on a port has such an address.
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    socket.pause();
    socket.write(newer);
    expect(await drained.promise).toBeGreaterThan(1);
    socket.destroy();
    await once(server.close(), "close");
  });

  it("takes texts, and a part with its end; an empty part ends nothing", async () => {
    const { body } = await replyOf(newer, (response) => {
      response.writeHead(200, {});
      expect(response.write("")).toBe(true);
      response.write("é");
      response.end("end");
    });
    expect(body).toBe("2\r\n\u00c3\u00a9\r\n3\r\nend\r\n0\r\n\r\n");
  });

  it("leaves a body of a known length, and one for HTTP/1.0, without frames", async () => {
    const known = await replyOf(newer, (response) => {
      response.writeHead(200, { "content-length": 6 });
      response.write("abc");
      response.end("def");
    });
    expect([known.head.includes("chunked"), known.body]).toEqual([false, "abcdef"]);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const whole = await replyOf(newer, (response) => {
      response.writeHead(200, { "content-length": 256 });
      response.end(bytes);
    });
    expect(whole.body).toBe(bytes.toString("latin1"));
    const old = await replyOf(older, (response) => {
      response.writeHead(200, {});
      response.write("abc");
      response.end("def");
    });
    expect([old.head.includes("chunked"), old.body]).toEqual([false, "abcdef"]);
  });
});
