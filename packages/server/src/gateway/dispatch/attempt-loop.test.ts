import { array, assert, constantFrom, integer, oneof, property, record } from "fast-check";
import { describe, expect, it } from "vitest";

import { loadCatalog, type Target } from "#catalog/index.ts";
import { defaultDispatch, type DispatchConfig } from "#config/index.ts";
import { PlatformError } from "@faultline/protocol";
import { seededRandom, simulatedClock } from "@faultline/testkit";

import { providerAt } from "../test/test-gateway.ts";
import { AttemptLoop, type AttemptLoopOwner, type Unready } from "./attempt-loop.ts";
import { DeadlinePlan } from "./deadline-plan.ts";
import type { RouteTarget } from "./route-target.ts";
import { Targets } from "./targets.ts";

const names = ["first", "second", "third"];
const catalog = loadCatalog(names.map((name) => providerAt(1, { name })));
const routeTargets = names.map((name): RouteTarget => {
  const resolution = catalog.resolveModel(`${name}/model-a`);
  if (resolution.kind !== "found") throw new Error(`${name} is of the catalog`);
  return { target: resolution.target, contextTokenCountMax: undefined };
});

interface WorldOptions {
  readonly dispatch?: Partial<DispatchConfig>;
  readonly concurrencyMax?: number;
}

function openWorld(options: WorldOptions = {}) {
  const time = { nowMs: 0 };
  const clock = { ...simulatedClock(), monotonicMs: () => time.nowMs };
  const random = seededRandom("loop");
  const dispatch: DispatchConfig = { ...defaultDispatch, ...options.dispatch };
  const settings = { dispatch, concurrencyMax: options.concurrencyMax ?? 100 };
  const ticks = { add: () => {}, remove: () => {} };
  const targets = new Targets({ clock, random, ticks, settings: () => settings });
  const timeouts = {
    queueMs: 1_000,
    connectMs: 5_000,
    firstTokenMs: 10_000,
    interTokenMs: 10_000,
    totalMs: 60_000,
  };
  const openCall = (
    route: readonly RouteTarget[],
    headers = {},
    unready: Readonly<Record<string, Unready>> = {},
  ) => {
    const call = new TestCall(unready);
    call.loop = new AttemptLoop(
      {
        clock,
        targets,
        random,
        retries: dispatch.retries,
        plan: new DeadlinePlan(time.nowMs, timeouts, [headers]),
        route,
        limited: [],
        request: { tenant: "a", weight: 1, priority: "standard", cost: 1 },
        kind: "plain",
        waitedMs: 0,
      },
      call,
    );
    call.loop.begin();
    return call;
  };
  return { time, targets, openCall };
}

class TestCall implements AttemptLoopOwner {
  loop: AttemptLoop | undefined;
  readonly asked: string[] = [];
  givenUp: PlatformError | undefined;
  hasEnded = false;
  isUnderWay = false;

  readonly #unready: Readonly<Record<string, Unready>>;

  constructor(unready: Readonly<Record<string, Unready>>) {
    this.#unready = unready;
  }

  prepare(target: Target): "ready" | Unready {
    return this.#unready[target.provider.name] ?? "ready";
  }

  onTarget(target: Target): void {
    expect(this.isUnderWay || this.hasEnded).toBe(false);
    this.isUnderWay = true;
    this.asked.push(target.provider.name);
  }

  onGivenUp(error: PlatformError): void {
    expect(this.isUnderWay || this.hasEnded).toBe(false);
    this.givenUp = error;
    this.hasEnded = true;
  }

  fail(status: number, retryAfterMs?: number, code?: string): boolean {
    this.isUnderWay = false;
    const nothing = { code, type: undefined, message: undefined };
    const goesOn = this.loop?.failed({
      failure: { kind: "said", status, ...nothing },
      committed: false,
      retryAfterMs,
      shouldRetry: undefined,
      used: undefined,
    });
    if (goesOn !== true) this.hasEnded = true;
    return goesOn === true;
  }

