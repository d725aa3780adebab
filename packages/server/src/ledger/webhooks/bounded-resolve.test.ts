import type { LookupAddress } from "node:dns";

import { describe, expect, it } from "vitest";

import { boundedResolve } from "./bounded-resolve.ts";

const address: LookupAddress = { address: "93.184.216.34", family: 4 };
const { signal } = new AbortController();

/** Looks names up when the test says so. */
function openNames() {
  const begun = new Map<string, PromiseWithResolvers<readonly LookupAddress[]>>();
  const resolve = boundedResolve(async (host) => {
    const answer = Promise.withResolvers<readonly LookupAddress[]>();
    begun.set(host, answer);
    return answer.promise;
  }, 2);
  return { begun, resolve };
}

describe("look-ups of names", () => {
  it("are few at once, and begin in the order in which they were asked for", async () => {
    const { begun, resolve } = openNames();
    const asked = ["a", "b", "c", "d"].map((host) => resolve(host, signal));
    await Promise.resolve();
    expect([...begun.keys()]).toEqual(["a", "b"]);
    begun.get("b")?.reject(new Error("no such name"));
    await expect(asked[1]).rejects.toThrow("no such name");
    begun.get("a")?.resolve([address]);
    expect(await asked[0]).toEqual([address]);
    begun.get("c")?.resolve([]);
    expect(await asked[2]).toEqual([]);
    expect([...begun.keys()]).toEqual(["a", "b", "c", "d"]);
    begun.get("d")?.resolve([address]);
    expect(await asked[3]).toEqual([address]);
  });

  it("that nobody waits for any more are not begun", async () => {
    const { begun, resolve } = openNames();
    const [one, other] = ["a", "b"].map((host) => resolve(host, signal));
    const leaving = new AbortController();
    const left = resolve("left", leaving.signal);
    const stays = resolve("stays", signal);
    leaving.abort(new DOMException("The attempt is over.", "AbortError"));
    await expect(left).rejects.toThrow("over");
    begun.get("a")?.resolve([]);
    await one;
    begun.get("b")?.resolve([]);
    await other;
    begun.get("stays")?.resolve([address]);
    expect(await stays).toEqual([address]);
    expect([...begun.keys()]).toEqual(["a", "b", "stays"]);
  });
});
