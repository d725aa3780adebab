import { array, assert, constantFrom, integer, oneof, property, record } from "fast-check";
import { describe, expect, it } from "vitest";

import { simulatedClock } from "@faultline/testkit";

import { FairQueue, type Gate, type QueueRefusal, type QueueRequest } from "./fair-queue.ts";

class Places implements Gate {
  taken = 0;
  max: number;
  constructor(max: number) {
    this.max = max;
  }
  tryTake(): boolean {
    if (this.taken >= this.max) return false;
    this.taken += 1;
    return true;
  }
  giveBack(): void {
    this.taken -= 1;
  }
}

interface Call {
  readonly tenant: string;
  state: "waiting" | "admitted" | QueueRefusal;
  leave: () => void;
}

function openQueue(options: { places: number; lengthMax?: number; ageMs?: number }) {
  const clock = simulatedClock();
  const gate = new Places(options.places);
  const bounds = { lengthMax: options.lengthMax ?? 1_024, ageMs: options.ageMs ?? 1_000 };
  const queue = new FairQueue(clock, () => bounds);
  const lane = queue.openLane(gate);
  const admitted: Call[] = [];
  const enter = (overrides: Partial<QueueRequest> = {}): Call => {
    const request: QueueRequest = {
      tenant: "a",
      weight: 1,
      priority: "standard",
      cost: 1,
      queueMsMax: 1_000_000,
      ...overrides,
    };
    const call: Call = { tenant: request.tenant, state: "waiting", leave: () => {} };
    call.leave = lane.enter(request, {
      admitted: () => {
        call.state = "admitted";
        admitted.push(call);
      },
      refused: (refusal) => {
        call.state = refusal;
      },
    });
    return call;
  };
  const tick = async (durationMs: number): Promise<void> => {
    await clock.advance(durationMs);
    queue.onTick(clock.monotonicMs());
  };
  return { clock, gate, queue, lane, admitted, enter, tick };
}

function countOf(calls: readonly Call[], tenant: string): number {
  return calls.filter((call) => call.tenant === tenant).length;
}

/** Gives back the oldest place again and again, and says whom it served. */
function serve(admitted: Call[], count: number): Call[] {
  const served: Call[] = [];
  while (served.length < count) {
    const [first] = admitted.splice(0, 1);
    if (first === undefined) break;
    served.push(first);
    first.leave();
  }
  return served;
}

