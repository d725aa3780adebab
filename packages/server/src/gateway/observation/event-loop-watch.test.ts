/** The earliest arrival of a request: against a loop that is told what it did, and in a worker whose loop stands still. */

import { describe, expect, it } from "vitest";

import { type EventLoop, systemClock } from "#kernel/index.ts";

import { exchange } from "../test/raw-client.ts";
import { openTestGateway, type TestGateway, testSecret } from "../test/test-gateway.ts";
import { EventLoopWatch } from "./event-loop-watch.ts";

/** A loop whose time passes only as the test says. */
class ScriptedLoop implements EventLoop {
  nowMs = 0;
  #idleMs = 0;
  #afterPoll: (() => void)[] = [];
  readonly clock = { ...systemClock, monotonicMs: () => this.nowMs };
  readonly connection = {};

  idleMs(): number {
    return this.#idleMs;
  }

  afterPoll(run: () => void): void {
    this.#afterPoll.push(run);
  }

  busy(durationMs: number): void {
    this.nowMs += durationMs;
  }

  idle(durationMs: number): void {
    this.nowMs += durationMs;
    this.#idleMs += durationMs;
  }

  endPoll(): void {
    for (const run of this.#afterPoll.splice(0)) run();
  }
}

function open(): { loop: ScriptedLoop; watch: EventLoopWatch } {
  const loop = new ScriptedLoop();
  return { loop, watch: new EventLoopWatch(loop.clock, loop) };
}

describe("the earliest arrival of a request", () => {
  it("is now, when the loop waited for it", () => {
    const { loop, watch } = open();
    loop.idle(1_000);
    expect(watch.arrivedMs(loop.connection)).toBe(1_000);
  });

  it("is the start of the iteration before, when the loop found it at once", () => {
    const { loop, watch } = open();
    loop.idle(100);
    watch.touch();
    loop.busy(500);
    loop.endPoll();
    expect(watch.arrivedMs(loop.connection)).toBe(100);
    loop.busy(30);
    loop.endPoll();
    expect(watch.arrivedMs(loop.connection)).toBe(600);
  });

  it("counts busy time that nobody touched, before and after the loop waited", () => {
    const { loop, watch } = open();
    watch.touch();
    loop.endPoll();
    loop.idle(300);
    loop.busy(500);
    expect(watch.arrivedMs(loop.connection)).toBe(300);
  });

  it("is the same for all requests of one iteration", () => {
    const { loop, watch } = open();
    loop.idle(10);
    expect(watch.arrivedMs(loop.connection)).toBe(10);
    loop.busy(40);
    expect(watch.arrivedMs({})).toBe(10);
  });

  it("is that of the connection, when its first request came at once", () => {
    const { loop, watch } = open();
    loop.idle(100);
    watch.touch();
    loop.busy(500);
    loop.endPoll();
    watch.accept(loop.connection);
    loop.busy(5);
    loop.endPoll();
    expect(watch.arrivedMs({})).toBe(600);
    expect(watch.arrivedMs(loop.connection)).toBe(100);
    // Only the first one came with the connection.
    expect(watch.arrivedMs(loop.connection)).toBe(600);
  });

  it("forgets the connection's when the loop has waited since", () => {
    const { loop, watch } = open();
    watch.accept(loop.connection);
    loop.endPoll();
    loop.idle(100);
    expect(watch.arrivedMs(loop.connection)).toBe(100);
  });
});

const body = '{"model":"simulated","messages":[{"role":"user","content":"x"}]}';

async function call(world: TestGateway, simulate: string): Promise<number> {
  const head = [
    "POST /v1/chat/completions HTTP/1.1",
    `authorization: Bearer ${testSecret}`,
    `x-faultline-simulate: ${simulate}`,
  ];
  return (await exchange(world.gateway.port, head, body)).status;
}

const waits = (span: { attributes: Readonly<Record<string, unknown>> }): number =>
  Number(span.attributes["faultline.loop_wait.seconds"] ?? 0);

describe("a worker whose loop stands still", () => {
  it("has the time in the latency of what came meanwhile, and none when it is idle", async () => {
    await using world = await openTestGateway();
    // The first call pays for what is compiled on the way.
    await call(world, "tokens=1");
    await call(world, "tokens=2");
    const calm = await world.spanWhere(
      ({ attributes }) => attributes["gen_ai.usage.output_tokens"] === 2,
    );
    const block = { isOver: false };
    const blocked = call(world, "block=500ms, tokens=3").finally(() => {
      block.isOver = true;
    });
    const meanwhile: Promise<number>[] = [];
    while (!block.isOver) {
      meanwhile.push(call(world, "tokens=4"));
      await systemClock.sleep(5, new AbortController().signal);
    }
    expect(new Set([await blocked, ...(await Promise.all(meanwhile))])).toEqual(new Set([200]));
    const late = await world.spanWhere((span) => waits(span) > 0.4);
    expect(late.attributes["gen_ai.usage.output_tokens"]).toBe(4);
    expect(late.durationNanos).toBeGreaterThan(400e6);
    expect(waits(calm)).toBeLessThan(0.25);
    const metrics = await world.gateway.metrics();
    const seconds = /^faultline_gateway_loop_wait_seconds_total (\S+)/m.exec(metrics)?.[1];
    expect(Number(seconds)).toBeGreaterThan(0.4);
  });
});
