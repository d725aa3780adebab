/**
 * What gateways are known to get wrong, and where it is shown that this one does not:
 *
 * | mistake                                                    | shown by                                                        |
 * | ---------------------------------------------------------- | --------------------------------------------------------------- |
 * | concurrent calls cross a limit together                    | `limits.test.ts`, `admission/limits-model.test.ts`, and here    |
 * | a model without a price is served                          | `openai-client.test.ts`: `price_unknown`                        |
 * | tool schemas and images are not counted                    | `calls/expected-tokens.test.ts`                                 |
 * | reservations for the longest answer lock a caller out      | `limits.test.ts`: gives back what was not used                  |
 * | the provider goes on when the caller has left              | `caller-leaves.test.ts`, `openai-client.test.ts`                |
 * | what a caller that left has used costs nothing             | `caller-leaves.test.ts`, and here for plain calls               |
 * | what failed attempts used costs nothing                    | `route-targets.test.ts`, `fault-matrix/`                        |
 * | a cut stream looks whole                                   | `fault-matrix/`, `faults.test.ts`, `wire/sse-scanner.test.ts`   |
 * | an early error in a stream leads to an answer said twice   | `attempts.test.ts`, `fallback.test.ts`, and here for its bounds |
 * | usage is read at the end alone                             | `fault-matrix/`, `calls/reply-reader.test.ts`                   |
 * | the usage frame that nobody asked for reaches the caller   | `relay.test.ts`, `surfaces.test.ts`                             |
 * | parallel calls are counted from 1, or all stand at 0       | `translation/translate-stream.test.ts`, `official-clients`      |
 * | arguments of calls are dropped                             | `translation/translate-stream.test.ts`, `official-clients`      |
 * | translation loses usage                                    | `translation/translate-stream.test.ts`, `translate-reply`       |
 * | `Retry-After` is not obeyed                                | `attempts.test.ts`, and in the packed package                   |
 * | a stall after the head is not noticed                      | `fault-matrix/`, `faults.test.ts`                               |
 * | a resumed stream begins anew, or dies with its process     | `streams/cut-anywhere.test.ts`, `streams/durable-streams`       |
 * | leaving is taken for stopping, or stops another stream     | `streams/durable-streams.test.ts`                               |
 * | records that cannot be stored fill the memory              | `workers/operation-queue.test.ts`                               |
 * | abandoned streams hold their place for ever                | here, `pipelining.test.ts`                                      |
 * | time behind a busy event loop is not seen                  | `observation/event-loop-watch.test.ts`                          |
 * | replies are parsed and written anew                        | `relay.test.ts`, `surfaces.test.ts`: byte for byte              |
 */

import { once } from "node:events";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { defaultDispatch, defaultLimits, notLimited } from "#config/index.ts";

import { type HeldProvider, openHeldProvider } from "./held-provider.ts";
import { openSocket } from "./raw-client.ts";
import { inBandError, role, ScriptedUpstream, spoken, stream } from "./scripted-upstream.ts";
import {
  openTestGateway,
  openTestServer,
  providerAt,
  type TestGateway,
  testSecret,
} from "./test-gateway.ts";

const resources = new AsyncDisposableStack();
const scripted = new ScriptedUpstream();
let held: HeldProvider;
let world: TestGateway;

beforeAll(async () => {
  held = resources.use(await openHeldProvider());
  const { port } = resources.use(await openTestServer(scripted.listener));
  const { retries, breaker } = defaultDispatch;
  world = resources.use(
    await openTestGateway({
      count: 3,
      providers: [
        providerAt(held.server.port, { name: "held" }),
        providerAt(port, { name: "scripted" }),
      ],
      limits: { ...defaultLimits, user: { ...notLimited, concurrencyMax: 1 } },
      settings: {
        dispatch: {
          ...defaultDispatch,
          retries: { ...retries, backoffMsMin: 1 },
          breaker: { ...breaker, failureCountMax: 0 },
        },
      },
    }),
  );
});
afterAll(async () => await resources.disposeAsync());

interface Call {
  readonly model: string;
  readonly stream?: boolean;
  readonly user?: string;
  readonly signal?: AbortSignal;
}

/** Each on a connection of its own, so that any of the workers may get it. */
async function call({ signal, ...fields }: Call): Promise<Response> {
  return await fetch(`${world.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${testSecret}`, connection: "close" },
    body: JSON.stringify({ ...fields, messages: [{ role: "user", content: "Say something." }] }),
    ...(signal === undefined ? {} : { signal }),
  });
}

