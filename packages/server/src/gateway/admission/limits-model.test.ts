import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { notLimited } from "#config/index.ts";

import type { Layer } from "./layer.ts";
import { keyOf, limitsConfig, LimitsSimulation, type SimulatedCall } from "./limits-simulation.ts";
import { type AdmissionRequest, LayerTable } from "./layer-table.ts";

const keys = [
  keyOf(1, { requestsPerMinute: 6, concurrencyMax: 2 }),
  keyOf(2, { tokensPerMinute: 900 }),
  keyOf(3),
];
const table = new LayerTable(
  limitsConfig({
    user: { ...notLimited, requestsPerMinute: 4, concurrencyMax: 1 },
    tenant: { requestsPerMinute: 30_000, tokensPerMinute: 2_000, concurrencyMax: 3 },
    models: [
      { name: "a/one", limits: { ...notLimited, tokensPerMinute: 1_500, concurrencyMax: 2 } },
      { name: "*", limits: { ...notLimited, concurrencyMax: 64 } },
    ],
    providers: [{ name: "b", limits: { ...notLimited, requestsPerMinute: 5, concurrencyMax: 1 } }],
  }),
  keys,
);

const plain: AdmissionRequest = {
  key: keyOf(3),
  user: undefined,
  modelId: "a/one",
  provider: "a",
  clientAddress: "192.0.2.1",
  tokens: 1,
};

const workers = fc.nat({ max: 2 });
const targets = [
  { modelId: "a/one", provider: "a" },
  { modelId: "a/other", provider: "a" },
  { modelId: "b/two", provider: "b" },
];
const target = fc.constantFrom(...targets);
const request: fc.Arbitrary<AdmissionRequest> = fc
  .record({
    target,
    key: fc.constantFrom(...keys),
    user: fc.constantFrom(undefined, "ann", "bob"),
    clientAddress: fc.constant("192.0.2.1"),
    tokens: fc.integer({ min: 1, max: 900 }),
  })
  .map(({ target: asked, ...rest }) => ({ ...rest, ...asked }));
const share = fc.double({ min: 0, max: 1, noNaN: true });

type Step = (world: LimitsSimulation) => void;
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(workers, request).map(ask) },
  { weight: 4, arbitrary: fc.tuple(fc.nat(), share).map(end) },
  { weight: 4, arbitrary: fc.tuple(fc.nat(), target, share).map(turn) },
  { weight: 1, arbitrary: fc.nat().map(leave) },
  { weight: 6, arbitrary: workers.map(to((world, worker) => void world.deliverUp(worker))) },
  { weight: 6, arbitrary: workers.map(to((world, worker) => void world.deliverDown(worker))) },
  { weight: 2, arbitrary: fc.constant<Step>((world) => world.deliverAll()) },
  { weight: 3, arbitrary: workers.map(to((world, worker) => world.tickWorker(worker))) },
  { weight: 2, arbitrary: fc.nat({ max: 4_000 }).map(pass) },
  { weight: 1, arbitrary: workers.map(to((world, worker) => world.kill(worker))) },
);
const steps = fc.array(step, { maxLength: 200, size: "max" });

function to(act: (world: LimitsSimulation, worker: number) => void): (worker: number) => Step {
  return (worker) => (world) => act(world, worker);
}

function ask([worker, asked]: [number, AdmissionRequest]): Step {
  return (world) => {
    world.ask(worker, asked);
  };
}

function end([which, part]: [number, number]): Step {
  return (world) => {
    const running = world.calls.filter(({ state }) => state === "running" || state === "turning");
    const call = running[which % Math.max(1, running.length)];
    if (call !== undefined) world.end(call, usedBy(call, part));
  };
}

function turn([which, to, part]: [number, (typeof targets)[number], number]): Step {
  return (world) => {
    const running = world.calls.filter(({ state }) => state === "running");
    const call = running[which % Math.max(1, running.length)];
    if (call !== undefined) world.turn(call, to, usedBy(call, part));
  };
}

