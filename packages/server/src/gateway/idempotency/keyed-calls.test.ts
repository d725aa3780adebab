/** Calls with an `Idempotency-Key` through real worker processes. */

import { mkdtemp, rm } from "node:fs/promises";
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";

import { seededRandom, systemClock } from "#kernel/index.ts";
import { formatKey, type KeyId, type TenantId } from "@faultline/protocol";
import { until } from "@faultline/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { exchange, openSocket, type RawReply } from "../test/raw-client.ts";
import {
  keyRow,
  openTestGateway,
  openTestServer,
  providerAt,
  type TestGateway,
  type TestServer,
  testSecret,
  testTenant,
} from "../test/test-gateway.ts";
import { DurableStreams, type DurableStreamsOptions } from "../streams/durable-streams.ts";
import { KeyedCalls } from "./keyed-calls.ts";
import { journalOfKey, readKeyHash } from "./keyed-request.ts";

const random = seededRandom("keyed calls");
const otherTenant = "other" as TenantId;
const otherSecret = formatKey(otherTenant, (bound) => random.integer(bound));

/** Two more keys of the same tenant: one that may ask for less, and one that may ask for as much. */
const narrowSecret = formatKey(testTenant, (bound) => random.integer(bound));
const rotatedSecret = formatKey(testTenant, (bound) => random.integer(bound));
const keyIdOf = (number: number): KeyId => `00000000-0000-7000-8000-00000000000${number}` as KeyId;

const plainReply = JSON.stringify({
  id: "c",
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 3, completion_tokens: 1 },
});
const delta = (content: string): string =>
  `data: {"id":"c","choices":[{"index":0,"delta":{"content":"${content}"}}]}\n\n`;
const streamReply = `${delta("a")}${delta("b")}data: [DONE]\n\n`;

interface Call {
  readonly key: string;
  readonly content?: string;
  readonly stream?: boolean;
  readonly secret?: string;
  readonly durable?: boolean;
}

function headOf({ key, secret = testSecret, durable = false }: Call): string[] {
  return [
    "POST /v1/chat/completions HTTP/1.1",
    `authorization: Bearer ${secret}`,
    `idempotency-key: ${key}`,
    ...(durable ? ["x-faultline-stream: durable"] : []),
  ];
}

const bodyOf = ({ content = "x", stream = false }: Call): string =>
  JSON.stringify({ model: "model-a", stream, messages: [{ role: "user", content }] });

async function send(world: TestGateway, call: Call): Promise<RawReply> {
  return exchange(world.gateway.port, headOf(call), bodyOf(call));
}

const wordOf = ({ head }: RawReply): string | undefined =>
  /^x-faultline-idempotency: (\w+)$/im.exec(head)?.[1];
const errorOf = (reply: RawReply): unknown =>
  (JSON.parse(reply.body.toString()) as { error: { code: unknown } }).error.code;

