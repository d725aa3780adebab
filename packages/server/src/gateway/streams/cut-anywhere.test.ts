/** Streams that are cut at every byte, read on by their last event's id, and compared with the uncut ones. */

import type { ServerResponse } from "node:http";

import type { SurfaceName } from "#config/index.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { exchange, type RawReply } from "../test/raw-client.ts";
import {
  openTestGateway,
  openTestServer,
  providerAt,
  type TestGateway,
  type TestServer,
  testSecret,
} from "../test/test-gateway.ts";
import {
  chatText,
  chatTools,
  completionsText,
  messagesText,
  messagesTools,
  responsesText,
  responsesTools,
  type WireSample,
} from "../test/wire-samples.ts";
import { readEvents, readStream, streamIdOf, told } from "./test-client.ts";

const paths: Partial<Record<SurfaceName, string>> = {
  chat: "/v1/chat/completions",
  responses: "/v1/responses",
  completions: "/v1/completions",
  messages: "/v1/messages",
};
const bodies: Partial<Record<SurfaceName, object>> = {
  chat: { messages: [{ role: "user", content: "x" }], stream_options: { include_usage: true } },
  responses: { input: "x" },
  completions: { prompt: "x", stream_options: { include_usage: true } },
  messages: { messages: [{ role: "user", content: "x" }], max_tokens: 9 },
};

const plain = (text: string): string => text;
const forms: Readonly<Record<string, (text: string) => string>> = {
  "line feeds": plain,
  "carriage returns and line feeds": (text) => text.replaceAll("\n", "\r\n"),
  "carriage returns": (text) => text.replaceAll("\n", "\r"),
  comments: (text) => `: one\n\n${text.replaceAll("\n\n", "\n: between\n\n:\n\n")}`,
  "data of several lines": (text) => text.replaceAll(/^data: \{/gm, "data: {\ndata:  \ndata:"),
  "ids and retries of its own": (text) => text.replaceAll(/^data:/gm, "id: 99\nretry: 10\ndata:"),
  "empty lines": (text) => text.replaceAll("\n\n", "\n\n\n\r\n"),
};
const samples: readonly (readonly [SurfaceName, string, WireSample])[] = [
  ["chat", "text", chatText],
  ["chat", "tools", chatTools],
  ["responses", "text", responsesText],
  ["responses", "tools", responsesTools],
  ["completions", "text", completionsText],
  ["messages", "text", messagesText],
  ["messages", "tools", messagesTools],
];
const cases = samples.flatMap(([surface, name, sample]) =>
  // The forms do not depend on the dialect, so that all of them are tried on one sample of each.
  Object.keys(forms)
    .filter((form) => name === "text" || form === "line feeds")
    .map((form) => ({ surface, name, form, text: forms[form]?.(sample.events.join("")) ?? "" })),
);

describe.each([1, 3])("with %i workers", (count) => {
  let world: TestGateway;
  let upstream: TestServer;
  let answer: (response: ServerResponse) => void;

  beforeAll(async () => {
    upstream = await openTestServer((request, response) => {
      request.resume();
      request.on("end", () => answer(response));
    });
    const surfaces = Object.keys(paths) as SurfaceName[];
    const providers = [{ ...providerAt(upstream.port), surfaces }];
    world = await openTestGateway({ count, providers });
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await upstream[Symbol.asyncDispose]();
  });

  async function call(surface: SurfaceName, headers: readonly string[] = []): Promise<RawReply> {
    return exchange(
      world.gateway.port,
      [
        `POST ${paths[surface] ?? ""} HTTP/1.1`,
        `authorization: Bearer ${testSecret}`,
        "x-faultline-stream: durable",
        ...headers,
      ],
      JSON.stringify({ model: "model-a", stream: true, ...bodies[surface] }),
    );
  }

  it.each(cases)("$surface $name with $form is whole again wherever it was cut", async (own) => {
    const bytes = Buffer.from(own.text);
    answer = (response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      // In pieces that end anywhere.
      for (let at = 0; at < bytes.length; at += 37) response.write(bytes.subarray(at, at + 37));
      response.end();
    };
    const uncut = await call(own.surface);
    expect([uncut.status, uncut.whole]).toEqual([200, true]);
    expect(uncut.body.toString().replaceAll(/id: \d+-\d+\n/g, "")).toBe(own.text);
    const events = readEvents(uncut.body);
    expect(events.filter(({ id }) => !/^\d+-\d+$/.test(id))).toEqual([]);

    const rests = new Map<string, Buffer>();
    for (let cut = 0; cut <= uncut.body.length; cut += 1) {
      const id = events.findLast(({ end }) => end <= cut)?.id;
      // What is empty has the id of the event before it, and belongs to the one behind it.
      const end = events.find((event) => event.id === id)?.end ?? 0;
      let rest = rests.get(id ?? "");
      if (rest === undefined) {
        rest = (await readStream(world, streamIdOf(uncut), { lastEventId: id })).body;
        rests.set(id ?? "", rest);
        expect([...told(uncut.body.subarray(0, cut)), ...told(rest)]).toEqual(told(uncut.body));
      }
      const isHalfLineEnd = uncut.body[end - 1] === 0x0d && uncut.body[end] === 0x0a;
      const got = uncut.body.subarray(0, isHalfLineEnd ? end + 1 : end);
      expect(Buffer.concat([got, rest]).equals(uncut.body)).toBe(true);
    }
    expect(rests.size).toBe(new Set(events.map((event) => event.id)).size + 1);
  });
});
