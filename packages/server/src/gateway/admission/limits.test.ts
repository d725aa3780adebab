import { describe, expect, it } from "vitest";

import { notLimited } from "#config/index.ts";

import { type AdmissionRequest, LayerTable } from "./layer-table.ts";
import { leaseBounds } from "./lease-bounds.ts";
import { keyOf, limitsConfig, LimitsSimulation } from "./limits-simulation.ts";

const key = keyOf(1);
const plain: AdmissionRequest = {
  key,
  user: undefined,
  modelId: "a/one",
  provider: "a",
  clientAddress: "192.0.2.1",
  tokens: 10,
};

function worldOf(limits: Parameters<typeof limitsConfig>[0]): LimitsSimulation {
  return new LimitsSimulation(new LayerTable(limitsConfig(limits), [key]));
}

function askAll(world: LimitsSimulation, count: number, request = plain) {
  const calls = Array.from({ length: count }, () => world.ask(0, request));
  world.deliverAll();
  return calls;
}

describe("a worker's limits", () => {
  it("decide in memory, without a message, while a slice holds enough", () => {
    const world = worldOf({ tenant: { ...notLimited, requestsPerMinute: 600_000 } });
    askAll(world, 1);
    const before = world.messageCount;
    expect(askAll(world, 500).map(({ state }) => state)).not.toContain("waiting");
    expect(world.messageCount).toBe(before);
  });

  it("send one message at a time, however many calls ask", () => {
    const world = worldOf({ tenant: { ...notLimited, concurrencyMax: 5 } });
    for (let index = 0; index < 200; index += 1) world.ask(0, plain);
    expect(world.worker(0).up).toHaveLength(1);
    world.deliverAll();
    // An ask, the asks that waited, an answer to each, and two rounds in which what is idle is called back.
    expect(world.messageCount).toBe(8);
    expect(world.calls.filter(({ state }) => state === "running")).toHaveLength(5);
  });

  it("go on with what a worker holds while the control process is away, then refuse and say so", () => {
    const world = worldOf({ tenant: { ...notLimited, requestsPerMinute: 6_000 } });
    askAll(world, 1);
    const held = Array.from({ length: 30 }, () => world.ask(0, plain));
    // Nothing is delivered from here on.
    const running = held.filter(({ state }) => state === "running");
    expect(running.length).toBeGreaterThan(10);
    expect(held.filter(({ state }) => state === "waiting").length).toBe(30 - running.length);
    world.nowMs += leaseBounds.askMsMax;
    world.tickWorker(0);
    for (const call of held.slice(running.length)) {
      expect(call.refusal).toMatchObject({ scope: "tenant", reason: "unanswered" });
    }
    // When it is back, what it lent late is there for whoever comes next, and nothing is lost.
    world.settle(2_000);
    expect(askAll(world, 1)[0]?.state).toBe("running");
  });

  it("do not ask again for a rate that was refused a moment ago", () => {
    const world = worldOf({ tenant: { ...notLimited, requestsPerMinute: 60 } });
    askAll(world, 61);
    const before = world.messageCount;
    const again = askAll(world, 100);
    expect(again.every(({ state }) => state === "refused")).toBe(true);
    expect(world.messageCount).toBe(before);
    world.settle(1_000);
    expect(askAll(world, 2).map(({ state }) => state)).toEqual(["running", "refused"]);
  });

  it("do not admit a call that left while others were told", () => {
    const world = worldOf({ tenant: { ...notLimited, concurrencyMax: 64 } });
    const { limits } = world.worker(0);
    world.ask(0, plain);
    const behind: ReturnType<typeof askAll> = [];
    // It and those behind it wait for the answer to the first, which brings enough for all.
    limits.admit(plain, () => {
      for (const call of behind) call.leave();
    });
    behind.push(world.ask(0, plain));
    for (const call of behind) call.state = "left";
    world.deliverAll();
    const others = askAll(world, 64).filter(({ state }) => state === "running");
    expect(others).toHaveLength(62);
  });

  it("refuse at once when too many calls wait", () => {
    const world = worldOf({ tenant: { ...notLimited, concurrencyMax: 1 } });
    const calls = Array.from({ length: leaseBounds.waitingCountMax + 5 }, () =>
      world.ask(0, plain),
    );
    expect(calls.filter(({ refusal }) => refusal?.reason === "unanswered")).toHaveLength(5);
    expect(world.worker(0).limits.waitingCount).toBe(leaseBounds.waitingCountMax);
  });

  it("charge what a call used beyond its reservation, so that the next ones wait for it", () => {
    const world = worldOf({ tenant: { ...notLimited, tokensPerMinute: 600 } });
    const [call] = askAll(world, 1);
    if (call !== undefined) world.end(call, 900);
    world.settle(100);
    const [refused] = askAll(world, 1);
    expect(refused?.refusal).toMatchObject({ dimension: "tokens", left: 0, needed: 10 });
    // 300 beyond the minute's 600, and 10 for the next one, at ten a second.
    expect(refused?.refusal?.retryAfterMs).toBeGreaterThan(30_000);
    world.settle(31_100);
    expect(askAll(world, 1)[0]?.state).toBe("running");
  });

  it("count a call that turned to another target no more at the first, and still everywhere else", () => {
    const world = worldOf({
      tenant: { ...notLimited, concurrencyMax: 2 },
      models: [{ name: "a/one", limits: { ...notLimited, concurrencyMax: 1 } }],
    });
    const [turning] = askAll(world, 1);
    expect(askAll(world, 1)[0]?.refusal?.scope).toBe("model");
    // As often as it likes: what was given back is not given back again.
    turning?.grant?.leaveTarget(0);
    turning?.grant?.leaveTarget(0);
    expect(askAll(world, 1)[0]?.state).toBe("running");
    turning?.grant?.settle(0);
    turning?.grant?.leaveTarget(0);
    // The tenant has two calls under way, and the model one.
    expect(askAll(world, 1)[0]?.state).toBe("refused");
    turning?.grant?.release();
    turning?.grant?.leaveTarget(0);
    expect(askAll(world, 1)[0]?.refusal?.scope).toBe("model");
  });

  it("hold a slice to the limits of the day on which it is lent", () => {
    const before = { ...notLimited, concurrencyMax: 64 };
    const world = worldOf({ tenant: before });
    world.ask(0, plain);
    world.deliverUp(0);
    // The new limits come to the worker before the answer to what it asked under the old ones.
    world.table = new LayerTable(limitsConfig({ tenant: { ...before, requestsPerMinute: 5 } }), [
      key,
    ]);
    world.authority.apply(world.table, world.nowMs);
    world.worker(0).limits.apply(world.table);
    world.deliverAll();
    const calls = askAll(world, 50);
    expect(calls.filter(({ state }) => state === "running").length).toBeLessThanOrEqual(5);
  });

  it("refuse what can never fit without asking", () => {
    const world = worldOf({ tenant: { ...notLimited, tokensPerMinute: 600 } });
    const call = world.ask(0, { ...plain, tokens: 601 });
    expect(call.refusal).toMatchObject({ limit: 600, needed: 601 });
    expect(world.messageCount).toBe(0);
  });
});

