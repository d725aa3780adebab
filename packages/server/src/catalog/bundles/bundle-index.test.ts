import type { AliasState, BundleDocument, KillKind, TenantId } from "@faultline/protocol";
import { describe, expect, it } from "vitest";

import { loadCatalog } from "../load-catalog.ts";
import type { Target } from "../catalog.ts";
import { rollOut, sharesOf } from "./alias-state.ts";
import { type BundleIndex, indexBundles } from "./bundle-index.ts";
import type { BundleSnapshot, SnapshotBundle } from "./bundle-snapshot.ts";
import { hashBundle } from "./hash-bundle.ts";
import { type RoutedRequest, routeOf } from "./route.ts";
import { chooseSticky } from "./sticky.ts";

const tenantId = "acme" as TenantId;
const price = {
  inputMicrosPerMillionTokens: 0n,
  outputMicrosPerMillionTokens: 0n,
  cachedInputMicrosPerMillionTokens: 0n,
};
const provider = (name: string, models: readonly string[]) => ({
  kind: "openai" as const,
  name,
  baseUrl: "http://127.0.0.1:1/v1",
  apiKeyEnvironment: undefined,
  apiKey: undefined,
  models: models.map((model) => ({ name: model, upstreamName: model, price })),
});
const catalog = loadCatalog([provider("one", ["large", "small"]), provider("two", ["spare"])]);

function version(name: string, number: number, document: BundleDocument): SnapshotBundle {
  const { hash } = hashBundle(document);
  return { tenantId, name, version: number, hash, isNewest: number === 2, document };
}
const saying = (text: string): BundleDocument => ({
  targets: [{ model: "large" }],
  systemPrompt: { text },
});
const versions = [version("chat", 1, saying("one")), version("chat", 2, saying("two"))];
const settled: AliasState = { versions: [{ bundle: "chat", version: 1, weight: 1 }] };

function indexOf(state: AliasState, kills: readonly [KillKind, string][] = []): BundleIndex {
  const snapshot: BundleSnapshot = {
    bundles: versions,
    aliases: [{ tenantId, name: "support", state }],
    kills: kills.map(([kind, name]) => {
      return { tenantId, kind, name, reason: "it lies", killedAt: "", killedBy: "ada" };
    }),
  };
  return indexBundles(snapshot, catalog);
}

function versionFor(index: BundleIndex, key: string): number | undefined {
  const found = index.resolve({ tenantId, name: "support", stickyKey: () => key });
  return found.kind === "bundle" ? found.bundle.version : undefined;
}

const keyCount = 10_000;
const keys = Array.from({ length: keyCount }, (_, index) => `user-${index}`);

describe("a roll-out", () => {
  const states = [1, 10, 50].map((percent) =>
    rollOut(settled, {
      version: { bundle: "chat", version: 2 },
      percent: percent as 1 | 10 | 50,
    }),
  );

  it.each([1, 10, 50])("gives %i percent of callers the new version, within chance", (percent) => {
    const state = states.find(({ rollout }) => rollout?.percent === percent) ?? settled;
    const index = indexOf(state);
    const count = keys.filter((key) => versionFor(index, key) === 2).length;
    const share = percent / 100;
    const deviation = Math.sqrt(keyCount * share * (1 - share));
    // Four standard deviations: chance alone passes them once in sixteen thousand runs, and the hash is fixed.
    expect(Math.abs(count - keyCount * share)).toBeLessThan(4 * deviation);
  });

  it("never moves a caller back while it grows, and gives all the new version at its end", () => {
    const ended = rollOut(states[2] ?? settled, { version: undefined, percent: undefined });
    const steps = [settled, ...states, ended].map((state) => indexOf(state));
    for (const key of keys) {
      const seen = steps.map((index) => versionFor(index, key) ?? 0);
      expect(seen, key).toEqual(seen.toSorted((one, other) => one - other));
    }
    expect(new Set(keys.map((key) => versionFor(steps[4] as BundleIndex, key)))).toEqual(
      new Set([2]),
    );
  });

  it("takes from the versions before it in proportion, and moves nobody between them", () => {
    const before = sharesOf({
      versions: [
        { bundle: "chat", version: 1, weight: 3 },
        { bundle: "chat", version: 2, weight: 1 },
      ],
    });
    const during = sharesOf({
      versions: [
        { bundle: "chat", version: 1, weight: 3 },
        { bundle: "chat", version: 2, weight: 1 },
      ],
      rollout: { bundle: "other", version: 1, percent: 10 },
    });
    expect(during.map(({ weight }) => weight)).toEqual([67.5, 22.5, 10]);
    for (const key of keys) {
      const now = chooseSticky(during, key);
      if (now?.bundle !== "other") expect(now?.id).toBe(chooseSticky(before, key)?.id);
    }
  });

  it("gives a caller the same version every time", () => {
    const index = indexOf(states[2] ?? settled);
    for (const key of keys.slice(0, 100))
      expect(versionFor(index, key)).toBe(versionFor(index, key));
  });
});

