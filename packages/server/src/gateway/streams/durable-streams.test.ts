/** The life of durable streams through real worker processes: readers, callers that leave, stops, crashes, restarts. */

import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import path from "node:path";

import { formatKey, type TenantId } from "@faultline/protocol";
import type { Span } from "@faultline/contracts/model";
import { seededRandom } from "#kernel/index.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { exchange, openSocket, parseReply, type RawReply, readAll } from "../test/raw-client.ts";
import {
  keyRow,
  openTestGateway,
  openTestServer,
  providerAt,
  simulatedProvider,
  type TestGateway,
  type TestServer,
  testSecret,
} from "../test/test-gateway.ts";
import { readEvents, readStream, streamIdOf } from "./test-client.ts";

const random = seededRandom("durable streams");
const otherSecret = formatKey("other" as TenantId, (bound) => random.integer(bound));
const otherKey = keyRow(otherSecret, { tenantId: "other" as TenantId });

const bodyFor = (model: string): string =>
  JSON.stringify({ model, stream: true, messages: [{ role: "user", content: "x" }] });
const headFor = (simulate: string): string[] => [
  "POST /v1/chat/completions HTTP/1.1",
  `authorization: Bearer ${testSecret}`,
  "x-faultline-stream: durable",
  `x-faultline-simulate: ${simulate}`,
];

async function callWhole(world: TestGateway, simulate = ""): Promise<RawReply> {
  return exchange(world.gateway.port, headFor(simulate), bodyFor("simulated"));
}

/** Begins a stream and gives its connection once an event has come. */
async function begin(
  world: TestGateway,
  { simulate = "", model = "simulated" }: { simulate?: string; model?: string },
): Promise<{ socket: Socket; id: string; got: () => Buffer; rest: Promise<Buffer> }> {
  const body = bodyFor(model);
  const socket = await openSocket(world.gateway.port);
  socket.write(
    `${[...headFor(simulate), "host: gateway", `content-length: ${body.length}`].join("\r\n")}\r\n\r\n${body}`,
  );
  const parts: Buffer[] = [];
  socket.on("data", (part: Buffer) => parts.push(part));
  const got = (): Buffer => Buffer.concat(parts);
  const rest = readAll(socket);
  while (!/\nid: 1-2\n/.test(got().toString())) await once(socket, "data");
  return { socket, got, rest, id: streamIdOf({ head: got().toString() }) };
}

/** Where in the gateway the stream of this id is. */
function ownerOf(id: string): number {
  return Number(/^str_(\d+)_/.exec(id)?.[1]);
}

const errorOf = (reply: RawReply): unknown =>
  (JSON.parse(reply.body.toString()) as { error: { code: unknown } }).error.code;

async function cancel(world: TestGateway, id: string, secret = testSecret): Promise<RawReply> {
  return exchange(world.gateway.port, [
    `POST /v1/streams/${id}/cancel HTTP/1.1`,
    `authorization: Bearer ${secret}`,
  ]);
}

async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp("/tmp/faultline-streams-");
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