describe("many users of one tenant", () => {
  it("share one counter beyond a bound, whichever worker they come to", () => {
    const world = worldOf({ user: { ...notLimited, requestsPerMinute: 5 } });
    for (let index = 0; index < leaseBounds.layersPerTenantMax; index += 1) {
      world.ask(index % 3, { ...plain, user: `user ${index}` });
      world.deliverAll();
    }
    const beyond = Array.from({ length: 9 }, (_, index) =>
      world.ask(index % 3, { ...plain, user: `one more ${index}` }),
    );
    world.deliverAll();
    expect(beyond.filter(({ state }) => state === "running")).toHaveLength(5);
    expect(world.authority.layerCount).toBe(leaseBounds.layersPerTenantMax + 1);
    // Whoever is counted alone goes on alone.
    expect(askAll(world, 1, { ...plain, user: "user 7" })[0]?.state).toBe("running");
    world.settle(70_000);
    expect(world.authority.layerCount).toBe(0);
  });

  it("cost a bounded name each", () => {
    const world = worldOf({ user: { ...notLimited, requestsPerMinute: 1 } });
    const user = "u".repeat(100_000);
    askAll(world, 1, { ...plain, user });
    const [refused] = askAll(world, 1, { ...plain, user });
    expect(refused?.refusal?.name).toMatch(/^acme\/sha256:[0-9a-f]{32}$/);
  });
});

describe("addresses whose keys fail", () => {
  const address = "192.0.2.9";

  it("are refused by all workers once they failed too often, until the window is over", () => {
    const world = worldOf({});
    for (let index = 0; index < 5; index += 1) {
      const { limits } = world.worker(index % 3);
      expect(limits.failedKeys.refusalOf(address, world.nowMs)).toBeUndefined();
      limits.failedKeys.note(address, world.nowMs);
      limits.flush();
      world.deliverAll();
    }
    for (const { limits } of world.workers) {
      const { failedKeys } = limits;
      expect(failedKeys.refusalOf(address, world.nowMs)).toMatchObject({ limit: 5, name: address });
      expect(failedKeys.refusalOf("192.0.2.10", world.nowMs)).toBeUndefined();
    }
    world.kill(1);
    world.deliverAll();
    expect(world.worker(1).limits.failedKeys.refusalOf(address, world.nowMs)).toBeDefined();
    world.settle(60_100);
    expect(world.worker(0).limits.failedKeys.refusalOf(address, world.nowMs)).toBeUndefined();
  });

  it("are bounded in number", () => {
    const world = worldOf({});
    const { failedKeys } = world.worker(0).limits;
    for (let index = 0; index < 5; index += 1) failedKeys.note("blocked", 0);
    for (let index = 0; index < leaseBounds.failedAddressCountMax * 2; index += 1) {
      failedKeys.note(`address ${index}`, 0);
    }
    expect(failedKeys.refusalOf("blocked", 1)).toBeDefined();
    expect(failedKeys.takeUnreported()).toHaveLength(leaseBounds.failedBatchMax);
  });
});
