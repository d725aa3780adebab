/** What a bundle grants and settles for those who ask for it: models through keys, and the cache of its replies. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { seededRandom } from "#kernel/index.ts";
import { type BundleDocument, formatKey, type KeyId, type KeyTerms } from "@faultline/protocol";

import { ScriptedUpstream, whole } from "./scripted-upstream.ts";
import {
  keyRow,
  openTestGateway,
  openTestServer,
  providerAt,
  type TestGateway,
  testTenant,
} from "./test-gateway.ts";

const able = { contextTokens: 100_000, tools: true, vision: true, jsonSchema: true };
const documents: Readonly<Record<string, BundleDocument>> = {
  cheap: { targets: [{ model: "small/model-a" }] },
  dear: { targets: [{ model: "large/model-a" }] },
  both: {
    targets: [
      { model: "large/model-a", order: 0, supports: able },
      { model: "small/model-a", order: 1, supports: able },
    ],
  },
  cached: { targets: [{ model: "small/model-a" }], stream: { cache: { ttlSeconds: 60 } } },
  "cached-anew": {
    targets: [{ model: "small/model-a" }],
    parameters: { forced: { temperature: 0 } },
    stream: { cache: { ttlSeconds: 60 } },
  },
  brief: { targets: [{ model: "small/model-a" }], stream: { cache: { ttlSeconds: 1 } } },
};

const random = seededRandom("bundle terms");
/** The terms of the keys, by what they are called here. */
const terms = {
  free: {},
  "small models": { models: ["small/*"] },
  "listed bundles": { models: ["small/*"], bundles: ["dear"] },
  "bundles only": { models: [], bundles: ["dear"] },
} satisfies Record<string, KeyTerms>;
type Holder = keyof typeof terms;
const secrets = new Map<string, string>();
const upstream = new ScriptedUpstream();
const resources = new AsyncDisposableStack();
let world: TestGateway;

beforeAll(async () => {
  const { port } = resources.use(await openTestServer(upstream.listener));
  const keys = Object.entries(terms).map(([name, own], index) => {
    const secret = formatKey(testTenant, (bound) => random.integer(bound));
    secrets.set(name, secret);
    const id = `00000000-0000-7000-8000-00000000000${index + 1}` as KeyId;
    return keyRow(secret, { id, name, terms: own });
  });
  const providers = ["small", "large"].map((name) => providerAt(port, { name }));
  world = resources.use(await openTestGateway({ providers, keys }));
  const bundles = Object.entries(documents).map(([name, document], index) => ({
    tenantId: testTenant,
    name,
    version: 1,
    hash: `sha256:${String(index).padStart(64, "0")}`,
    isNewest: true,
    document,
  }));
  // An alias may have the name of a model, and stands before it.
  const aliases = Object.entries({
    "small/model-a": "dear",
    "of-large": "dear",
    "of-small": "both",
  }).map(([name, bundle]) => ({
    tenantId: testTenant,
    name,
    state: { versions: [{ bundle, version: 1, weight: 1 }] },
  }));
  const snapshot = { version: 2, bundles: { bundles, aliases, kills: [] } };
  await world.gateway.updateSnapshot(world.snapshot(snapshot));
});
afterAll(async () => await resources.disposeAsync());
beforeEach(() => void upstream.plan(whole));

async function call(
  model: string,
  {
    holder = "free",
    cache,
    content = "hi",
  }: { holder?: Holder; cache?: string; content?: string } = {},
): Promise<Response> {
  return await fetch(`${world.url}/v1/chat/completions`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${secrets.get(holder)}`,
      ...(cache === undefined ? {} : { "x-faultline-cache": cache }),
    },
    body: JSON.stringify({ model, messages: [{ role: "user", content }] }),
  });
}

async function outcomeOf(reply: Response): Promise<string> {
  const { error } = (await reply.json()) as { error?: { code: string; message: string } };
  return error === undefined ? (reply.headers.get("x-faultline-target") ?? "") : error.code;
}

describe("a key that lists models", () => {
  it.each([
    ["bundle/cheap", "small/model-a"],
    ["bundle/dear", "permission_denied"],
    // Of a route it reaches the targets that it may call.
    ["bundle/both", "small/model-a"],
    // The name of a model that leads to another one is no way around.
    ["small/model-a", "permission_denied"],
    ["large/model-a", "permission_denied"],
  ])("reaches no other through %s", async (model, outcome) => {
    expect(await outcomeOf(await call(model, { holder: "small models" }))).toBe(outcome);
  });

  it("is shown only the aliases that lead it to one", async () => {
    const shown = async (holder: Holder): Promise<readonly string[]> => {
      const reply = await fetch(`${world.url}/v1/models`, {
        headers: { authorization: `Bearer ${secrets.get(holder)}` },
      });
      const { data } = (await reply.json()) as { data: readonly { id: string }[] };
      return data.map(({ id }) => id);
    };
    expect(await shown("free")).toContain("of-large");
    const own = await shown("small models");
    expect(own).toContain("of-small");
    expect(own).not.toContain("of-large");
  });

  it("is told which model it may not call", async () => {
    const text = await (await call("bundle/dear", { holder: "small models" })).text();
    expect(text).toContain('may not call the model \\"large/model-a\\"');
  });

  it("and bundles has the models of these bundles too", async () => {
    for (const holder of ["listed bundles", "bundles only"] as const) {
      expect(await outcomeOf(await call("bundle/dear", { holder }))).toBe("large/model-a");
      expect(await outcomeOf(await call("bundle/cheap", { holder }))).toBe("permission_denied");
      expect(await outcomeOf(await call("large/model-a", { holder }))).toBe("permission_denied");
    }
  });
});

describe("a bundle with a cache", () => {
  const wordOf = ({ headers }: Response): string | null => headers.get("x-faultline-cache");

  it("answers the same question again without a header, up to its age, and as its own version alone", async () => {
    const words = [
      wordOf(await call("bundle/cached", { content: "a" })),
      wordOf(await call("bundle/cached", { content: "a" })),
      wordOf(await call("bundle/cached", { content: "b" })),
      wordOf(await call("bundle/cached-anew", { content: "a" })),
      wordOf(await call("bundle/cheap", { content: "a" })),
    ];
    expect(words).toEqual(["miss", "hit", "miss", "miss", null]);
    expect(upstream.hits).toHaveLength(4);
  });

  it("goes by what the request says before what it says itself", async () => {
    await call("bundle/cached", { content: "c" });
    const words = [];
    for (const cache of ["off", "max-age=0", "use", "max-age=3600"]) {
      words.push(wordOf(await call("bundle/cached", { content: "c", cache })));
    }
    expect(words).toEqual([null, "miss", "hit", "hit"]);
  });

  it("asks its model again once a reply is older than the bundle lets it be", async () => {
    await call("bundle/brief", { content: "d" });
    let reply = await call("bundle/brief", { content: "d" });
    while (wordOf(reply) === "hit") reply = await call("bundle/brief", { content: "d" });
    expect(wordOf(reply)).toBe("miss");
    expect(upstream.hits).toHaveLength(2);
  });
});