describe("the first calls of a user", () => {
  it("that come together are counted together, on whichever workers they come", async () => {
    held.hold();
    const calls = Array.from({ length: 8 }, async () => {
      const reply = await call({ model: "held/model-a", user: "new" });
      await reply.arrayBuffer();
      return reply.status;
    });
    await held.whenHeld(1);
    // All but the one that is held answer before it does.
    expect(await firstOf(calls, 7)).toEqual(Array.from({ length: 7 }, () => 429));
    held.release();
    const statuses = await Promise.all(calls);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  });
});

async function firstOf(calls: readonly Promise<number>[], count: number): Promise<number[]> {
  const answers: number[] = [];
  const enough = Promise.withResolvers<void>();
  for (const one of calls) {
    one.then((status) => {
      answers.push(status);
      if (answers.length === count) enough.resolve();
    }, enough.reject);
  }
  await enough.promise;
  return answers.slice(0, count);
}

describe("a caller of a plain reply that leaves", () => {
  it("pays for what the provider was given, and frees its place", async () => {
    held.hold();
    const leaving = new AbortController();
    const left = call({ model: "held/model-a", user: "leaving", signal: leaving.signal });
    await held.whenHeld(1);
    leaving.abort();
    await expect(left).rejects.toThrow(/abort/);
    // The provider sees it at once.
    await held.whenHeld(0);
    const span = await world.spanWhere(
      ({ attributes }) => attributes["faultline.operation.outcome"] === "cancelled",
    );
    expect(span.attributes).toMatchObject({
      "gen_ai.usage.output_tokens": 0,
      "faultline.usage.source": "observed",
    });
    expect(Number(span.attributes["gen_ai.usage.input_tokens"])).toBeGreaterThanOrEqual(4);
    expect(Number(span.attributes["faultline.cost.micros"])).toBeGreaterThan(0);
    held.release();
    expect((await call({ model: "held/model-a", user: "leaving" })).status).toBe(200);
  });
});

describe("the beginning of a stream", () => {
  const begin = (frameCount: number, event = role): string[] =>
    Array.from({ length: frameCount }, () => event);
  const padded = role.replace("}\n", `,"padding":"${"x".repeat(5_000)}"}\n`);

  it.each([
    ["64 events", begin(64)],
    ["less than 256 KiB", begin(50, padded)],
  ])("is held back for %s, so that an error behind them can be mended", async (_bound, events) => {
    scripted.plan(stream(...events, inBandError), spoken);
    const reply = await call({ model: "scripted/model-a", stream: true });
    const text = await reply.text();
    expect(text).toContain("The sea");
    expect(text).not.toContain("busy");
    expect(scripted.hits).toHaveLength(2);
  });

  it.each([
    ["65 events", begin(65)],
    ["256 KiB", begin(60, padded)],
  ])("is passed on beyond %s, and then nothing is said twice", async (_bound, events) => {
    scripted.plan((_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(events.join(""));
    }, spoken);
    const socket = await openSocket(world.gateway.port);
    const body = JSON.stringify({
      model: "scripted/model-a",
      stream: true,
      messages: [{ role: "user", content: "Say something." }],
    });
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\nauthorization: Bearer ${testSecret}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    const [part] = (await once(socket, "data")) as [Buffer];
    expect(part.toString()).toContain("200 OK");
    socket.destroy();
    expect(scripted.hits).toHaveLength(1);
  });
});

describe("streams that are abandoned", () => {
  it("hold no place, neither here nor with their provider", async () => {
    held.hold();
    const sockets = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const socket = await openSocket(world.gateway.port);
        const body = JSON.stringify({
          model: "held/model-a",
          stream: true,
          user: `abandoned-${index}`,
          messages: [],
        });
        socket.write(
          `POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\nauthorization: Bearer ${testSecret}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
        );
        return socket;
      }),
    );
    await held.whenHeld(50);
    for (const socket of sockets) socket.destroy();
    await held.whenHeld(0);
    const isIdle = async (): Promise<boolean> => {
      const metrics = await world.gateway.metrics();
      return metrics.includes("open_operations 0\n") && metrics.includes("open_streams 0\n");
    };
    while (!(await isIdle()));
    held.release();
  });
});
