/** What is not the gateway's goes to the control process: here a real HTTP server on the socket. */

import { once } from "node:events";
import { rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { exchange, openSocket, readAll } from "../test/raw-client.ts";
import {
  openTestGateway,
  openTestServer,
  type TestGateway,
  type TestServer,
  testSecret,
} from "../test/test-gateway.ts";

describe("a path that is not the gateway's", () => {
  let world: TestGateway;
  let control: TestServer;
  let latest: IncomingMessage | undefined;
  const seen: string[] = [];

  beforeAll(async () => {
    world = await openTestGateway();
    control = await openControl(world.controlSocketPath);
  });
  afterAll(async () => {
    await control[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  async function openControl(socketPath: string): Promise<TestServer> {
    const opened = await openTestServer((request, response) => {
      latest = request;
      seen.push(`${request.method} ${request.url}`);
      if (request.url === "/break") {
        response.writeHead(200, { "content-type": "text/plain" });
        response.write("half", () => response.destroy());
        return;
      }
      response.writeHead(
        207,
        "Partly",
        [
          ["x-one", "1"],
          ["set-cookie", "a=1"],
          ["set-cookie", "b=2"],
          ["connection", "x-private"],
          ["x-private", "no"],
        ].flat(),
      );
      request.pipe(response);
    }, socketPath);
    opened.server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      latest = request;
      if (request.url === "/refused") {
        socket.write(
          "HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\nno",
        );
        // What came behind the request, as a server that did not upgrade would read it.
        socket.on("data", (data: Buffer) => seen.push(String(data)));
        return;
      }
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\n",
      );
      socket.write(head);
      socket.pipe(socket);
    });
    return opened;
  }

  it("is piped with method, query, headers and body, and so is its reply", async () => {
    const reply = await exchange(
      world.gateway.port,
      [
        "PUT /api/things?x=%20y HTTP/1.1",
        "cookie: s=1",
        "X-Custom: Kept",
        "te: trailers",
        "proxy-authorization: x",
      ],
      "the body",
    );
    expect(reply.status).toBe(207);
    expect(reply.head).toMatch(
      /^HTTP\/1\.1 207 Partly\r\nx-one: 1\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n/,
    );
    expect(reply.head).not.toContain("x-private");
    expect(reply.body.toString()).toBe("the body");
    expect([latest?.method, latest?.url]).toEqual(["PUT", "/api/things?x=%20y"]);
    expect(latest?.rawHeaders).toContain("X-Custom");
    expect(latest?.headers).toMatchObject({
      cookie: "s=1",
      host: "gateway",
      "content-length": "8",
    });
    expect(latest?.headers["te"]).toBeUndefined();
    expect(latest?.headers["proxy-authorization"]).toBeUndefined();
  });

  it("carries the caller's address as Faultline sees it, never as the caller says", async () => {
    await exchange(world.gateway.port, [
      "GET / HTTP/1.1",
      "X-Forwarded-For: 6.6.6.6",
      "x-forwarded-proto: https",
      "X-Forwarded-User: root",
      "Forwarded: for=6.6.6.6",
      "x-real-ip: 6.6.6.6",
    ]);
    const forwarded = Object.entries(latest?.headers ?? {}).filter(([name]) =>
      /forwarded|real-ip/.test(name),
    );
    expect(Object.fromEntries(forwarded)).toEqual({
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-host": "gateway",
      "x-forwarded-proto": "http",
    });
  });

  it("passes bodies of any size in both directions without holding them", async () => {
    const body = Buffer.alloc(20_000_000, "ab");
    const reply = await exchange(world.gateway.port, ["POST /v1/traces HTTP/1.1"], body);
    expect(reply.body.equals(body)).toBe(true);
    expect(reply.whole).toBe(true);
  });

  it("takes a connection of its own to the control process, so that none closes when it is used again", async () => {
    let connectionCount = 0;
    const count = (): void => void (connectionCount += 1);
    control.server.on("connection", count);
    for (let index = 0; index < 3; index += 1)
      await exchange(world.gateway.port, ["GET / HTTP/1.1"]);
    control.server.off("connection", count);
    expect(connectionCount).toBe(3);
  });

  it("passes a body that comes in chunks", async () => {
    const socket = await openSocket(world.gateway.port);
    socket.write(
      "POST /x HTTP/1.1\r\nhost: h\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    );
    expect((await readAll(socket)).toString()).toContain("abc");
    expect(latest?.headers["transfer-encoding"]).toBe("chunked");
  });

  it("breaks the caller's connection when the reply breaks", async () => {
    const reply = await exchange(world.gateway.port, ["GET /break HTTP/1.1"]);
    expect([reply.status, reply.body.toString(), reply.whole]).toEqual([200, "half", false]);
  });

  it("may be upgraded, and then flows in both directions", async () => {
    const socket = await openSocket(world.gateway.port);
    socket.write(
      "GET /ws?room=1 HTTP/1.1\r\nhost: h\r\nconnection: keep-alive, Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: k\r\nx-forwarded-for: 6.6.6.6\r\n\r\nearly",
    );
    let text = "";
    while (!text.endsWith("early")) text += String((await once(socket, "data"))[0]);
    expect(text).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    expect(latest?.url).toBe("/ws?room=1");
    expect(latest?.headers).toMatchObject({
      upgrade: "websocket",
      connection: "Upgrade",
      "sec-websocket-key": "k",
      "x-forwarded-for": "127.0.0.1",
    });
    const echoed = once(socket, "data");
    socket.write("later");
    expect(String((await echoed)[0])).toBe("later");
    socket.end();
    await once(socket, "close");
  });

  it("is tunnelled only after an upgrade: behind any other answer nothing more is passed", async () => {
    seen.length = 0;
    const socket = await openSocket(world.gateway.port);
    const smuggled = "GET /api/keys HTTP/1.1\r\nhost: h\r\nx-forwarded-for: 6.6.6.6\r\n\r\n";
    socket.write(
      `GET /refused HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n${smuggled}`,
    );
    socket.once("data", () => socket.write(smuggled));
    const text = (await readAll(socket)).toString();
    expect(text).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    expect(text).toMatch(/connection: close\r\n\r\nno$/);
    expect(seen).toEqual([]);
  });

  it.each(["h2c", "TLS/1.3", "websocket, h2c"])(
    "is answered in HTTP/1.1 when the caller offers %s, and so is a model call",
    async (offer) => {
      seen.length = 0;
      const offered = `connection: Upgrade, HTTP2-Settings\r\nupgrade: ${offer}\r\nHTTP2-Settings: AAMAAABk`;
      const head = (line: string): string =>
        `${line} HTTP/1.1\r\nhost: h\r\nauthorization: Bearer ${testSecret}\r\n`;
      const body = '{"model":"simulated","messages":[{"role":"user","content":"x"}]}';
      const socket = await openSocket(world.gateway.port);
      // One connection for all: none of them ends it.
      let text = "";
      socket.on("data", (data: Buffer) => (text += String(data)));
      const requests = [
        `${head("GET /v1/models")}${offered}\r\n\r\n`,
        `${head("POST /v1/chat/completions")}${offered}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
        `${head("GET /api/things")}${offered}\r\n\r\n`,
      ];
      for (const [index, request] of requests.entries()) {
        socket.write(request);
        while (text.split("HTTP/1.1 ").length < index + 2) await once(socket, "data");
      }
      socket.end(`${head("GET /livez")}connection: close\r\n\r\n`);
      await once(socket, "close");
      expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
        "200",
        "200",
        "207",
        "200",
      ]);
      expect(text).toContain('"object":"chat.completion"');
      expect(seen).toEqual(["GET /api/things"]);
      expect(latest?.headers["upgrade"]).toBeUndefined();
    },
  );

  it.each(["content-length", "Content-Length, host", "transfer-encoding"])(
    "keeps its framing, although it names %s as headers of the connection",
    async (named) => {
      seen.length = 0;
      const body = "GET /smuggled HTTP/1.1\r\nhost: h\r\n\r\n";
      for (const method of ["GET", "DELETE", "POST"]) {
        const socket = await openSocket(world.gateway.port);
        socket.write(
          `${method} /framed HTTP/1.1\r\nhost: h\r\nconnection: ${named}, close\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
        );
        expect((await readAll(socket)).toString()).toContain(" 207 ");
        expect(latest?.headers).toMatchObject({
          host: "h",
          "content-length": String(body.length),
        });
      }
      expect(seen).toEqual(["GET /framed", "DELETE /framed", "POST /framed"]);
    },
  );

  it("leaves model calls alone", async () => {
    latest = undefined;
    const reply = await exchange(
      world.gateway.port,
      ["POST /v1/chat/completions?x=1 HTTP/1.1", `authorization: Bearer ${testSecret}`],
      '{"model":"simulated","messages":[{"role":"user","content":"x"}]}',
    );
    expect(reply.status).toBe(200);
    expect((await exchange(world.gateway.port, ["GET /livez HTTP/1.1"])).body.toString()).toBe(
      "ok\n",
    );
    expect(
      JSON.parse(
        (await exchange(world.gateway.port, ["GET /readyz/gateway HTTP/1.1"])).body.toString(),
      ),
    ).toMatchObject({ ready: true, snapshotVersion: 1 });
    const wrong = await exchange(world.gateway.port, ["GET /v1/chat/completions HTTP/1.1"]);
    expect([wrong.status, /^allow: POST$/im.test(wrong.head)]).toEqual([405, true]);
    expect(latest).toBeUndefined();
  });

  it("is a 503 while the control process is away, and model calls go on", async () => {
    await using away = await openTestGateway();
    const reply = await exchange(
      away.gateway.port,
      ["POST /api/cases HTTP/1.1"],
      "x".repeat(100_000),
    );
    expect(reply.status).toBe(503);
    expect(JSON.parse(reply.body.toString())).toMatchObject({
      error: { code: "control_unavailable", retryable: true },
    });
    const socket = await openSocket(away.gateway.port);
    socket.write(
      "GET /ws HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    );
    expect((await readAll(socket)).toString()).toContain("control_unavailable");
    const call = await exchange(
      away.gateway.port,
      ["POST /v1/chat/completions HTTP/1.1", `authorization: Bearer ${testSecret}`],
      '{"model":"simulated","messages":[{"role":"user","content":"x"}]}',
    );
    expect(call.status).toBe(200);
    // When it comes back on the same path, it is found.
    await rm(away.controlSocketPath, { force: true });
    await using _back = await openControl(away.controlSocketPath);
    expect((await exchange(away.gateway.port, ["GET / HTTP/1.1"])).status).toBe(207);
  });
});
