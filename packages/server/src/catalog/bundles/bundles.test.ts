import type { BundleDocument } from "@faultline/protocol";
import { openTestDatabase, seededRandom, type TestDatabase } from "@faultline/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { ProviderConfig } from "#config/index.ts";
import { createIds, systemClock } from "#kernel/index.ts";

import { loadCatalog } from "../load-catalog.ts";
import { Bundles } from "./bundles.ts";

const signal = new AbortController().signal;
const price = {
  inputMicrosPerMillionTokens: 0n,
  outputMicrosPerMillionTokens: 0n,
  cachedInputMicrosPerMillionTokens: 0n,
};
const provider: ProviderConfig = {
  kind: "openai",
  name: "local",
  baseUrl: "http://127.0.0.1:1/v1",
  apiKeyEnvironment: undefined,
  apiKey: undefined,
  models: [{ name: "large", upstreamName: "large", price }],
};

let database: TestDatabase;
let bundles: Bundles;
let changeCount = 0;

beforeAll(async () => {
  database = await openTestDatabase();
  await database.createTenant("other");
  bundles = new Bundles({
    store: database.store,
    clock: systemClock,
    ids: createIds(systemClock, seededRandom("bundles")),
    catalog: () => loadCatalog([provider]),
  });
  bundles.onChanged(async () => {
    changeCount += 1;
  });
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
});

const scope = (tenantId = database.tenantId) => ({ tenantId, signal, actor: "ada" });
const other = () => scope("other" as typeof database.tenantId);
const saying = (text: string, more: Partial<BundleDocument> = {}): BundleDocument => ({
  targets: [{ model: "large" }],
  systemPrompt: { text },
  ...more,
});