/** So many tokens by now, of which some may have been used with earlier targets. */
function usedBy({ request: { tokens }, usedBefore }: SimulatedCall, part: number): number {
  return usedBefore + Math.floor((tokens - usedBefore) * part);
}

/** The latest call of each caller, who makes one at a time. */
type Callers = Map<number, SimulatedCall>;

/** A caller ends its call, or makes its next one at this worker. */
function goOn([caller, worker]: [number, number]): (
  world: LimitsSimulation,
  callers: Callers,
) => void {
  return (world, latest) => {
    const call = latest.get(caller);
    if (call?.state === "running") world.end(call, 1);
    else if (call?.state !== "waiting") latest.set(caller, world.ask(worker, plain));
  };
}

function leave(which: number): Step {
  return (world) => {
    const waiting = world.calls.filter(({ state }) => state === "waiting");
    const call = waiting[which % Math.max(1, waiting.length)];
    if (call !== undefined) world.leave(call);
  };
}

function pass(durationMs: number): Step {
  return (world) => {
    world.nowMs += durationMs;
    world.authority.tick(world.nowMs);
  };
}

/** The layers that count a call now: of targets, that of its own. */
function layersOf({ request: asked, visit }: SimulatedCall): readonly Layer[] {
  const ofTarget = visit === undefined ? [] : table.layersOfTarget(visit.request);
  return [...layersBeside(asked), ...ofTarget];
}

function layersBeside(asked: AdmissionRequest): readonly Layer[] {
  return table.layersOf(asked).filter(({ scope }) => scope !== "model" && scope !== "provider");
}

/** How many calls run in a layer, against what it allows. */
function expectPlaces(world: LimitsSimulation): void {
  const counts = new Map<string, { count: number; max: number }>();
  for (const call of world.calls) {
    if (call.state !== "running" && call.state !== "turning") continue;
    for (const { id, limits } of layersOf(call)) {
      if (limits.concurrencyMax === undefined) continue;
      const count = (counts.get(id)?.count ?? 0) + 1;
      counts.set(id, { count, max: limits.concurrencyMax });
    }
  }
  for (const [id, { count, max }] of counts) expect(count, id).toBeLessThanOrEqual(max);
}

interface Use {
  readonly atMs: number;
  readonly units: number;
}

/** No window of time sees more than one bucket and what flows in during the window. */
function expectRate(id: string, perMinute: number, uses: readonly Use[]): void {
  const sorted = [...uses].sort((left, right) => left.atMs - right.atMs);
  sorted.forEach((first, index) => {
    let sum = 0;
    for (const use of sorted.slice(index)) {
      sum += use.units;
      const allowed = perMinute + (perMinute / 60_000) * (use.atMs - first.atMs);
      expect(sum, `${id} from ${first.atMs} to ${use.atMs}`).toBeLessThanOrEqual(allowed + 1e-6);
    }
  });
}

function expectRates(world: LimitsSimulation): void {
  const layers = new Map<string, { requests: Use[]; tokens: Use[]; limits: typeof notLimited }>();
  const note = (of: readonly Layer[], atMs: number, tokensUsed: number): void => {
    for (const { id, limits } of of) {
      const known = layers.get(id) ?? { requests: [], tokens: [], limits };
      layers.set(id, known);
      known.requests.push({ atMs, units: 1 });
      known.tokens.push({ atMs, units: tokensUsed });
    }
  };
  for (const call of world.calls) {
    if (call.grant === undefined) continue;
    note(layersBeside(call.request), call.admittedMs, call.tokensUsed);
    for (const { request: asked, admittedMs, tokensUsed } of call.visits) {
      note(table.layersOfTarget(asked), admittedMs, tokensUsed);
    }
  }
  for (const [id, { requests, tokens, limits }] of layers) {
    if (limits.requestsPerMinute !== undefined) expectRate(id, limits.requestsPerMinute, requests);
    if (limits.tokensPerMinute !== undefined) expectRate(id, limits.tokensPerMinute, tokens);
  }
}

function expectNothingLeft(world: LimitsSimulation): void {
  expect(world.calls.filter(({ state }) => state === "waiting")).toEqual([]);
  expect(world.authority.pendingCount).toBe(0);
  expect(world.authority.layerCount).toBe(0);
  for (const { limits } of world.workers) {
    expect(limits.waitingCount).toBe(0);
    expect(limits.sliceCount).toBe(0);
  }
}

