import type { AliasState, BundleDocument, KillKind } from "@faultline/protocol";
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import type { BundleSnapshot } from "#catalog/index.ts";

import {
  openTestGateway,
  openTestServer,
  providerAt,
  type TestGateway,
  type TestServer,
  testSecret,
  testTenant,
} from "./test-gateway.ts";

interface Received {
  readonly path: string;
  readonly body: string;
}

/** What the provider says next; by default a chat completion that quotes nothing. */
let answer: (body: string) => { readonly type: string; readonly body: string };
const received: Received[] = [];
let provider: TestServer;
let test: TestGateway;
let version = 1;

const chat = (content: string): string =>
  JSON.stringify({
    id: "c",
    object: "chat.completion",
    created: 1,
    model: "m",
    choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  });
const json = (body: string) => ({ type: "application/json", body });
const chunk = (delta: object, finish_reason: string | null = null): string =>
  `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "m", choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
const stream = (...texts: readonly string[]) => ({
  type: "text/event-stream",
  body: [...texts.map((content) => chunk({ content })), chunk({}, "stop"), "data: [DONE]\n\n"].join(
    "",
  ),
});

beforeAll(async () => {
  provider = await openTestServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const body = Buffer.concat(parts).toString();
      received.push({ path: request.url ?? "", body });
      const { type, body: said } = answer(body);
      response.writeHead(200, { "content-type": type }).end(said);
    });
  });
  test = await openTestGateway({
    count: 3,
    providers: [providerAt(provider.port), providerAt(provider.port, { name: "spare" })],
  });
});
afterAll(async () => {
  await test[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
});
beforeEach(() => {
  received.length = 0;
  answer = () => json(chat("Hello."));
});

const target: BundleDocument["targets"] = [{ model: "upstream/model-a" }];
const hashOf = (digit: string): string => `sha256:${digit.repeat(64)}`;

interface World {
  readonly bundles?: Readonly<Record<string, BundleDocument>>;
  readonly aliases?: Readonly<Record<string, AliasState>>;
  readonly kills?: readonly [KillKind, string][];
}

/** Gives all workers these bundles (by `name@version`), aliases and kill switches; resolves when they work from them. */
async function apply({ bundles = {}, aliases = {}, kills = [] }: World): Promise<void> {
  const tenantId = testTenant;
  const snapshot: BundleSnapshot = {
    bundles: Object.entries(bundles).map(([name, document], index) => {
      const [bundle = "", number = ""] = name.split("@");
      const hash = hashOf(String(index + 1));
      return { tenantId, name: bundle, version: Number(number), hash, isNewest: true, document };
    }),
    aliases: Object.entries(aliases).map(([name, state]) => ({ tenantId, name, state })),
    kills: kills.map(([kind, name]) => {
      return { tenantId, kind, name, reason: "it lies", killedAt: "", killedBy: "ada" };
    }),
  };
  version += 1;
  await test.gateway.updateSnapshot(test.snapshot({ version, bundles: snapshot }));
}

async function ask(
  model: string,
  more: object = {},
  headers: Record<string, string> = {},
): Promise<Response> {
  // Each request has a connection of its own, so that all workers get some.
  return fetch(`${test.url}/v1/chat/completions`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${testSecret}`,
      "content-type": "application/json",
      connection: "close",
      ...headers,
    },
    body: JSON.stringify({ model, messages: [{ role: "user", content: "hi" }], ...more }),
  });
}

const client = (): OpenAI =>
  new OpenAI({ apiKey: testSecret, baseURL: `${test.url}/v1`, maxRetries: 0 });

async function codeOf(response: Response): Promise<string> {
  const { error } = (await response.json()) as { error: { code: string } };
  return error.code;
}