describe.each([1, 3])("a durable stream of one of %i workers", (count) => {
  let world: TestGateway;
  let upstream: TestServer;
  let answer: (response: ServerResponse) => void;

  beforeAll(async () => {
    upstream = await openTestServer((request, response) => {
      request.resume();
      answer(response);
    });
    world = await openTestGateway({
      count,
      providers: [simulatedProvider, providerAt(upstream.port)],
      keys: [keyRow(testSecret), otherKey],
    });
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  async function spanOf(head: string): Promise<Span> {
    const operation = /^x-faultline-operation-id: (\S+)$/im.exec(head)?.[1];
    return await world.spanWhere(
      ({ attributes }) => attributes["faultline.operation.id"] === operation,
    );
  }

  it("goes on when its caller leaves, for several readers at once, with the same bytes for all", async () => {
    let proceed: () => void = () => {};
    answer = (response) => {
      void answerStepwise(response, (next) => {
        proceed = next;
      });
    };
    const first = await begin(world, { model: "model-a" });
    first.socket.destroy();
    const whole = readStream(world, first.id);
    const later = readStream(world, first.id, { lastEventId: "1-2" });
    // Both are reading along before the rest is made.
    await until(async () => (await world.gateway.metrics()).includes("stream_readers 2"));
    proceed();
    const [all, rest, again] = await Promise.all([
      whole,
      later,
      whole.then(() => readStream(world, first.id)),
    ]);
    expect([all.whole, rest.whole]).toEqual([true, true]);
    expect(readEvents(all.body).map(({ id }) => id)).toEqual(["1-1", "1-2", "1-3", "1-4"]);
    const second = readEvents(all.body)[1]?.end ?? 0;
    expect(rest.body.equals(all.body.subarray(second))).toBe(true);
    expect(again.body.equals(all.body)).toBe(true);
    expect(all.body.toString()).toContain("data: [DONE]");
    const span = await spanOf(all.head);
    expect(span.attributes["faultline.operation.outcome"]).toBe("completed");
  });

  it("that has said all is no longer stopped", async () => {
    answer = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const events = ["a", "b"].map(
        (content) =>
          `data: ${JSON.stringify({ id: "c", choices: [{ index: 0, delta: { content } }] })}\n\n`,
      );
      // The provider does not close.
      response.write(`${events.join("")}data: [DONE]\n\n`);
    };
    const { id, socket } = await begin(world, { model: "model-a" });
    const stopped = await cancel(world, id);
    expect([stopped.status, errorOf(stopped)]).toEqual([409, "conflict"]);
    socket.destroy();
    const reply = await readStream(world, id);
    expect([reply.whole, reply.body.includes("[DONE]")]).toEqual([true, true]);
  });

  it("is stopped by its own endpoint alone, by its tenant alone, and once", async () => {
    const closed = Promise.withResolvers<void>();
    answer = (response) => {
      void answerStepwise(response, () => {});
      response.on("close", closed.resolve);
    };
    const { id, rest } = await begin(world, { model: "model-a" });
    const foreign = [
      await cancel(world, id, otherSecret),
      await readStream(world, id, { secret: otherSecret }),
      await cancel(world, `${id.slice(0, -1)}x`),
      await readStream(world, "str_99_00000000000000000000000000000000"),
    ];
    expect(foreign.map((reply) => [reply.status, errorOf(reply)])).toEqual(
      Array.from({ length: 4 }, () => [404, "not_found"]),
    );
    const stopped = await cancel(world, id);
    expect([stopped.status, JSON.parse(stopped.body.toString())]).toEqual([
      200,
      { id, object: "stream", status: "cancelled" },
    ]);
    await closed.promise;
    const reply = parseReply(await rest);
    expect([reply.whole, reply.body.includes("[DONE]")]).toEqual([false, false]);
    expect(reply.body.toString()).toContain('"code":"stream_cancelled"');
    const again = await readStream(world, id);
    expect([again.whole, again.body.equals(reply.body)]).toEqual([false, true]);
    expect([(await cancel(world, id)).status]).toEqual([409]);
    const span = await spanOf(reply.head);
    expect(span.attributes["faultline.operation.outcome"]).toBe("cancelled");
  });

  it("whose process is killed gives what was received, then says that the rest is lost", async () => {
    const { id, got, rest } = await begin(world, { simulate: "tokens=400,pace=10ms" });
    const follower = readStream(world, id);
    await until(async () => (await world.gateway.metrics()).includes("stream_readers 2"));
    process.kill(world.gateway.workerIds[ownerOf(id)] ?? 0, "SIGKILL");
    await rest;
    const seen = parseReply(got());
    const along = await follower;
    expect([seen.whole, along.whole]).toEqual([false, false]);
    const seenIds = readEvents(seen.body).map((event) => event.id);
    // The place of the dead process is taken by another one, for which readers wait.
    const back = await until(async () => {
      // A lone process leaves nobody on the port.
      const reply = await readStream(world, id).catch(() => undefined);
      return reply?.status === 200 ? reply : undefined;
    });
    expect(back.whole).toBe(false);
    expect(back.body.toString()).not.toContain("[DONE]");
    const events = readEvents(back.body);
    const last = events.at(-1);
    expect(last?.id).toBe(`2-${events.length}`);
    expect(last?.data).toContain('"code":"stream_interrupted"');
    // Whoever read along has seen nothing that was lost.
    expect(
      back.body
        .toString()
        .startsWith(along.body.toString("utf8", 0, readEvents(along.body).at(-1)?.end)),
    ).toBe(true);
    // The caller may have seen more than was durable, and is then told the end alone.
    const resumed = await readStream(world, id, { lastEventId: seenIds.at(-1) });
    const known = Math.min(seenIds.length, events.length - 1);
    expect(readEvents(resumed.body).map((event) => event.id)).toEqual(
      events.slice(known).map((event) => event.id),
    );
    expect((await readStream(world, id, { lastEventId: last?.id })).status).toBe(204);
  });

  it("is whole after a restart, with another number of workers too", async () => {
    await using folder = await temporaryFolder();
    const old = await openTestGateway({ count, drainMs: 200, journalFolder: folder.path });
    const whole = await callWhole(old, "tokens=9");
    const { id, rest } = await begin(old, { simulate: "stall-after=4" });
    await old[Symbol.asyncDispose]();
    const cut = parseReply(await rest);
    expect(cut.body.toString()).toContain('"code":"shutting_down"');
    await using next = await openTestGateway({
      count: count === 1 ? 2 : 1,
      journalFolder: folder.path,
    });
    const again = await readStream(next, streamIdOf(whole));
    expect([again.whole, again.body.equals(whole.body)]).toEqual([true, true]);
    const ended = await readStream(next, id);
    expect([ended.whole, ended.body.equals(cut.body)]).toEqual([false, true]);
  });
});

describe("what asks for a durable stream", () => {
  it("is refused while there is no room, and nothing else is", async () => {
    await using world = await openTestGateway({ settings: { streamBytesMax: 1 } });
    const refused = await callWhole(world);
    expect([refused.status, errorOf(refused)]).toEqual([507, "storage_full"]);
    const [, key = "", , simulate = ""] = headFor("");
    const head = ["POST /v1/chat/completions HTTP/1.1", key, simulate];
    expect((await exchange(world.gateway.port, head, bodyFor("simulated"))).status).toBe(200);
  });

  it("is refused without a journal, which readiness, metrics and the log say, and nothing else is", async () => {
    const journalFolder = await mkdtemp("/tmp/faultline-broken-");
    // No folder can be made where a file is.
    for (const journal of ["streams/0", "idempotency/0"]) {
      await mkdir(path.dirname(path.join(journalFolder, journal)), { recursive: true });
      await writeFile(path.join(journalFolder, journal), "");
    }
    await using world = await openTestGateway({ journalFolder });
    const refused = await callWhole(world);
    expect([refused.status, errorOf(refused)]).toEqual([503, "journal_unavailable"]);
    const { gateway } = world;
    while (gateway.failedJournalCount < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    const own = await exchange(gateway.port, ["GET /readyz/gateway HTTP/1.1"]);
    // A balancer must go on sending it what needs no journal.
    expect([own.status, JSON.parse(own.body.toString())]).toMatchObject([
      200,
      { ready: true, failedJournals: 2 },
    ]);
    expect(await gateway.metrics()).toContain("faultline_gateway_journals_failed 2\n");
    expect(world.logs.join("\n")).toMatch(/journals take no records until .*ENOTDIR|EEXIST/);
    const [, key = ""] = headFor("");
    const head = ["POST /v1/chat/completions HTTP/1.1", key];
    expect((await exchange(gateway.port, head, bodyFor("simulated"))).status).toBe(200);
    await rm(journalFolder, { recursive: true });
  });

  it("gets errors as they are, and plain replies without an id", async () => {
    await using world = await openTestGateway();
    const failed = await callWhole(world, "error=500");
    expect([failed.status, streamIdOf(failed), failed.whole]).toEqual([500, "", true]);
    const plain = await exchange(
      world.gateway.port,
      headFor(""),
      bodyFor("simulated").replace("true", "false"),
    );
    expect([plain.status, streamIdOf(plain)]).toEqual([200, ""]);
    const [request = "", key = ""] = headFor("");
    const head = [request, key, "x-faultline-stream: forever"];
    const misspelled = await exchange(world.gateway.port, head, bodyFor("simulated"));
    expect([misspelled.status, errorOf(misspelled)]).toEqual([400, "request_invalid"]);
  });

  it("comes back with an id of the stream, or is told", async () => {
    await using world = await openTestGateway();
    const whole = await callWhole(world, "tokens=3");
    const wrong = ["1-999", "2-1", "1-0", "x", "1-1, 1-2"].map(async (lastEventId) => {
      const reply = await readStream(world, streamIdOf(whole), { lastEventId });
      return [reply.status, errorOf(reply)];
    });
    expect(await Promise.all(wrong)).toEqual(wrong.map(() => [400, "request_invalid"]));
    const path = `/v1/streams/${streamIdOf(whole)}`;
    const key = `authorization: Bearer ${testSecret}`;
    const posted = await exchange(world.gateway.port, [`POST ${path} HTTP/1.1`, key]);
    expect([posted.status, /^allow: GET$/im.test(posted.head)]).toEqual([405, true]);
    expect((await exchange(world.gateway.port, [`GET ${path} HTTP/1.1`])).status).toBe(401);
  });
});

/** Sends two events, and the rest when it is told to. */
async function answerStepwise(
  response: ServerResponse,
  onWaiting: (proceed: () => void) => void,
): Promise<void> {
  const delta = (content: string): string =>
    `data: {"id":"c","choices":[{"index":0,"delta":{"content":"${content}"}}]}\n\n`;
  const proceeded = Promise.withResolvers<void>();
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(delta("a") + delta("b"));
  onWaiting(proceeded.resolve);
  await proceeded.promise;
  response.end(`${delta("c")}data: [DONE]\n\n`);
}

async function until<Result>(find: () => Promise<Result | undefined | false>): Promise<Result> {
  for (;;) {
    const found = await find();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