describe("limits on leased slices", () => {
  it("never admit more than a limit, whatever the order of calls, messages and deaths; and nothing leaks", () => {
    fc.assert(
      fc.property(steps, (taken) => {
        const world = new LimitsSimulation(table);
        for (const one of taken) {
          one(world);
          expectPlaces(world);
        }
        // Whoever still waits is answered once messages arrive.
        world.settle(3_000);
        expect(world.calls.filter(({ state }) => state === "waiting")).toEqual([]);
        expectPlaces(world);
        for (const call of world.calls) world.end(call, call.usedBefore);
        expectRates(world);
        world.settle(70_000);
        expectNothingLeft(world);
      }),
      { numRuns: 400 },
    );
  });

  it("give a worker that alone has demand the whole limit, whatever the others hold idle", () => {
    fc.assert(
      fc.property(fc.array(workers, { maxLength: 40 }), (before) => {
        const rates = {
          requestsPerMinute: 100_000,
          tokensPerMinute: undefined,
          concurrencyMax: 200,
        };
        const world = new LimitsSimulation(new LayerTable(limitsConfig({ tenant: rates }), keys));
        for (const worker of before) {
          const call = world.ask(worker, plain);
          world.deliverAll();
          world.end(call, 1);
        }
        const calls = Array.from({ length: 200 }, () => world.ask(0, plain));
        world.deliverAll();
        expect(calls.filter(({ state }) => state === "running")).toHaveLength(200);
        const beyond = world.ask(0, plain);
        world.deliverAll();
        expect(beyond.refusal).toMatchObject({
          scope: "tenant",
          dimension: "concurrency",
          left: 0,
        });
      }),
      { numRuns: 100 },
    );
  });

  it("never refuse a caller that goes on alone, from worker to worker, before it has used up its limit", () => {
    const limits = { requestsPerMinute: 50, tokensPerMinute: 1_000, concurrencyMax: 1 };
    const alone = new LayerTable(limitsConfig({ tenant: limits }), keys);
    const one = fc.record({
      worker: workers,
      tokens: fc.integer({ min: 1, max: 400 }),
      share: fc.double({ min: 0, max: 0.2, noNaN: true }),
      reportsBefore: fc.boolean(),
      reportsAfter: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 50, size: "max" }), (calls) => {
        const world = new LimitsSimulation(alone);
        let used = 0;
        for (const { worker, tokens, share, reportsBefore, reportsAfter } of calls) {
          const call = world.ask(worker, { ...plain, tokens });
          world.deliverAll();
          if (used + tokens > limits.tokensPerMinute) break;
          expect(call.state, `${used} used, ${tokens} needed`).toBe("running");
          if (reportsBefore) world.tickWorker(worker);
          world.deliverAll();
          const now = Math.floor(tokens * share);
          used += now;
          world.end(call, now);
          if (reportsAfter) world.tickWorker(worker);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("never refuse one of as many callers as there are places, whatever overtakes what", () => {
    const callerCount = 4;
    const limits = { ...notLimited, concurrencyMax: callerCount };
    const shared = new LayerTable(limitsConfig({ tenant: limits }), keys);
    const move = fc.oneof(
      fc.tuple(fc.nat({ max: callerCount - 1 }), workers).map(goOn),
      workers.map(to((world, worker) => void world.deliverUp(worker))),
      workers.map(to((world, worker) => void world.deliverDown(worker))),
      workers.map(to((world, worker) => world.tickWorker(worker))),
    );
    fc.assert(
      fc.property(fc.array(move, { maxLength: 300, size: "max" }), (moves) => {
        const world = new LimitsSimulation(shared);
        const callers: Callers = new Map();
        for (const one of moves) {
          one(world, callers);
          expect(world.calls.filter(({ state }) => state === "refused")).toEqual([]);
        }
        world.deliverAll();
        expect(world.calls.filter(({ state }) => state === "waiting")).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });
});