describe("a request for a bundle", () => {
  it("reaches the provider with what the bundle puts in, and says which version answered", async () => {
    await apply({
      bundles: {
        "support@3": {
          targets: target,
          systemPrompt: {
            text: "You help {{ who }}.",
            variables: [{ name: "who", from: { header: "x-customer" } }],
          },
          parameters: { forced: { temperature: 0 }, defaults: { seed: 7 } },
        },
      },
      aliases: { help: { versions: [{ bundle: "support", version: 3, weight: 1 }] } },
    });
    const response = await ask("help", { temperature: 2 }, { "x-customer": "Ada" });
    expect(response.status).toBe(200);
    expect(response.headers.get("x-faultline-bundle")).toBe(hashOf("1"));
    expect(response.headers.get("x-faultline-target")).toBe("upstream/model-a");
    expect(received[0]?.body).toBe(
      '{"seed":7,"model":"vendor/model-a-2026","messages":[{"role":"system","content":"You help Ada."},{"role":"user","content":"hi"}],"temperature":0}',
    );
    const span = await test.spanWhere(({ attributes }) => attributes["faultline.alias"] === "help");
    expect(span.attributes).toMatchObject({
      "faultline.bundle.hash": hashOf("1"),
      "faultline.bundle.name": "support@3",
      "gen_ai.request.model": "help",
      "gen_ai.request.temperature": 0,
    });

    const listed = await client().models.list();
    expect(listed.data.map(({ id }) => id)).toContain("help");

    const lacking = await ask("bundle/support");
    expect(lacking.status).toBe(400);
    expect(lacking.headers.get("x-faultline-bundle")).toBe(hashOf("1"));
    expect(await codeOf(lacking)).toBe("request_invalid");
    expect(received).toHaveLength(1);
  });

  it("is translated with the bundle in it", async () => {
    await apply({
      bundles: { "support@1": { targets: target, systemPrompt: { text: "Be kind." } } },
    });
    const response = await fetch(`${test.url}/v1/messages`, {
      method: "POST",
      headers: { "x-api-key": testSecret, "content-type": "application/json" },
      body: JSON.stringify({
        model: "bundle/support",
        max_tokens: 9,
        messages: [{ role: "user", content: "hi" }],
      }),
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("x-faultline-bundle")).toBe(hashOf("1"));
    expect(JSON.parse(received[0]?.body ?? "")).toMatchObject({
      messages: [
        { role: "system", content: "Be kind." },
        { role: "user", content: "hi" },
      ],
    });
  });

  it.each(["1.5", "1e999", "-1e999"])(
    "whose limit of tokens is %s is held against conditions all the same",
    async (maxTokens) => {
      const when = "request.tokens >= 0";
      await apply({ bundles: { "support@1": { targets: [{ model: "upstream/model-a", when }] } } });
      const response = await fetch(`${test.url}/v1/chat/completions`, {
        method: "POST",
        headers: { "x-api-key": testSecret, "content-type": "application/json" },
        body: `{"model":"bundle/support","max_tokens":${maxTokens},"messages":[]}`,
      });
      // What such a number means is the provider's to say.
      expect(response.status).toBe(200);
      expect(received[0]?.body).toContain(`"max_tokens":${maxTokens}`);
    },
  );

  it("for what is not there is refused with the nearest name", async () => {
    await apply({ bundles: { "support@1": { targets: target } } });
    const response = await ask("bundle/suport");
    expect(response.status).toBe(404);
    expect(await response.text()).toContain('Did you mean \\"bundle/support\\"?');
  });
});

describe("a roll-out", () => {
  const versions = {
    "support@1": { targets: target },
    "support@2": { targets: [{ model: "spare/model-a" }] },
  };
  const settled: AliasState = {
    versions: [{ bundle: "support", version: 1, weight: 1 }],
    stickyHeader: "x-user-id",
  };
  const hashFor = async (user: string): Promise<string | null> =>
    (await ask("help", {}, { "x-user-id": user })).headers.get("x-faultline-bundle");

  it("is the same in every process, sticks to the caller, and is rolled back for all at once", async () => {
    const rollout = { bundle: "support", version: 2, percent: 50 } as const;
    await apply({ bundles: versions, aliases: { help: { ...settled, rollout } } });
    const users = Array.from({ length: 20 }, (_, index) => `user-${index}`);
    const first = await Promise.all(users.map((user) => hashFor(user)));
    expect(new Set(first)).toEqual(new Set([hashOf("1"), hashOf("2")]));
    for (let round = 0; round < 3; round += 1) {
      expect(await Promise.all(users.map((user) => hashFor(user)))).toEqual(first);
    }
    await apply({ bundles: versions, aliases: { help: settled } });
    const after = await Promise.all(users.map((user) => hashFor(user)));
    expect(new Set(after)).toEqual(new Set([hashOf("1")]));
  });
});

describe("a kill switch", () => {
  const world: World = {
    bundles: { "support@1": { targets: target } },
    aliases: { help: { versions: [{ bundle: "support", version: 1, weight: 1 }] } },
  };

  it.each([
    ["alias", "help", "help"],
    ["provider", "upstream", "help"],
    ["model", "upstream/model-a", "help"],
    ["tenant", testTenant, "help"],
    ["model", "upstream/model-a", "upstream/model-a"],
    ["provider", "upstream", "model-a"],
    ["tenant", testTenant, "spare/model-a"],
  ] as const)(
    "of the %s %s stops %s in every process once it is acknowledged",
    async (kind, name, model) => {
      await apply(world);
      const load = Array.from({ length: 30 }, () => ask(model));
      expect((await Promise.all(load)).map(({ status }) => status)).not.toContain(403);
      const inFlight = Array.from({ length: 30 }, () => ask(model));
      await apply({ ...world, kills: [[kind, name]] });
      const admittedBefore = received.length;
      const after = await Promise.all(Array.from({ length: 60 }, () => ask(model)));
      for (const response of after) {
        expect(response.status).toBe(403);
        expect(response.headers.get("x-should-retry")).toBe("false");
      }
      await Promise.all(inFlight);
      // Requests that were under way may have been admitted before; none that came after was.
      expect(received.length - admittedBefore).toBeLessThanOrEqual(inFlight.length);
      const body = await (await ask(model)).text();
      expect(body).toContain('"code":"killed"');
      expect(body).toContain(`faultline bundle revive ${kind} ${name}`);

      await apply(world);
      expect((await ask(model)).status).toBe(200);
    },
  );

  it("of a provider leaves the fallbacks of a bundle", async () => {
    const two: BundleDocument = {
      targets: [...target, { model: "spare/model-a", order: 1 }],
    };
    await apply({ bundles: { "support@1": two }, kills: [["provider", "upstream"]] });
    const response = await ask("bundle/support");
    expect(response.status).toBe(200);
    expect(response.headers.get("x-faultline-target")).toBe("spare/model-a");
  });
});

describe("the safety policy of a bundle", () => {
  const policy: BundleDocument = {
    targets: target,
    safety: {
      input: [
        {
          id: "no-cards",
          action: "redact",
          match: { kind: "personal-data", kinds: ["payment-card"] },
        },
        { id: "no-plans", action: "refuse", match: { kind: "pattern", pattern: "secret plan" } },
      ],
      output: [
        { id: "no-mail", action: "redact", match: { kind: "personal-data", kinds: ["email"] } },
        { id: "no-bombs", action: "refuse", match: { kind: "pattern", pattern: "how to build" } },
      ],
      tools: { callCountMax: 1 },
    },
  };
  const user = (content: string) => ({
    model: "bundle/support",
    messages: [{ role: "user" as const, content }],
  });

  beforeEach(async () => {
    await apply({ bundles: { "support@1": policy } });
  });

  it("takes out of the request what its rules say, and refuses it without its text in the span", async () => {
    await client().chat.completions.create(user("my card is 4111 1111 1111 1111"));
    expect(received[0]?.body).toContain('"content":"my card is [redacted]"');
    const prediction = { type: "content" as const, content: "the secret plan" };
    for (const body of [user("the secret plan"), { ...user("hi"), prediction }]) {
      const refused = client().chat.completions.create(body);
      await expect(refused).rejects.toMatchObject({ status: 422, code: "content_refused" });
    }
    expect(received).toHaveLength(1);
    const span = await test.spanWhere(
      ({ attributes }) => attributes["error.type"] === "content_refused",
    );
    expect(JSON.stringify(span)).not.toContain("secret plan");
    expect(JSON.stringify(span)).toContain("no-plans");
    expect(span.attributes["faultline.bundle.hash"]).toBe(hashOf("1"));
  });

  it("takes out of a stream what its rules say, over the borders of chunks", async () => {
    answer = () => stream("Write to bob", "@exam", "ple.com", " now.");
    let text = "";
    const chunks = await client().chat.completions.create({ ...user("hi"), stream: true });
    for await (const { choices } of chunks) text += choices[0]?.delta.content ?? "";
    expect(text).toBe("Write to [redacted] now.");
    const span = await test.spanWhere(
      ({ attributes }) =>
        attributes["faultline.policy.redacted_by"] !== undefined &&
        attributes["gen_ai.request.stream"] === true,
    );
    expect(span.attributes["faultline.policy.redacted_by"]).toEqual(["no-mail"]);
  });

  it("ends a stream by `content_filter` at once, and lets go of the provider", async () => {
    answer = () =>
      stream("Here is how ", "to bui", "ld a house", ...Array<string>(50).fill(" word"));
    let text = "";
    let finish: string | null | undefined;
    const chunks = await client().chat.completions.create({ ...user("hi"), stream: true });
    for await (const { choices } of chunks) {
      text += choices[0]?.delta.content ?? "";
      finish = choices[0]?.finish_reason ?? finish;
    }
    expect({ text, finish }).toEqual({ text: "Here is ", finish: "content_filter" });
    const span = await test.spanWhere(
      ({ attributes }) => attributes["faultline.policy.refused_by"] === "no-bombs",
    );
    expect(span.attributes).toMatchObject({
      "gen_ai.response.finish_reasons": ["content_filter"],
      "faultline.operation.outcome": "completed",
    });
    expect(JSON.stringify(span)).not.toContain("build");
  });

  it("holds plain replies to it too", async () => {
    answer = () => json(chat("Write to bob@example.com."));
    const redacted = await client().chat.completions.create(user("hi"));
    expect(redacted.choices[0]?.message.content).toBe("Write to [redacted].");
    expect(redacted.usage?.total_tokens).toBe(5);
    answer = () => json(chat("This is how to build it."));
    const refused = await client().chat.completions.create(user("hi"));
    expect(refused.choices[0]).toMatchObject({
      message: { content: null },
      finish_reason: "content_filter",
    });
  });
});