  miss(deadline: "first-token"): void {
    this.isUnderWay = false;
    this.loop?.failed({
      failure: { kind: "deadline", deadline },
      committed: false,
      retryAfterMs: undefined,
      shouldRetry: undefined,
      used: undefined,
    });
  }

  complete(): void {
    this.isUnderWay = false;
    this.hasEnded = true;
    this.loop?.completed();
  }

  leave(): void {
    this.isUnderWay = false;
    this.hasEnded = true;
    this.loop?.leave();
  }
}

describe("AttemptLoop", () => {
  it("asks the same target again, and then the next", () => {
    const { openCall, time } = openWorld();
    const call = openCall(routeTargets);
    expect(call.fail(503)).toBe(true);
    time.nowMs += 10_000;
    call.loop?.onTick(time.nowMs);
    expect(call.fail(503)).toBe(true);
    expect(call.asked).toEqual(["first", "first", "second"]);
    call.complete();
    expect(call.loop?.failures.map(({ next }) => next)).toEqual(["retry", "fallback"]);
  });

  it("turns at once to another target when a wait is asked for that is too long", () => {
    const { openCall } = openWorld();
    const call = openCall(routeTargets);
    expect(call.fail(429, 30_000)).toBe(true);
    expect(call.asked).toEqual(["first", "second"]);
  });

  it("asks nobody whose breaker is open, and says when the next probe is due", () => {
    const breaker = { ...defaultDispatch.breaker, failureCountMax: 1 };
    const { openCall } = openWorld({ dispatch: { breaker } });
    const first = openCall(routeTargets.slice(0, 1));
    expect(first.fail(500)).toBe(true);
    const second = openCall(routeTargets.slice(0, 2));
    expect(second.asked).toEqual(["second"]);
    const third = openCall(routeTargets.slice(0, 1));
    expect(third.givenUp).toMatchObject({
      code: "target_unavailable",
      context: { retryAfter: expect.stringMatching(/^[12]$/) as unknown },
    });
  });

  it("does not take a target out for deadlines that a caller shortened", () => {
    const breaker = { ...defaultDispatch.breaker, failureCountMax: 1 };
    const { openCall, targets } = openWorld({ dispatch: { breaker } });
    const [route] = routeTargets;
    const late = (headers: object): void => openCall([route!], headers).miss("first-token");
    late({ firstTokenMs: 1 });
    expect(targets.of(route!.target).health.state).toBe("closed");
    late({});
    expect(targets.of(route!.target).health.state).toBe("open");
  });

  it("does not take such a deadline for a sign that the target is well either", () => {
    const breaker = { ...defaultDispatch.breaker, failureCountMax: 2 };
    const { openCall, targets, time } = openWorld({ dispatch: { breaker } });
    const [route] = routeTargets;
    const { health } = targets.of(route!.target);
    const late = (headers: object): void => openCall([route!], headers).miss("first-token");
    late({});
    late({ firstTokenMs: 1 });
    late({});
    expect(health.state).toBe("open");
    // A probe of such a caller shows nothing, and leaves its place to the next one.
    time.nowMs += defaultDispatch.breaker.openMsMax;
    late({ firstTokenMs: 1 });
    expect(health.state).toBe("half-open");
    expect(health.admits(time.nowMs)).toBe(true);
    expect(health.recent().successCount).toBe(0);
  });

  it("turns to a target that has room when the queue for the first is full or too slow", () => {
    const { openCall, targets, time } = openWorld({ concurrencyMax: 1 });
    const holder = openCall(routeTargets.slice(0, 1));
    const waiting = openCall(routeTargets);
    expect(waiting.asked).toEqual([]);
    time.nowMs += 1_000;
    targets.onTick(time.nowMs);
    // The wait has used up the deadline for places, so that only a free one is taken.
    expect(waiting.asked).toEqual(["second"]);
    const alone = openCall(routeTargets.slice(0, 1));
    time.nowMs += 1_000;
    targets.onTick(time.nowMs);
    expect(alone.givenUp?.code).toBe("limit_exceeded");
    holder.complete();
    waiting.complete();
    expect(targets.waitingCount).toBe(0);
  });

  it("skips a target that cannot be asked, and says why", () => {
    const { openCall, targets } = openWorld();
    const error = new PlatformError("translation_unsupported", "No word for it.");
    const unready: Unready = { refusal: "untranslatable", error };
    const call = openCall(routeTargets, {}, { first: unready });
    expect(call.asked).toEqual(["second"]);
    call.complete();
    expect(call.loop?.failures).toMatchObject([
      { target: "first/model-a", reason: "untranslatable", next: "fallback", used: undefined },
    ]);
    expect(call.loop?.attemptCount).toBe(1);
    const nobody = openCall(routeTargets.slice(0, 2), {}, { first: unready, second: unready });
    expect([nobody.asked, nobody.givenUp]).toEqual([[], error]);
    // It was none of their faults, and nothing was sent.
    for (const { health, attemptCount } of targets.states) {
      expect([health.state, attemptCount <= 1]).toEqual(["closed", true]);
    }
  });

  it("goes only to longer ones after a prompt that was too long, whoever is skipped on the way", () => {
    const { openCall } = openWorld();
    const lengths = [8_000, 32_000, 4_000];
    const route = routeTargets.map(({ target }, index) => ({
      target,
      contextTokenCountMax: lengths[index],
    }));
    const error = new PlatformError("limit_exceeded", "Used up.");
    const call = openCall(route, {}, { second: { refusal: "limit-reached", error } });
    call.fail(400, undefined, "context_length_exceeded");
    expect(call.asked).toEqual(["first"]);
    expect(call.givenUp).toBe(error);
  });

  it("holds at most one place, gives each back, and asks no more often than it may", () => {
    const step = oneof(
      record({ kind: constantFrom("open" as const), routeLength: integer({ min: 1, max: 3 }) }),
      record({
        kind: constantFrom("fail" as const, "complete" as const, "leave" as const),
        at: integer({ min: 0, max: 12 }),
        status: constantFrom(400, 401, 429, 500, 503, 529),
      }),
      record({ kind: constantFrom("wait" as const), ms: integer({ min: 1, max: 3_000 }) }),
    );
    assert(
      property(array(step, { maxLength: 80 }), (steps) => {
        const breaker = { ...defaultDispatch.breaker, failureCountMax: 3 };
        const { openCall, targets, time } = openWorld({ concurrencyMax: 2, dispatch: { breaker } });
        const calls: TestCall[] = [];
        for (const one of steps) {
          if (one.kind === "open") {
            calls.push(openCall(routeTargets.slice(0, one.routeLength)));
          } else if (one.kind === "wait") {
            time.nowMs += one.ms;
            targets.onTick(time.nowMs);
            for (const call of calls) if (!call.hasEnded) call.loop?.onTick(time.nowMs);
          } else {
            const call = calls[one.at];
            if (call === undefined || call.hasEnded) continue;
            if (one.kind === "leave") call.leave();
            else if (call.isUnderWay && one.kind === "fail") call.fail(one.status);
            else if (call.isUnderWay) call.complete();
          }
          const underWay = calls.filter(({ isUnderWay }) => isUnderWay).length;
          const taken = [...targets.states].map(({ concurrency }) => concurrency.takenCount);
          expect(taken.reduce((sum, count) => sum + count, 0)).toBe(underWay);
          expect(Math.max(0, ...taken)).toBeLessThanOrEqual(2);
        }
        for (const call of calls) {
          expect(call.asked.length).toBeLessThanOrEqual(3);
          if (!call.hasEnded) call.leave();
        }
        expect(targets.waitingCount).toBe(0);
        for (const { concurrency } of targets.states) expect(concurrency.takenCount).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});
