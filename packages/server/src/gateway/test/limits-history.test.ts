/** Places and tokens of the limits after calls that ended in every way: all of them are there again, and none twice. */

import { EventEmitter, once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";

import { expect, it } from "vitest";

import { defaultDispatch, defaultLimits, notLimited } from "#config/index.ts";
import { seededRandom } from "#kernel/index.ts";

import {
  answer,
  frame,
  inBandError,
  role,
  spoken,
  type Step,
  stream,
} from "./scripted-upstream.ts";
import {
  openTestGateway,
  openTestServer,
  providerAt,
  testSecret,
  testTenant,
} from "./test-gateway.ts";

const names = ["first", "second", "third"] as const;
const able = { contextTokens: 100_000, tools: true, vision: true, jsonSchema: true };
const hits = new EventEmitter();
const opened = new EventEmitter();

/** What a target may do with a call. The last three wait for the caller to leave. */
const ways = {
  whole: spoken,
  refuses: answer(500),
  busy: answer(429, { "retry-after": "0" }),
  breaks: (_request, response) => void response.socket?.destroy(),
  fails: stream(role, inBandError),
  cut: stream(role, frame({ content: "The" })),
  silent: () => {},
  begins: (_request, response) =>
    response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders(),
  speaks: (_request, response) =>
    void response
      .writeHead(200, { "content-type": "text/event-stream" })
      .write(frame({ content: "The sea" })),
} as const satisfies Record<string, Step>;
type Way = keyof typeof ways;
const left: readonly Way[] = ["silent", "begins", "speaks"];
const wayNames = Object.keys(ways) as Way[];

/** The call says what each target does with it. */
function listenerOf(place: number) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    void Array.fromAsync(request).then((parts: Buffer[]) => {
      const { user } = JSON.parse(Buffer.concat(parts).toString()) as { user: string };
      const [id = "", ...plan] = user.split(" ");
      if (plan[place] === "held") {
        opened.once("open", () => spoken(request, response));
        hits.emit(id, "held", names[place]);
        return;
      }
      const way = plan[place] as Way;
      ways[way](request, response);
      if (!left.includes(way)) return;
      response.once("close", () => hits.emit(`${id} gone`));
      hits.emit(id);
    });
  };
}

it("are all there again, and none twice", async () => {
  await using resources = new AsyncDisposableStack();
  const providers = [];
  for (const [place, name] of names.entries()) {
    const { port } = resources.use(await openTestServer(listenerOf(place)));
    providers.push(providerAt(port, { name }));
  }
  const dispatch = {
    ...defaultDispatch,
    retries: {
      ...defaultDispatch.retries,
      attemptCountMax: 4,
      sameTargetCountMax: 2,
      backoffMsMin: 1,
    },
    breaker: { ...defaultDispatch.breaker, failureCountMax: 0 },
  };
  const world = resources.use(
    await openTestGateway({ count: 3, providers, settings: { dispatch } }),
  );
  const document = {
    targets: names.map((name, order) => ({ model: `${name}/model-a`, order, supports: able })),
  };
  const hash = `sha256:${"0".repeat(64)}`;
  const bundle = { tenantId: testTenant, name: "all", version: 1, hash, isNewest: true, document };
  await world.gateway.updateSnapshot(
    world.snapshot({
      version: 2,
      limits: {
        ...defaultLimits,
        // The calls below would reserve twice as much, if nothing came back.
        tenant: { requestsPerMinute: undefined, tokensPerMinute: 1_000_000, concurrencyMax: 8 },
        models: [{ name: "first/model-a", limits: { ...notLimited, concurrencyMax: 3 } }],
        providers: [{ name: "second", limits: { ...notLimited, concurrencyMax: 2 } }],
      },
      bundles: { bundles: [bundle], aliases: [], kills: [] },
    }),
  );

  async function call(user: string, signal?: AbortSignal): Promise<string> {
    const reply = await fetch(`${world.url}/v1/chat/completions`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${testSecret}`,
        "content-type": "application/json",
        connection: "close",
      },
      body: JSON.stringify({
        model: "bundle/all",
        stream: true,
        max_tokens: 20_000,
        user,
        messages: [],
      }),
      ...(signal === undefined ? {} : { signal }),
    });
    return `${reply.status} ${await reply.text()}`;
  }

  const random = seededRandom("limits");
  const replies: string[] = [];
  const caller = async (number: number): Promise<void> => {
    for (let turn = 0; turn < 8; turn += 1) {
      const id = `${number}-${turn}`;
      const plan = names.map(() => wayNames[random.integer(wayNames.length)]);
      const leaving = new AbortController();
      let gone: Promise<unknown> | undefined;
      hits.once(id, () => {
        gone = once(hits, `${id} gone`);
        leaving.abort();
      });
      replies.push(await call([id, ...plan].join(" "), leaving.signal).catch(() => "left"));
      // The place of a call that was left is free once its provider knows.
      await gone;
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, number) => caller(number)));
  // What a provider says of its own limits is passed on.
  const said = '"message":"no"';
  const refused = replies.filter((reply) => reply.startsWith("429") && !reply.includes(said));
  expect(refused).toEqual([]);
  expect(replies).toContain("left");

  const held = Array.from({ length: 8 }, (_, number) => `h${number}`);
  const answers = [];
  const places = [];
  for (const id of held) {
    const hit = once(hits, id);
    answers.push(call(`${id} held held held`));
    places.push((await hit)[1]);
  }
  expect(places).toEqual([
    ...Array(3).fill("first"),
    ...Array(2).fill("second"),
    ...Array(3).fill("third"),
  ]);
  expect(await call("more held held held")).toMatch(/^429 .*tenant/);
  opened.emit("open");
  expect((await Promise.all(answers)).map((reply) => reply.slice(0, 3))).toEqual(
    Array(8).fill("200"),
  );
});