describe.each([1, 3])("a call with a key, with %i workers", (count) => {
  let upstream: TestServer;
  let world: TestGateway;
  let callCount = 0;
  let answer: (response: ServerResponse, request: IncomingMessage) => void;

  beforeEach(() => {
    callCount = 0;
  });
  beforeAll(async () => {
    upstream = await openTestServer((request, response) => {
      request.resume();
      request.on("end", () => {
        callCount += 1;
        answer(response, request);
      });
    });
    world = await openTestGateway({
      count,
      providers: [providerAt(upstream.port)],
      keys: [
        keyRow(testSecret),
        keyRow(otherSecret, { tenantId: otherTenant }),
        keyRow(narrowSecret, { id: keyIdOf(2), terms: { models: ["other-model"] } }),
        keyRow(rotatedSecret, { id: keyIdOf(3) }),
      ],
    });
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  async function attachedCount(): Promise<number> {
    const text = await world.gateway.metrics();
    return Number(/idempotency_total\{outcome="attached"\} (\d+)/.exec(text)?.[1]);
  }

  const answerPlainly = (response: ServerResponse): void => {
    response.writeHead(200, { "content-type": "application/json", "x-request-id": "up-1" });
    response.end(plainReply);
  };
  const answerStreamed = (response: ServerResponse): void => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(streamReply);
  };

  it.each([false, true])("is made once however often it comes, stream: %s", async (stream) => {
    const held: ServerResponse[] = [];
    const before = await attachedCount();
    const key = `once-${stream}`;
    answer = (response) => held.push(response);
    const replies = Array.from({ length: 12 }, async () => await send(world, { key, stream }));
    await until(async () => (await attachedCount()) === before + 11);
    await until(() => held.length > 0);
    for (const response of held) (stream ? answerStreamed : answerPlainly)(response);
    const all = [...(await Promise.all(replies)), await send(world, { key, stream })];
    expect(callCount).toBe(1);
    const expected = stream ? streamReply : plainReply;
    expect(new Set(all.map(({ body }) => body.toString()))).toEqual(new Set([expected]));
    expect(new Set(all.map(({ status, whole }) => `${status} ${whole}`))).toEqual(
      new Set(["200 true"]),
    );
    const words = Object.groupBy(all.map(wordOf), (word) => word ?? "");
    expect(Object.entries(words).map(([word, same]) => [word, same?.length])).toEqual(
      expect.arrayContaining([
        ["executed", 1],
        ["attached", 11],
        ["replayed", 1],
      ]),
    );
    const operations = all.map(({ head }) => /^x-faultline-operation-id: (.*)$/im.exec(head)?.[1]);
    expect(new Set(operations).size).toBe(1);
  });

  it("belongs to its tenant, its method, its path and its body", async () => {
    answer = answerPlainly;
    expect(wordOf(await send(world, { key: "k2" }))).toBe("executed");
    expect(wordOf(await send(world, { key: "k2", secret: otherSecret }))).toBe("executed");
    const otherBody = await send(world, { key: "k2", content: "y" });
    expect([otherBody.status, errorOf(otherBody)]).toEqual([409, "idempotency_mismatch"]);
    const head = headOf({ key: "k2" });
    head[0] = "POST /v1/completions HTTP/1.1";
    const otherPath = await exchange(world.gateway.port, head, bodyOf({ key: "k2" }));
    expect([otherPath.status, errorOf(otherPath)]).toEqual([409, "idempotency_mismatch"]);
    const otherHeader = [...headOf({ key: "k2" }), "openai-beta: assistants=v2"];
    const beta = await exchange(world.gateway.port, otherHeader, bodyOf({ key: "k2" }));
    expect([beta.status, errorOf(beta)]).toEqual([409, "idempotency_mismatch"]);
    expect(callCount).toBe(2);
  });

  it("is never shown to a key of its tenant that could not have made it, and is to one that could", async () => {
    answer = answerPlainly;
    expect(wordOf(await send(world, { key: "k4" }))).toBe("executed");
    const narrow = await send(world, { key: "k4", secret: narrowSecret });
    expect([narrow.status, errorOf(narrow)]).toEqual([409, "idempotency_mismatch"]);
    expect(wordOf(await send(world, { key: "k4", secret: rotatedSecret }))).toBe("replayed");
    expect(callCount).toBe(1);
  });

  it("keeps the final errors of a provider, and is free again after passing ones", async () => {
    const fail = (status: number) => (response: ServerResponse) => {
      response.writeHead(status, { "content-type": "application/json", "retry-after": "1" });
      response.end('{"error":{"message":"no","type":"x"}}');
    };
    answer = fail(400);
    expect((await send(world, { key: "final" })).status).toBe(400);
    answer = answerPlainly;
    const replayed = await send(world, { key: "final" });
    expect([replayed.status, wordOf(replayed)]).toEqual([400, "replayed"]);
    for (const status of [429, 500, 503]) {
      answer = fail(status);
      expect((await send(world, { key: `passing-${status}` })).status).toBe(status);
      answer = answerPlainly;
      const again = await send(world, { key: `passing-${status}` });
      expect([again.status, wordOf(again)]).toEqual([200, "executed"]);
    }
    answer = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(delta("a"), () => response.destroy());
    };
    const cut = await send(world, { key: "cut", stream: true });
    expect([cut.status, cut.whole]).toEqual([200, false]);
    answer = answerStreamed;
    expect(wordOf(await send(world, { key: "cut", stream: true }))).toBe("executed");
    const invalid = await exchange(world.gateway.port, headOf({ key: "invalid" }), "{}");
    expect(invalid.status).toBe(400);
    expect(wordOf(await send(world, { key: "invalid", stream: true }))).toBe("executed");
  });

  it("goes on when its caller leaves, who gets its reply on coming back", async () => {
    const arrived = Promise.withResolvers<ServerResponse>();
    answer = (response) => arrived.resolve(response);
    const socket = await openSocket(world.gateway.port);
    const call = { key: "leaves" };
    const body = bodyOf(call);
    socket.write(
      `${[...headOf(call), "host: h", `content-length: ${body.length}`].join("\r\n")}\r\n\r\n${body}`,
    );
    const response = await arrived.promise;
    socket.destroy();
    const before = await attachedCount();
    const again = send(world, call);
    await until(async () => (await attachedCount()) === before + 1);
    answerPlainly(response);
    expect((await again).body.toString()).toBe(plainReply);
    expect(callCount).toBe(1);
  });

  it("may be a durable stream as well", async () => {
    answer = answerStreamed;
    const call = { key: "durable", stream: true, durable: true };
    const first = await send(world, call);
    const again = await send(world, call);
    expect([wordOf(first), wordOf(again)]).toEqual(["executed", "replayed"]);
    expect(again.body.equals(first.body)).toBe(true);
    const id = /^x-faultline-stream-id: (\S+)$/im.exec(first.head)?.[1] ?? "";
    const rest = await exchange(world.gateway.port, [
      `GET /v1/streams/${id} HTTP/1.1`,
      `authorization: Bearer ${testSecret}`,
      "last-event-id: 1-1",
    ]);
    expect(rest.body.toString()).toBe(first.body.toString().slice(first.body.indexOf("\n\n") + 2));
  });

  it("whose process is killed after the dispatch has an outcome that nobody knows", async () => {
    const arrived = Promise.withResolvers<void>();
    answer = () => arrived.resolve();
    const call = { key: "killed" };
    const lost = send(world, call).catch(() => undefined);
    await arrived.promise;
    const keyHash = readKeyHash({ "idempotency-key": call.key }, testTenant) ?? "";
    process.kill(world.gateway.workerIds[journalOfKey(keyHash) % count] ?? 0, "SIGKILL");
    const reply = await lost;
    // Another process than the owner tells its caller, who may come back.
    if (reply !== undefined && reply.status !== 0) {
      expect([reply.status, errorOf(reply)]).toEqual([503, "owner_unavailable"]);
    }
    answer = answerPlainly;
    let last: RawReply | undefined;
    await until(async () => {
      last = await send(world, call).catch(() => undefined);
      return last !== undefined && last.status !== 0 && last.status !== 503;
    });
    expect([last?.status, last === undefined ? "" : errorOf(last)]).toEqual([
      409,
      "outcome_unknown",
    ]);
    expect(callCount).toBe(1);
    expect(wordOf(await send(world, { key: "another" }))).toBe("executed");
  });
});