describe("a name", () => {
  const index = indexOf(settled);
  const resolve = (name: string, by: TenantId = tenantId) =>
    index.resolve({ tenantId: by, name, stickyKey: () => "" });

  it("leads to the version of an alias, to the newest of a bundle, or to the catalog", () => {
    expect(resolve("support")).toMatchObject({ kind: "bundle", bundle: { version: 1 } });
    expect(resolve("bundle/chat")).toMatchObject({ kind: "bundle", bundle: { version: 2 } });
    expect(resolve("large")).toEqual({ kind: "plain" });
    expect(resolve("bundle/chta")).toEqual({ kind: "unknown", nearest: "bundle/chat" });
  });

  it("of one tenant leads another nowhere", () => {
    const other = "other" as TenantId;
    expect(resolve("support", other)).toEqual({ kind: "plain" });
    expect(resolve("bundle/chat", other)).toEqual({ kind: "unknown", nearest: undefined });
  });

  it("that is killed says what was killed", () => {
    for (const [kind, name] of [
      ["alias", "support"],
      ["tenant", "acme"],
    ] as const) {
      const killed = indexOf(settled, [[kind, name]]);
      expect(killed.resolve({ tenantId, name: "support", stickyKey: () => "" })).toMatchObject({
        kind: "killed",
        kill: { kind, name },
      });
    }
  });
});

describe("the route of a bundle", () => {
  const nothing = { tokens: 100, tools: false, vision: false, jsonSchema: false };
  const key = { id: "k", name: "mobile", role: "service", tenant: "acme" };
  const facts = {
    model: "support",
    stream: false,
    user: "",
    toolCount: 0,
    imageCount: 0,
    jsonSchema: false,
    tokens: 100,
    headers: { "x-tier": "gold" },
    metadata: {},
  };

  function route(document: BundleDocument, more: Partial<RoutedRequest> = {}) {
    const index = indexBundles(
      { bundles: [version("b", 2, document)], aliases: [], kills: [] },
      catalog,
    );
    const found = index.resolve({ tenantId, name: "bundle/b", stickyKey: () => "" });
    if (found.kind !== "bundle") throw new Error(found.kind);
    return routeOf(found.bundle, {
      needs: nothing,
      stickyKey: "user-1",
      facts: () => ({ request: facts, key }),
      killOf: () => undefined,
      admits: undefined,
      isPriced: () => true,
      ...more,
    });
  }
  const names = (found: ReturnType<typeof route>): string[] =>
    found.kind === "found" ? found.targets.map(({ target }) => target.model.id) : [found.kind];
  const everything = { contextTokens: 10_000, tools: true, vision: true, jsonSchema: true };

  it("goes by order, and only to fallbacks that declare what the request needs", () => {
    const document: BundleDocument = {
      targets: [
        { model: "spare", order: 2, supports: everything },
        { model: "small", order: 1, supports: { contextTokens: 10_000 } },
        { model: "large" },
      ],
    };
    expect(names(route(document))).toEqual(["one/large", "one/small", "two/spare"]);
    const tools = { needs: { ...nothing, tools: true } };
    expect(names(route(document, tools))).toEqual(["one/large", "two/spare"]);
    const long = { needs: { ...nothing, tokens: 20_000 } };
    expect(names(route(document, long))).toEqual(["one/large"]);
  });

  it("passes over a first target that says it cannot, and keeps the safety that the first one declares", () => {
    const document: BundleDocument = {
      targets: [
        { model: "large", supports: { ...everything, vision: false } },
        { model: "small", order: 1, supports: { ...everything, safety: ["moderated"] } },
        { model: "spare", order: 2, supports: everything },
      ],
    };
    expect(names(route(document))).toEqual(["one/large", "one/small", "two/spare"]);
    const vision = { needs: { ...nothing, vision: true } };
    expect(names(route(document, vision))).toEqual(["one/small"]);
  });

  it("holds conditions over request and key; what is not there does not hold", () => {
    const when = (text: string): BundleDocument => ({
      targets: [
        { model: "small", when: text },
        { model: "large", order: 1, supports: everything },
      ],
    });
    const first = (text: string) => names(route(when(text)))[0];
    expect(first('request.headers["x-tier"] == "gold" && key.name == "mobile"')).toBe("one/small");
    expect(first("request.tokens < 101 && request.toolCount == 0")).toBe("one/small");
    expect(first('request.headers["x-other"] == "gold"')).toBe("one/large");
    expect(first('key.role == "admin"')).toBe("one/large");
  });

  it("shares the first place by weight, each key always alike", () => {
    const document: BundleDocument = {
      targets: [
        { model: "large", weight: 3 },
        { model: "spare", weight: 1 },
        { model: "small", weight: 0 },
      ],
    };
    const firsts = keys
      .slice(0, 1_000)
      .map((stickyKey) => names(route(document, { stickyKey }))[0]);
    const spare = firsts.filter((name) => name === "two/spare").length;
    expect(Math.abs(spare - 250)).toBeLessThan(4 * Math.sqrt(1_000 * 0.25 * 0.75));
    expect(firsts).not.toContain("one/small");
  });

  it("leaves out what is killed, and says so when nothing is left", () => {
    const document: BundleDocument = {
      targets: [{ model: "large" }, { model: "spare", order: 1 }],
    };
    const index = indexOf(settled, [["provider", "one"]]);
    const killOf = (target: Target) => index.killOf(tenantId, { target });
    expect(names(route(document, { killOf }))).toEqual(["two/spare"]);
    expect(route({ targets: [{ model: "small" }] }, { killOf })).toMatchObject({
      kind: "killed",
      kill: { kind: "provider", name: "one" },
    });
  });

  it("says what stands against each target when none is left", () => {
    const document: BundleDocument = {
      targets: [{ model: "gone" }, { model: "large", order: 1, supports: { tools: false } }],
    };
    expect(route(document, { needs: { ...nothing, tools: true } })).toEqual({
      kind: "none",
      reasons: ["gone: no configured provider serves it at a price.", "large: it has no tools."],
    });
  });
});
