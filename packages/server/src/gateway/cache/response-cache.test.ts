/** What is in the cache, and for how long. */

import { openCatalog, loadCatalog } from "#catalog/index.ts";
import type { TenantId } from "@faultline/protocol";
import { array, assert, constantFrom, nat, property, record } from "fast-check";
import { describe, expect, it } from "vitest";

import { simulatedProvider } from "../test/test-gateway.ts";
import { cacheLimits } from "./limits.ts";
import { type CachedReply, ResponseCache } from "./response-cache.ts";

const found = openCatalog(loadCatalog([simulatedProvider]).snapshot).resolveModel("simulated");
if (found.kind !== "found") throw new Error("The catalog has the model.");
const { target } = found;

function reply(tenant: string, bytes: number, storedMs = 0): CachedReply {
  return {
    // Any text is one here.
    tenantId: tenant as TenantId,
    status: 200,
    head: {},
    body: Buffer.alloc(bytes),
    storedMs,
    target,
    responseId: undefined,
    responseModel: undefined,
    finishReasons: [],
  };
}

const young = { ageMsMax: 100, nowMs: 0 };
const room = 10 * cacheLimits.entryBytes;

describe("a cached reply", () => {
  it("answers up to its age", () => {
    const cache = new ResponseCache(() => room);
    cache.put("a", reply("t", 1, 50));
    expect(cache.find("a", { ageMsMax: 10, nowMs: 60 })).toBeDefined();
    expect(cache.find("a", { ageMsMax: 10, nowMs: 61 })).toBeUndefined();
    expect([cache.hitCount, cache.missCount]).toEqual([1, 1]);
  });

  it("goes when it was least recently used and there is no room", () => {
    const cache = new ResponseCache(() => 4 * cacheLimits.entryBytes);
    for (const [key, tenant] of [
      ["a", "t"],
      ["b", "u"],
      ["c", "v"],
    ] as const) {
      cache.put(key, reply(tenant, 0));
    }
    cache.find("a", young);
    cache.put("d", reply("w", cacheLimits.entryBytes));
    const left = ["a", "b", "c", "d"].filter((key) => cache.find(key, young) !== undefined);
    expect(left).toEqual(["a", "c", "d"].filter((key) => key !== "c" || cache.size === 3));
    expect(left).toContain("a");
    expect(left).not.toContain("b");
  });

  it("of one tenant leaves room for those of others", () => {
    const cache = new ResponseCache(() => room);
    cache.put("other", reply("other", 0));
    for (let index = 0; index < 100; index += 1) cache.put(`own-${index}`, reply("greedy", 0));
    expect(cache.find("other", young)).toBeDefined();
    expect(cache.find("own-99", young)).toBeDefined();
    expect(cache.bytes).toBeLessThanOrEqual(
      room * cacheLimits.tenantShareMax + cacheLimits.entryBytes,
    );
  });

  it("never takes more than there is, whatever comes", () => {
    const step = record({
      key: nat(20).map(String),
      tenant: constantFrom("a", "b", "c"),
      bytes: nat(4 * cacheLimits.entryBytes),
    });
    assert(
      property(array(step, { maxLength: 60 }), (steps) => {
        const cache = new ResponseCache(() => room);
        const newest = new Map<string, CachedReply>();
        for (const { key, tenant, bytes } of steps) {
          const own = reply(tenant, bytes);
          cache.put(key, own);
          newest.set(key, own);
          expect(cache.bytes).toBeLessThanOrEqual(room);
          const kept = [...newest.keys()].map((name) => cache.find(name, young));
          const sizes = kept.map((entry) =>
            entry === undefined ? 0 : entry.body.length + cacheLimits.entryBytes,
          );
          expect(cache.bytes).toBe(sizes.reduce((sum, size) => sum + size, 0));
        }
        for (const [key, own] of newest) {
          expect([undefined, own]).toContain(cache.find(key, young));
        }
      }),
    );
  });
});
