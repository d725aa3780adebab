/** Every fault at every point of a reply: what the caller gets, how often the provider is asked, what is recorded. */

import { createServer } from "node:net";
import { once } from "node:events";

import { defaultDispatch, type DispatchConfig } from "#config/index.ts";
import type { Attributes } from "@faultline/contracts/model";
import { errorTable } from "@faultline/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { surfaces } from "../../calls/surface.ts";
import { exchange, type RawReply } from "../raw-client.ts";
import { openTestGateway, providerAt, type TestGateway, testSecret } from "../test-gateway.ts";
import { allCells, type Cell, type Expected, expectedOf, reasonAgainst, titleOf } from "./cells.ts";
import { FaultyUpstream, sentOf } from "./faulty-upstream.ts";
import { describeContract } from "./failure-contract.ts";

/** Tries at one target when a failure is retriable. */
const attemptCountMax = 2;
const cellCountMin = 250;

const cells = allCells();
const indexOf = new Map(cells.map((cell, index) => [cell, index]));
const running = cells.filter((cell) => reasonAgainst(cell) === undefined);

/** Only where a provider stalls do deadlines matter; elsewhere a slow machine must not meet them. */
let worlds: { readonly patient: TestGateway; readonly hasty: TestGateway };
let upstream: FaultyUpstream;

function worldOf({ fault }: Cell): TestGateway {
  return fault === "stall" ? worlds.hasty : worlds.patient;
}

