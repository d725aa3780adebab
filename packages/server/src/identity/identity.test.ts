import {
  formatKey,
  type KeyId,
  type KeyTerms,
  PlatformError,
  type TenantId,
} from "@faultline/protocol";
import {
  openTestDatabase,
  seededRandom,
  simulatedClock,
  type TestDatabase,
} from "@faultline/testkit";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createIds, systemRandom } from "#kernel/index.ts";

import { Identity } from "./index.ts";

const signal = new AbortController().signal;

let database: TestDatabase;
let identity: Identity;
const clock = simulatedClock(Date.now());

beforeAll(async () => {
  database = await openTestDatabase();
  identity = await openIdentity();
});

afterAll(async () => {
  await identity[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

async function openIdentity(): Promise<Identity> {
  const random = seededRandom("identity");
  return Identity.open({
    store: database.store,
    clock,
    random: systemRandom,
    ids: createIds(clock, random),
    logger: pino({ level: "silent" }),
    signal,
  });
}

function scope(tenantId: TenantId = database.tenantId) {
  return { tenantId, signal };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "no error";
  } catch (error) {
    return error instanceof PlatformError ? error.code : String(error);
  }
}

describe("Identity", () => {
  it("knows the holder of a key that it made", async () => {
    const { key, secret } = await identity.createKey(scope(), { name: "laptop", role: "engineer" });
    await expect(identity.authenticate(secret, signal)).resolves.toEqual({
      tenantId: "default",
      keyId: key.id,
      keyName: "laptop",
      role: "engineer",
    });
  });

  it("keeps the terms of a key, tells them to whoever listens, and replaces them as a whole", async () => {
    const terms: KeyTerms = {
      models: ["openai/*", "gpt-5-mini"],
      bundles: ["support-*"],
      requestsPerMinute: 600,
      tokensPerMinute: 20_000_000_000,
      concurrencyMax: 8,
      priority: "batch",
      budgetAccount: "research",
      deadlines: { queueMs: 500, totalMs: 60_000 },
    };
    const { key } = await identity.createKey(scope(), { name: "terms", role: "service", terms });
    expect(key.terms).toEqual(terms);

    const heard: KeyTerms[] = [];
    const stop = identity.onKeysChanged(async () => {
      const { keys } = await identity.keySnapshot(signal);
      heard.push(...keys.filter(({ id }) => id === key.id).map((row) => row.terms));
    });
    // Ids of keys come from identity.
    const keyId = key.id as KeyId;
    const changed = await identity.setKeyTerms(scope(), keyId, { concurrencyMax: 2 });
    stop();
    expect(changed.terms).toEqual({ concurrencyMax: 2 });
    expect(heard).toEqual([{ concurrencyMax: 2 }]);
    const other = await database.createTenant("terms-of-others");
    expect(await codeOf(identity.setKeyTerms(scope(other), keyId, {}))).toBe("not_found");
  });

  it("stores a key only as a hash", async () => {
    const { secret } = await identity.createKey(scope(), { name: "hidden", role: "viewer" });
    const rows = await database.sql<{ row: string }>(
      "select row_to_json(api_key)::text as row from api_key",
    );
    const all = rows.map(({ row }) => row).join("\n");
    expect(all).toContain(secret.slice(0, "fl_default_xxxx".length));
    expect(all).not.toContain(secret.slice("fl_default_xxxx".length));
  });

  it("tells malformed, unknown, expired and revoked keys apart", async () => {
    const unknown = formatKey(database.tenantId, (bound) => systemRandom.integer(bound));
    const mistyped = unknown.slice(0, -1) + (unknown.endsWith("a") ? "b" : "a");
    const short = await identity.createKey(scope(), {
      name: "short",
      role: "viewer",
      expiresInSeconds: 60,
    });
    const revoked = await identity.createKey(scope(), { name: "revoked", role: "viewer" });
    await identity.authenticate(short.secret, signal);
    await identity.authenticate(revoked.secret, signal);
    await identity.revokeKey(scope(), revoked.key.id as KeyId);
    await clock.advance(61_000);

    expect(await codeOf(identity.authenticate("sk-123", signal))).toBe("key_malformed");
    expect(await codeOf(identity.authenticate(mistyped, signal))).toBe("key_malformed");
    expect(await codeOf(identity.authenticate(unknown, signal))).toBe("key_unknown");
    expect(await codeOf(identity.authenticate(short.secret, signal))).toBe("key_expired");
    expect(await codeOf(identity.authenticate(revoked.secret, signal))).toBe("key_revoked");
  });

  it("never quotes a mistyped key back", async () => {
    const secret = "fl_default_not-a-real-secret-at-all";
    const error: unknown = await identity
      .authenticate(secret, signal)
      .catch((caught: unknown) => caught);
    expect(String(error)).not.toContain("real-secret");
  });

  it("revokes at once and for good, and tells its listeners", async () => {
    const heard: string[] = [];
    const stop = identity.onKeysChanged(async () => {
      heard.push("changed");
    });
    const { key, secret } = await identity.createKey(scope(), { name: "brief", role: "viewer" });
    await identity.authenticate(secret, signal);
    const first = await identity.revokeKey(scope(), key.id as KeyId);
    const second = await identity.revokeKey(scope(), key.id as KeyId);
    stop();
    expect(await codeOf(identity.authenticate(secret, signal))).toBe("key_revoked");
    expect(second.revokedAt).toBe(first.revokedAt);
    expect(heard).toEqual(["changed", "changed", "changed"]);
  });

  it("hides the keys of another tenant", async () => {
    const other = await database.createTenant("other");
    const { key } = await identity.createKey(scope(other), { name: "theirs", role: "admin" });
    const mine = await identity.listKeys(scope());
    expect(mine.map(({ id }) => id)).not.toContain(key.id);
    expect(await codeOf(identity.revokeKey(scope(), key.id as KeyId))).toBe("not_found");
    const theirs = await identity.listKeys(scope(other));
    expect(theirs).toMatchObject([{ id: key.id, name: "theirs" }]);
    expect(theirs[0]?.revokedAt).toBeUndefined();
  });

  it("notices within seconds what another process revoked", async () => {
    await using elsewhere = await openIdentity();
    const { key, secret } = await identity.createKey(scope(), { name: "shared", role: "viewer" });
    await elsewhere.authenticate(secret, signal);
    await identity.revokeKey(scope(), key.id as KeyId);
    await clock.advance(5_001);
    expect(await codeOf(elsewhere.authenticate(secret, signal))).toBe("key_revoked");
  });

  it("writes when a key was used last", async () => {
    const { key, secret } = await identity.createKey(scope(), { name: "used", role: "viewer" });
    await identity.authenticate(secret, signal);
    const listed = (await identity.listKeys(scope())).find(({ id }) => id === key.id);
    expect(listed?.lastUsedAt).toBe(new Date(clock.nowMs()).toISOString());
  });

  it("gives processes without a database every key by its hash", async () => {
    const { key } = await identity.createKey(scope(), { name: "gateway", role: "service" });
    const snapshot = await identity.keySnapshot(signal);
    expect(snapshot.keys.find(({ id }) => id === key.id)).toMatchObject({
      tenantId: "default",
      role: "service",
    });
    expect(snapshot.tenants).toContainEqual({ id: "default", capture: "metadata" });
  });

  it("creates a tenant once and changes what it captures", async () => {
    const team = "team-a" as TenantId;
    expect(await identity.putTenant(team, { signal })).toBe(true);
    expect(await identity.putTenant(team, { capture: "content", signal })).toBe(false);
    const { tenants } = await identity.keySnapshot(signal);
    expect(tenants).toContainEqual({ id: "team-a", capture: "content" });
  });
});