describe("replies of keys", () => {
  it("outlive a restart, with another number of workers too", async () => {
    const folder = await mkdtemp("/tmp/faultline-keys-");
    let callCount = 0;
    await using upstream = await openTestServer((request, response) => {
      request.resume();
      callCount += 1;
      response.writeHead(200, { "content-type": "application/json" });
      response.end(plainReply);
    });
    const options = { journalFolder: folder, providers: [providerAt(upstream.port)] };
    const keys = ["a", "b", "c", "d", "e", "f"];
    for (const count of [1, 3, 2]) {
      await using world = await openTestGateway({ ...options, count });
      const words = await Promise.all(keys.map(async (key) => wordOf(await send(world, { key }))));
      expect(new Set(words)).toEqual(new Set([count === 1 ? "executed" : "replayed"]));
    }
    expect(callCount).toBe(keys.length);
    await rm(folder, { recursive: true });
  });
});

describe("a call whose caller leaves while its journal opens", () => {
  it("is left to the next who sends its key", async () => {
    const folder = await mkdtemp("/tmp/faultline-keys-");
    const options: DurableStreamsOptions = {
      folder,
      worker: { index: 0, count: 1 },
      clock: systemClock,
      random,
      deadlines: { add: () => {}, remove: () => {} },
      signal: new AbortController().signal,
      bounds: () => ({ retentionMs: 60_000, bytesMax: 67_108_864 }),
      log: () => {},
    };
    await using keyed = new KeyedCalls(options, new DurableStreams(options));
    await keyed.open();
    const request = { keyHash: "0".repeat(64), requestHash: "r" };
    const [gone, other] = [0, 1].map(() => new ServerResponse(new IncomingMessage(new Socket())));
    if (gone === undefined || other === undefined) throw new Error("There are two.");
    const call = { tenantId: testTenant, surface: "chat", request } as const;
    const entries = [gone, other].map((response) => keyed.enter({ ...call, response }));
    gone.destroy();
    expect((await Promise.all(entries)).map(({ kind }) => kind)).toEqual(["left", "execute"]);
    await rm(folder, { recursive: true });
  });
});

describe("an Idempotency-Key", () => {
  it.each(["", "a b", "ü", "x".repeat(256)])("is not %j", (key) => {
    expect(() => readKeyHash({ "idempotency-key": key }, testTenant)).toThrow(/1 to 255/);
  });
});