beforeAll(async () => {
  upstream = await FaultyUpstream.open(cells);
  const at = (port: number, name: string) => providerAt(port, { name });
  const closedPort = await closedPortOfThisMachine();
  const providers = [
    { ...at(upstream.port, "chat"), surfaces: ["chat"] },
    { ...at(upstream.port, "messages"), kind: "anthropic", surfaces: ["messages"] },
    { ...at(closedPort, "no-chat"), surfaces: ["chat"] },
    { ...at(closedPort, "no-messages"), kind: "anthropic", surfaces: ["messages"] },
  ] as const;
  const dispatch: DispatchConfig = {
    ...defaultDispatch,
    retries: {
      ...defaultDispatch.retries,
      attemptCountMax,
      sameTargetCountMax: attemptCountMax,
      backoffMsMin: 1,
      backoffMsMax: 1,
      budgetPerSecondMin: 1_000,
    },
    // So many faults of one target would end its traffic.
    breaker: { ...defaultDispatch.breaker, failureCountMax: 0 },
  };
  worlds = {
    patient: await openTestGateway({ providers, settings: { dispatch } }),
    hasty: await openTestGateway({
      providers,
      settings: { dispatch, firstTokenMs: 500, stallMs: 500, totalMs: 2_500 },
    }),
  };
});
afterAll(async () => {
  await worlds.patient[Symbol.asyncDispose]();
  await worlds.hasty[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

/** A port on which nobody listens. */
async function closedPortOfThisMachine(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}

describe("the matrix of faults", () => {
  it("runs at least 250 cells, and names a reason for every other one", () => {
    expect(running.length).toBeGreaterThanOrEqual(cellCountMin);
  });

  it.concurrent.each(running.map((cell) => [titleOf(cell), cell] as const))(
    "%s",
    async (_title, cell) => {
      const expected = expectedOf(cell);
      const reply = await call(cell);
      checkReply(cell, expected, reply);
      const index = indexOf.get(cell) ?? -1;
      if (expected.outcome.kind !== "whole") await upstream.closed(index);
      const { attemptCount } = upstream.logOf(index);
      if (cell.fault !== "refused") {
        expect(attemptCount).toBe(expected.isRetried ? attemptCountMax : 1);
      }
      checkRecord(cell, expected, await spanOf(cell, reply));
    },
  );

  it("is the failure contract that users read; vitest with `--update` writes it anew", async () => {
    await expect(describeContract()).toMatchFileSnapshot(
      "../../../../../../docs/reference/failure-contract.md",
    );
  });
});

async function call(cell: Cell): Promise<RawReply> {
  const { caller, provider } = cell.pair;
  const target = cell.fault === "refused" ? `no-${provider}` : provider;
  const body = {
    model: `${target}/model-a`,
    max_tokens: 64,
    stream: cell.mode !== "plain",
    messages: [{ role: "user", content: `cell-${indexOf.get(cell)}` }],
    ...(cell.point === "mid-tool-call" ? { tools: [toolOf(caller)] } : {}),
  };
  return await exchange(
    worldOf(cell).gateway.port,
    [
      `POST /v1${surfaces[caller].path} HTTP/1.1`,
      `authorization: Bearer ${testSecret}`,
      ...(cell.mode === "durable" ? ["x-faultline-stream: durable"] : []),
    ],
    JSON.stringify(body),
  );
}

function toolOf(caller: "chat" | "messages"): object {
  const schema = { type: "object", properties: { place: { type: "string" } } };
  return caller === "chat"
    ? { type: "function", function: { name: "get_weather", parameters: schema } }
    : { name: "get_weather", input_schema: schema };
}

function checkReply(cell: Cell, { outcome }: Expected, reply: RawReply): void {
  const text = reply.body.toString();
  switch (outcome.kind) {
    case "whole":
      expect([reply.status, reply.whole]).toEqual([200, true]);
      if (cell.mode !== "plain") expect(text).toContain(terminatorOf(cell.pair.caller));
      else expect(() => JSON.parse(text) as unknown).not.toThrow();
      checkSaid(cell, text);
      return;
    case "refused":
      expect([reply.status, reply.whole]).toEqual([errorTable[outcome.code].status, true]);
      expect(JSON.parse(text)).toMatchObject({ error: { code: outcome.code } });
      return;
    case "passed-on":
      expect([reply.status, reply.whole]).toEqual([outcome.status, true]);
      expect(JSON.parse(text)).toMatchObject({ error: { message: "Not now." } });
      if (outcome.status === 429) expect(reply.head).toMatch(/^retry-after: 86400\r?$/im);
      return;
    case "cut":
    case "reported":
      expect([reply.status, reply.whole]).toEqual([200, false]);
      expect(text).not.toContain(terminatorOf(cell.pair.caller));
      expect(errorEventsOf(text)).toHaveLength(1);
      expect(text.trimEnd().split("\n\n").at(-1)).toContain('"error"');
      if (outcome.kind === "cut") expect(text).toContain(`"code":"${outcome.code}"`);
      else expect(text).toContain("Overloaded.");
      checkSaid(cell, text);
  }
}

/** What the provider said before the fault is what the caller has got: the same bytes, where both speak one dialect. */
function checkSaid(cell: Cell, text: string): void {
  const { sample, events, body } = sentOf(cell);
  const isWhole = expectedOf(cell).outcome.kind === "whole";
  if (cell.mode === "plain") {
    if (cell.pair.caller === cell.pair.provider && cell.fault === "slow trickle") {
      expect(text).toBe(body.toString());
    }
    return;
  }
  const came = (isWhole ? sample.events : events).filter(
    (event) => !event.includes('"choices":[]'),
  );
  if (cell.pair.caller === cell.pair.provider && cell.fault !== "invalid UTF-8") {
    const bytes = cell.mode === "durable" ? text.replaceAll(/^id: .*\n/gm, "") : text;
    expect(bytes.startsWith(came.join(""))).toBe(true);
  }
  expect(saidIn(text)).toBe(saidIn(came.join("")));
}

/** All that a stream says, in either dialect. */
function saidIn(stream: string): string {
  let said = "";
  for (const [, data = ""] of stream.matchAll(/^data: (\{.*\})$/gm)) {
    const value: unknown = JSON.parse(data);
    said += [...textsOf(value)].join("");
  }
  return said;
}

function* textsOf(value: unknown): Generator<string> {
  if (typeof value !== "object" || value === null) return;
  for (const [name, child] of Object.entries(value)) {
    const isSaid =
      name === "content" || name === "text" || name === "partial_json" || name === "arguments";
    if (isSaid && typeof child === "string") yield child;
    else yield* textsOf(child);
  }
}

function errorEventsOf(text: string): string[] {
  return text.split("\n\n").filter((event) => /^data: \{.*"error":\{/m.test(event));
}

function terminatorOf(caller: "chat" | "messages"): string {
  return caller === "chat" ? "data: [DONE]" : "event: message_stop";
}

async function spanOf(cell: Cell, reply: RawReply): Promise<Attributes> {
  const id = /x-faultline-operation-id: (\S+)/i.exec(reply.head)?.[1];
  const span = await worldOf(cell).spanWhere(
    (one) => one.attributes["faultline.operation.id"] === id,
  );
  return span.attributes;
}

/** The usage event: priced from the catalog, and of the source that it should have. */
function checkRecord(
  cell: Cell,
  { outcome, usage, isRetried }: Expected,
  attributes: Attributes,
): void {
  expect(attributes["faultline.operation.outcome"]).toBe(
    outcome.kind === "whole" ? "completed" : "failed",
  );
  const input = attributes["gen_ai.usage.input_tokens"];
  const output = attributes["gen_ai.usage.output_tokens"];
  if (usage === "none") {
    expect([input, output, attributes["faultline.cost.micros"]]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    return;
  }
  expect(attributes["faultline.usage.source"]).toBe(usage === "observed" ? "observed" : undefined);
  const isAll = cell.point !== "before first token" || outcome.kind === "whole";
  // What the first attempt used before it failed is counted with what the second one did.
  const times = isRetried ? attemptCountMax : 1;
  if (usage === "provider" && isAll) expect([input, output]).toEqual([21 * times, 9 * times]);
  const cached = Number(attributes["gen_ai.usage.cache_read.input_tokens"] ?? 0);
  // 2 dollars per million input tokens, half a dollar of cached ones, 8 of output.
  const cost = (Number(input) - cached) * 2 + cached * 0.5 + Number(output) * 8;
  const costMicros = Number(attributes["faultline.cost.micros"]);
  expect(costMicros).toBeGreaterThanOrEqual(Math.ceil(cost));
  // Each attempt is priced by itself, and rounded up.
  expect(costMicros).toBeLessThanOrEqual(Math.ceil(cost) + times - 1);
  if (usage === "observed" && cell.mode !== "plain") {
    const said = saidIn(sentOf(cell).events.join(""));
    expect(Number(output)).toBeGreaterThanOrEqual(times * Math.ceil(Buffer.byteLength(said) / 4));
  }
}