describe("versions of a bundle", () => {
  it("are numbered, hashed by their content alone, and kept as they were put", async () => {
    const first = await bundles.put(scope(), { name: "greeter", bundle: saying("one") });
    const second = await bundles.put(scope(), { name: "greeter", bundle: saying("two") });
    expect(first).toMatchObject({ isNew: true, summary: { version: 1, actor: "ada" } });
    expect(second).toMatchObject({ isNew: true, summary: { version: 2 } });
    expect(second.summary.hash).not.toBe(first.summary.hash);

    const { systemPrompt, targets } = saying("one");
    const reordered = { systemPrompt, targets } as BundleDocument;
    const again = await bundles.put(scope(), { name: "greeter", bundle: reordered });
    expect(again).toEqual({ isNew: false, summary: first.summary });

    expect((await bundles.read(scope(), "greeter", 1)).bundle).toEqual(saying("one"));
    expect((await bundles.read(scope(), "greeter", undefined)).summary.version).toBe(2);
    const versions = await bundles.listVersions(scope(), "greeter");
    expect(versions.map(({ version }) => version)).toEqual([2, 1]);
    await expect(bundles.read(scope(), "greeter", 9)).rejects.toMatchObject({ code: "not_found" });
  });

  it("get numbers without gaps when many are put at once", async () => {
    const puts = Array.from({ length: 8 }, (_, index) =>
      bundles.put(scope(), { name: "crowded", bundle: saying(`text ${index}`) }),
    );
    const numbers = (await Promise.all(puts)).map(({ summary }) => summary.version);
    expect(numbers.toSorted((one, two) => one - two)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it("are refused with the place of every fault", async () => {
    const bundle = saying("Hello {{ nobody }}", {
      targets: [{ model: "lagre" }, { model: "large", when: "request.modle == 'x'" }],
      safety: { input: [{ id: "a", action: "refuse", match: { kind: "pattern", pattern: "(" } }] },
    });
    const refused = bundles.put(scope(), { name: "wrong", bundle });
    await expect(refused).rejects.toMatchObject({ code: "request_invalid" });
    await expect(refused).rejects.toThrow(/\/targets\/0\/model: .*Did you mean large\?/);
    await expect(refused).rejects.toThrow(/\/targets\/1\/when: .*modle/);
    await expect(refused).rejects.toThrow(/\/systemPrompt\/text: .*nobody/);
    await expect(refused).rejects.toThrow(/\/safety\/input\/0\/match\/pattern/);
  });

  it("can be changed or deleted by nobody", async () => {
    for (const statement of [
      "update bundle_version set content = '{}'",
      "delete from bundle_version",
      "update bundle_alias_revision set actor = 'eve'",
      "delete from kill_switch",
    ]) {
      const attempt = database.store.transact(scope(), async (writer) => {
        const { sql } = await import("kysely");
        await sql.raw(statement).execute(writer);
      });
      await expect(attempt).rejects.toThrow(/permission denied/);
    }
  });

  it("are compared field by field", async () => {
    const before = saying("one", { parameters: { defaults: { temperature: 0.2 } } });
    const after = saying("two", { parameters: { defaults: { temperature: 0.2, seed: 7 } } });
    await bundles.put(scope(), { name: "compared", bundle: before });
    await bundles.put(scope(), { name: "compared", bundle: after });
    expect((await bundles.diff(scope(), "compared", {})).changes).toEqual([
      { path: "/parameters/defaults/seed", after: 7 },
      { path: "/systemPrompt/text", before: "one", after: "two" },
    ]);
  });
});

describe("an alias", () => {
  it("goes through a roll-out and back, and keeps its history", async () => {
    for (const text of ["v1", "v2", "v3"]) {
      await bundles.put(scope(), { name: "chat", bundle: saying(text) });
    }
    const set = await bundles.putAlias(scope(), {
      name: "support",
      versions: [{ bundle: "chat", version: 1 }],
      stickyHeader: "x-user-id",
    });
    expect(set.current.state.versions).toEqual([{ bundle: "chat", version: 1, weight: 1 }]);

    const percents: (number | undefined)[] = [];
    const toNewest = { bundle: "chat", version: 2 };
    for (const request of [toNewest, {}, {}, {}]) {
      const { current } = await bundles.rollOut(scope(), "support", request);
      percents.push(current.state.rollout?.percent);
    }
    expect(percents).toEqual([1, 10, 50, undefined]);
    await bundles.rollOut(scope(), "support", { bundle: "chat", version: 3, percent: 50 });
    await expect(
      bundles.rollOut(scope(), "support", { bundle: "chat", version: 1 }),
    ).rejects.toMatchObject({ code: "conflict" });
    await expect(bundles.rollOut(scope(), "support", { percent: 10 })).rejects.toMatchObject({
      code: "conflict",
    });

    const versionAfterRollback = async () => {
      const { current } = await bundles.rollBack(scope(), "support", {});
      expect(current.state.rollout).toBeUndefined();
      return current.state.versions.map(({ version }) => version);
    };
    expect(await versionAfterRollback()).toEqual([2]);
    expect(await versionAfterRollback()).toEqual([1]);
    await expect(bundles.rollBack(scope(), "support", {})).rejects.toMatchObject({
      code: "conflict",
    });

    const history = await bundles.aliasHistory(scope(), "support");
    expect(history.map(({ action }) => action)).toEqual([
      "rollback",
      "rollback",
      "rollout",
      "rollout",
      "rollout",
      "rollout",
      "rollout",
      "set",
    ]);
    const restored = await bundles.rollBack(scope(), "support", { revision: 4 });
    expect(restored.current.state.rollout).toEqual({ bundle: "chat", version: 2, percent: 50 });
  });

  it("points at versions that exist", async () => {
    await expect(
      bundles.putAlias(scope(), { name: "lost", versions: [{ bundle: "nothing" }] }),
    ).rejects.toMatchObject({ code: "not_found" });
    await expect(bundles.rollOut(scope(), "lost", {})).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("a kill switch", () => {
  it("holds until it is revived, and its history stays", async () => {
    const killed = await bundles.kill(scope(), { kind: "model", name: "large", reason: "it lies" });
    expect(killed).toMatchObject({ name: "local/large", killedBy: "ada" });
    const again = await bundles.kill(scope(), { kind: "model", name: "local/large", reason: "?" });
    expect(again).toEqual(killed);
    const { kills } = await bundles.snapshot(signal);
    expect(kills).toMatchObject([{ tenantId: "default", kind: "model", name: "local/large" }]);

    await bundles.revive(scope(), { kind: "model", name: "large" });
    expect((await bundles.snapshot(signal)).kills).toEqual([]);
    expect(await bundles.listKills(scope())).toMatchObject([{ id: killed.id, revivedBy: "ada" }]);
    await expect(bundles.revive(scope(), { kind: "model", name: "large" })).rejects.toMatchObject({
      code: "not_found",
    });
  });

  it.each([
    ["alias", "nobody"],
    ["model", "nobody"],
    ["provider", "nobody"],
    ["tenant", "other"],
  ] as const)("is refused for the %s %s, which is not there", async (kind, name) => {
    await expect(bundles.kill(scope(), { kind, name, reason: "x" })).rejects.toMatchObject({
      code: "not_found",
    });
  });
});

describe("another tenant", () => {
  it("sees none of it", async () => {
    expect(await bundles.list(other())).toEqual([]);
    expect(await bundles.listAliases(other())).toEqual([]);
    expect(await bundles.listKills(other())).toEqual([]);
    await expect(bundles.read(other(), "chat", 1)).rejects.toMatchObject({ code: "not_found" });
    await expect(bundles.rollBack(other(), "support", {})).rejects.toMatchObject({
      code: "not_found",
    });
    const versions = [{ bundle: "chat" }];
    await expect(bundles.putAlias(other(), { name: "mine", versions })).rejects.toMatchObject({
      code: "not_found",
    });
  });
});

describe("the snapshot for the gateway", () => {
  it("holds what can be reached and nothing else", async () => {
    const { bundles: reached, aliases } = await bundles.snapshot(signal);
    const named = reached.map(
      ({ name, version, isNewest }) => `${name}@${version}${isNewest ? "!" : ""}`,
    );
    expect(named).toEqual([
      "chat@3!",
      "compared@2!",
      "crowded@8!",
      "greeter@2!",
      "chat@1",
      "chat@2",
    ]);
    expect(aliases.map(({ name }) => name)).toEqual(["support"]);
  });

  it("is asked for after every change", () => {
    expect(changeCount).toBeGreaterThan(25);
  });
});
