/** The limit of output tokens reaches each provider under the name that it knows. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { tokenLimitSplice } from "../calls/token-limit-splice.ts";
import { outputLimitSplices } from "../credit/output-limit.ts";
import { surfaces } from "../calls/surface.ts";
import { RequestReader } from "../calls/request-reader.ts";
import { applySplices } from "../wire/splice.ts";
import { exchange } from "./raw-client.ts";
import { whole } from "./scripted-upstream.ts";
import {
  openTestGateway,
  openTestServer,
  providerAt,
  type TestGateway,
  testSecret,
  testTenant,
} from "./test-gateway.ts";

describe("the name of the limit", () => {
  const reader = new RequestReader(surfaces.chat.request);
  const renamed = (text: string): string => {
    const body = Buffer.from(text);
    const splice = tokenLimitSplice(body, reader.read(body), { known: "max_tokens", isSet: false });
    return applySplices(body, splice === undefined ? [] : [splice]).toString();
  };

  it.each([
    ['{"model":"m","max_completion_tokens":5}', '{"model":"m","max_tokens":5}'],
    ['{"max_completion_tokens" :\n 5,"model":"m"}', '{"max_tokens" :\n 5,"model":"m"}'],
    // A text of the same letters is none of its business.
    [
      '{"x":"\\"max_completion_tokens\\"","max_completion_tokens":5,"model":"m"}',
      '{"x":"\\"max_completion_tokens\\"","max_tokens":5,"model":"m"}',
    ],
    ['{"model":"m","max\\u005fcompletion_tokens":5}', '{"model":"m","max_tokens":5}'],
    [
      '{"model":"m","\\u006d\\u0061x_completion_token\\u0073"\t: 5e1}',
      '{"model":"m","max_tokens"\t: 5e1}',
    ],
    // The call was admitted with the newer one, so that no larger one may count.
    [
      '{"model":"m","max_tokens":9000,"max_completion_tokens":6}',
      '{"model":"m","max_tokens":6,"max_completion_tokens":6}',
    ],
  ])("is changed in place: %s", (before, after) => {
    expect(renamed(before)).toBe(after);
  });

  it.each([
    '{"model":"m","max_tokens":5}',
    '{"model":"m","max_tokens":5,"max_completion_tokens":null}',
    '{"model":"m"}',
  ])("is left as it is: %s", (body) => {
    expect(renamed(body)).toBe(body);
  });
});

it("the limit that credit leaves stands in both fields, once in each", () => {
  const body = Buffer.from('{"model":"m","max_tokens":9000,"max_completion_tokens":60}');
  const facts = new RequestReader(surfaces.chat.request).read(body);
  const renamed = tokenLimitSplice(body, facts, { known: "max_tokens", isSet: true });
  const set = outputLimitSplices(facts, 7, { surface: surfaces.chat, field: "max_tokens" });
  const splices = [...set, ...(renamed === undefined ? [] : [renamed])];
  expect(applySplices(body, splices).toString()).toBe(
    '{"model":"m","max_tokens":7,"max_completion_tokens":7}',
  );
});

describe("the limit of output tokens", () => {
  const resources = new AsyncDisposableStack();
  const received: string[] = [];
  let world: TestGateway;

  beforeAll(async () => {
    const { port } = resources.use(
      await openTestServer((request, response) => {
        void Array.fromAsync(request).then((parts: Buffer[]) => {
          received.push(Buffer.concat(parts).toString());
          whole(request, response);
        });
      }),
    );
    world = resources.use(
      await openTestGateway({
        providers: [
          providerAt(port, { name: "ollama" }),
          { ...providerAt(port, { name: "proxy" }), tokenLimitField: "max_completion_tokens" },
        ],
      }),
    );
    const bundles = ["ollama", "proxy"].map((name, index) => ({
      tenantId: testTenant,
      name,
      version: 1,
      hash: `sha256:${String(index).padStart(64, "0")}`,
      isNewest: true,
      document: {
        targets: [{ model: `${name}/model-a` }],
        parameters: { defaults: { maxTokens: 7 } },
      },
    }));
    const snapshot = { version: 2, bundles: { bundles, aliases: [], kills: [] } };
    await world.gateway.updateSnapshot(world.snapshot(snapshot));
  });
  afterAll(async () => await resources.disposeAsync());
  beforeEach(() => void received.splice(0));

  async function ask(path: string, model: string, more: object): Promise<string> {
    const body = { model, ...more, messages: [{ role: "user", content: "hi" }] };
    const head = [`POST ${path} HTTP/1.1`, `authorization: Bearer ${testSecret}`];
    const { status } = await exchange(world.gateway.port, head, JSON.stringify(body));
    expect(status).toBe(200);
    return /"max_\w+":\d+/.exec(received.at(-1) ?? "")?.[0] ?? "";
  }

  it.each([
    ["a caller", { path: "/v1/chat/completions", more: { max_completion_tokens: 7 } }],
    ["a bundle", { path: "/v1/chat/completions", more: {} }],
    ["another dialect", { path: "/v1/messages", more: { max_tokens: 7 } }],
  ])("of %s is called as each provider calls it", async (whose, { path, more }) => {
    const modelOf = (name: string): string =>
      whose === "a bundle" ? `bundle/${name}` : `${name}/model-a`;
    expect([
      await ask(path, modelOf("ollama"), more),
      await ask(path, modelOf("proxy"), more),
    ]).toEqual(['"max_tokens":7', '"max_completion_tokens":7']);
  });

  it("that is no number for anybody stands in no span", async () => {
    const body = `{"model":"ollama/model-a","max_tokens":1e999,"temperature":-1e999,"top_p":1e999,"messages":[]}`;
    const head = ["POST /v1/chat/completions HTTP/1.1", `authorization: Bearer ${testSecret}`];
    const reply = await exchange(world.gateway.port, head, body);
    const id = /^x-faultline-operation-id: (\S+)/im.exec(reply.head)?.[1];
    const { attributes } = await world.spanWhere(
      (span) => span.attributes["faultline.operation.id"] === id,
    );
    expect(Object.entries(attributes).filter(([, value]) => value === null)).toEqual([]);
  });
});