describe("FairQueue", () => {
  it("admits at once while places are free, and then in turn", () => {
    const { enter, queue } = openQueue({ places: 1 });
    const first = enter();
    const second = enter();
    expect([first.state, second.state, queue.length]).toEqual(["admitted", "waiting", 1]);
    first.leave();
    expect([second.state, queue.length]).toEqual(["admitted", 0]);
  });

  it("stays within its bound when those who have to go turn to another lane at once", () => {
    const { clock } = openQueue({ places: 0 });
    const queue = new FairQueue(clock, () => ({ lengthMax: 4, ageMs: 1_000 }));
    const lanes = [queue.openLane(new Places(0)), queue.openLane(new Places(0))];
    const request = { weight: 1, cost: 1, priority: "standard", queueMsMax: 1_000 } as const;
    let goneCount = 0;
    const enter = (tenant: string, [lane, ...rest] = lanes): void => {
      lane?.enter(
        { ...request, tenant },
        {
          admitted: () => {},
          refused: () => {
            if (rest.length > 0) enter(tenant, rest);
            else goneCount += 1;
          },
        },
      );
    };
    for (let index = 0; index < 4; index += 1) enter("burst");
    for (let index = 0; index < 50; index += 1) enter(`tenant ${index}`);
    expect([queue.length, goneCount]).toEqual([4, 50]);
  });

  it("keeps a tenant's share while another bursts 100 times its own", () => {
    const { enter, admitted } = openQueue({ places: 8, lengthMax: 256 });
    const served: Call[] = [];
    const lost: Call[] = [];
    for (let round = 0; round < 200; round += 1) {
      // Eight calls are served in each round: half of them is the share of each tenant.
      const quiet = Array.from({ length: 4 }, () => enter({ tenant: "quiet" }));
      for (let index = 0; index < 400; index += 1) enter({ tenant: "burst" });
      served.push(...serve(admitted, 8));
      lost.push(...quiet.filter((call) => call.state === "queue-full"));
    }
    expect(lost).toEqual([]);
    // What was asked for in the last rounds may still wait.
    expect(countOf(served, "quiet")).toBeGreaterThanOrEqual(200 * 4 - 8);
    expect(countOf(served, "burst")).toBeGreaterThanOrEqual(200 * 4 - 8);
  });

  it("keeps the share of a batch tenant beside a burst of interactive calls, once it has waited", async () => {
    const { enter, admitted, tick } = openQueue({ places: 4, lengthMax: 400, ageMs: 100 });
    const served: Call[] = [];
    for (let round = 0; round < 200; round += 1) {
      for (let index = 0; index < 2; index += 1) enter({ tenant: "quiet", priority: "batch" });
      for (let index = 0; index < 200; index += 1) {
        enter({ tenant: "burst", priority: "interactive" });
      }
      await tick(20);
      served.push(...serve(admitted, 4));
    }
    // Two classes of 100 ms each are ten rounds of delay, after which it gets all it asks for.
    expect(countOf(served, "quiet")).toBeGreaterThanOrEqual(200 * 2 - 11 * 2);
  });

  it("keeps the share of new calls beside a backlog that has aged", async () => {
    const { enter, admitted, tick } = openQueue({ places: 4, lengthMax: 1_000, ageMs: 100 });
    for (let index = 0; index < 900; index += 1) enter({ tenant: "burst" });
    await tick(1_000);
    const served: Call[] = [];
    for (let round = 0; round < 50; round += 1) {
      for (let index = 0; index < 2; index += 1) {
        enter({ tenant: "quiet", priority: "interactive" });
      }
      await tick(10);
      served.push(...serve(admitted, 4));
    }
    expect(countOf(served, "quiet")).toBeGreaterThanOrEqual(50 * 2 - 4);
  });

  it("shares by cost: large calls count for more", () => {
    const { enter, admitted } = openQueue({ places: 1, lengthMax: 1_000 });
    enter({ tenant: "first" });
    for (let index = 0; index < 300; index += 1) {
      enter({ tenant: "large", cost: 9_000 });
      enter({ tenant: "small", cost: 1_000 });
    }
    const served = serve(admitted, 201);
    expect(countOf(served, "large")).toBeGreaterThanOrEqual(18);
    expect(countOf(served, "large")).toBeLessThanOrEqual(22);
  });

  it("shares by weight", () => {
    const { enter, admitted } = openQueue({ places: 1, lengthMax: 2_000 });
    enter({ tenant: "first" });
    for (let index = 0; index < 500; index += 1) {
      enter({ tenant: "heavy", weight: 3, cost: 1_000 });
      enter({ tenant: "light", weight: 1, cost: 1_000 });
    }
    const served = serve(admitted, 401);
    expect(countOf(served, "heavy")).toBeGreaterThanOrEqual(294);
    expect(countOf(served, "heavy")).toBeLessThanOrEqual(306);
  });

  it("serves the urgent of a tenant first, and lets the others age", async () => {
    const { enter, tick } = openQueue({ places: 1, ageMs: 100 });
    const first = enter();
    const batch = enter({ priority: "batch" });
    const standard = enter({ priority: "standard" });
    const urgent = enter({ priority: "interactive" });
    first.leave();
    expect([urgent, standard, batch].map(({ state }) => state)).toEqual([
      "admitted",
      "waiting",
      "waiting",
    ]);
    await tick(100);
    await tick(100);
    const later = enter({ priority: "interactive" });
    urgent.leave();
    expect(standard.state).toBe("admitted");
    standard.leave();
    expect([batch.state, later.state]).toEqual(["admitted", "waiting"]);
  });

  it("gives the urgent calls of one tenant a larger share than the batch of another", () => {
    const { enter, admitted } = openQueue({ places: 1, lengthMax: 1_000 });
    enter({ tenant: "first" });
    for (let index = 0; index < 200; index += 1) {
      enter({ tenant: "urgent", priority: "interactive" });
      enter({ tenant: "batch", priority: "batch" });
    }
    const served = serve(admitted, 101);
    expect(countOf(served, "batch")).toBeGreaterThanOrEqual(18);
    expect(countOf(served, "batch")).toBeLessThanOrEqual(22);
  });

  it("refuses the newest of who has the most when it is full", () => {
    const { enter, queue } = openQueue({ places: 0, lengthMax: 4 });
    const burst = Array.from({ length: 5 }, () => enter({ tenant: "burst" }));
    expect(burst.map((call) => call.state)).toEqual([
      ...Array.from({ length: 4 }, () => "waiting"),
      "queue-full",
    ]);
    const quiet = Array.from({ length: 3 }, () => enter({ tenant: "quiet" }));
    // Two each: the third of either would be the most.
    expect(quiet.map((call) => call.state)).toEqual(["waiting", "waiting", "queue-full"]);
    expect(burst.map((call) => call.state).slice(0, 4)).toEqual([
      "waiting",
      "waiting",
      "queue-full",
      "queue-full",
    ]);
    expect(queue.length).toBe(4);
  });

  it("gives up a tenant's own less urgent call for an urgent one", () => {
    const { enter } = openQueue({ places: 0, lengthMax: 2 });
    const batch = [enter({ priority: "batch" }), enter({ priority: "batch" })];
    const urgent = enter({ priority: "interactive" });
    expect([...batch, urgent].map((call) => call.state)).toEqual([
      "waiting",
      "queue-full",
      "waiting",
    ]);
    expect(enter({ priority: "batch" }).state).toBe("queue-full");
  });

  it("refuses each call at its own deadline", async () => {
    const { enter, tick } = openQueue({ places: 0 });
    const patient = enter({ queueMsMax: 500 });
    const hasty = enter({ queueMsMax: 100 });
    await tick(99);
    expect(hasty.state).toBe("waiting");
    await tick(1);
    expect([patient.state, hasty.state]).toEqual(["waiting", "queue-timeout"]);
    await tick(400);
    expect(patient.state).toBe("queue-timeout");
  });

  it("lets waiting calls through when the gate opens by itself", () => {
    const { enter, gate, queue } = openQueue({ places: 0 });
    const calls = [enter(), enter(), enter()];
    gate.max = 2;
    queue.pump();
    expect(calls.map((call) => call.state)).toEqual(["admitted", "admitted", "waiting"]);
  });

  it("lets calls through one gate while another is shut, and sheds over all lanes", () => {
    const clock = simulatedClock();
    const queue = new FairQueue(clock, () => ({ lengthMax: 3, ageMs: 1_000 }));
    const [shut, open] = [queue.openLane(new Places(0)), queue.openLane(new Places(1))];
    const request = { weight: 1, priority: "standard" as const, cost: 1, queueMsMax: 1_000 };
    const seen: string[] = [];
    const enter = (lane: typeof shut, tenant: string, name: string) =>
      lane.enter(
        { ...request, tenant },
        {
          admitted: () => seen.push(`${name} admitted`),
          refused: (refusal) => seen.push(`${name} ${refusal}`),
        },
      );
    for (const name of ["1", "2", "3"]) enter(shut, "burst", name);
    const leave = enter(open, "quiet", "4");
    enter(open, "quiet", "5");
    leave();
    expect(seen).toEqual(["4 admitted", "3 queue-full", "5 admitted"]);
    expect([queue.length, shut.length, open.length]).toEqual([2, 2, 0]);
  });

  it("survives calls that leave the moment they are admitted", () => {
    const { queue, lane, gate } = openQueue({ places: 0, lengthMax: 5_000 });
    let leftCount = 0;
    for (let index = 0; index < 5_000; index += 1) {
      const leave = lane.enter(
        { tenant: "a", weight: 1, priority: "standard", cost: 1, queueMsMax: 1_000 },
        {
          admitted: () => {
            leftCount += 1;
            leave();
          },
          refused: () => {},
        },
      );
    }
    gate.max = 1;
    queue.pump();
    expect([leftCount, gate.taken, queue.length]).toEqual([5_000, 0, 0]);
  });

  it("never loses a place, a call or the order within a tenant, whatever happens", () => {
    const enterStep = record({
      kind: constantFrom("enter" as const),
      tenant: constantFrom("a", "b", "c"),
      weight: integer({ min: 1, max: 4 }),
      priority: constantFrom("interactive" as const, "standard" as const, "batch" as const),
      cost: integer({ min: 1, max: 50_000 }),
    });
    const leaveStep = record({
      kind: constantFrom("leave" as const),
      at: integer({ min: 0, max: 40 }),
    });
    const tickStep = record({
      kind: constantFrom("tick" as const),
      ms: integer({ min: 1, max: 80 }),
    });
    const limitStep = record({
      kind: constantFrom("limit" as const),
      places: integer({ min: 0, max: 5 }),
    });
    assert(
      property(
        array(oneof({ weight: 4, arbitrary: enterStep }, leaveStep, tickStep, limitStep), {
          maxLength: 120,
        }),
        (steps) => {
          let nowMs = 0;
          const clock = { ...simulatedClock(), monotonicMs: () => nowMs };
          const gate = new Places(2);
          const queue = new FairQueue(clock, () => ({ lengthMax: 12, ageMs: 40 }));
          const lane = queue.openLane(gate);
          type Tracked = Call & { priority: string; order: number };
          const calls: Tracked[] = [];
          const left = new Set<Tracked>();
          for (const step of steps) {
            if (step.kind === "enter") {
              const call: Tracked = {
                tenant: step.tenant,
                priority: step.priority,
                order: calls.length,
                state: "waiting",
                leave: () => {},
              };
              calls.push(call);
              call.leave = lane.enter(
                { ...step, queueMsMax: 150 },
                {
                  admitted: () => {
                    expect(call.state).toBe("waiting");
                    // Within a tenant and class, nobody who came before is still waiting.
                    const passed = calls.filter(
                      (other) =>
                        other.state === "waiting" &&
                        !left.has(other) &&
                        other.order < call.order &&
                        other.tenant === call.tenant &&
                        other.priority === call.priority,
                    );
                    expect(passed).toEqual([]);
                    call.state = "admitted";
                  },
                  refused: (refusal) => {
                    expect(call.state).toBe("waiting");
                    call.state = refusal;
                  },
                },
              );
            } else if (step.kind === "leave") {
              const call = calls[step.at];
              if (call !== undefined && !left.has(call)) {
                left.add(call);
                call.leave();
              }
            } else if (step.kind === "tick") {
              nowMs += step.ms;
              queue.onTick(nowMs);
            } else {
              gate.max = step.places;
              queue.pump();
            }
            const present = calls.filter((call) => !left.has(call));
            const waiting = present.filter((call) => call.state === "waiting");
            expect(queue.length).toBe(waiting.length);
            expect(queue.length).toBeLessThanOrEqual(12);
            expect(gate.taken).toBe(present.filter((call) => call.state === "admitted").length);
            // Nobody waits before a free place.
            expect(waiting.length === 0 || gate.taken >= gate.max).toBe(true);
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});
