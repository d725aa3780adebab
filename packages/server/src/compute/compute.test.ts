import { PlatformError, type Reservation, type TenantId } from "@faultline/protocol";
import { openTestDatabase, type TestDatabase } from "@faultline/testkit";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { type ComputeConfig, loadConfig } from "#config/index.ts";
import {
  type Clock,
  createIds,
  systemClock,
  systemEventLoop,
  systemRandom,
} from "#kernel/index.ts";
import { Ledger, LedgerBooks } from "#ledger/index.ts";

import type { Store } from "#storage/index.ts";

import { Compute } from "./compute.ts";
import { ReservationStore } from "./reservation-store.ts";

const stack = new AsyncDisposableStack();
const { signal } = new AbortController();
let database: TestDatabase;
let tenantId: TenantId;
let tenantCount = 0;
let aheadMs = 0;

const clock: Clock = {
  ...systemClock,
  nowMs: () => systemClock.nowMs() + aheadMs,
  // The test moves the time, and lets the ledger sweep and the scheduler look by itself.
  every: () => {},
};

beforeAll(async () => {
  database = stack.use(await openTestDatabase());
});
beforeEach(async () => {
  tenantId = await database.createTenant(`tenant-${(tenantCount += 1)}`);
});
afterAll(async () => await stack.disposeAsync());

const nodes = [
  {
    id: "n1",
    region: "eu",
    deviceKind: "h100",
    deviceCount: 8,
    cpuCores: 96,
    memoryGigabytes: 1_024,
  },
];

interface World extends AsyncDisposable {
  readonly compute: Compute;
  readonly ledger: Ledger;
  readonly books: LedgerBooks;
  advance(durationMs: number): Promise<void>;
  grant(amountMicros: bigint): Promise<void>;
  balance(): Promise<{ readonly available: string; readonly held: string; readonly used: string }>;
}

/** A control process as far as compute needs one; opened again it is the next one. */
async function openWorld(
  nodesNow = nodes,
  changes: ComputeConfig["prices"][number]["changes"] = [],
  store: Store = database.store,
): Promise<World> {
  await using opening = new AsyncDisposableStack();
  const background = new AbortController();
  opening.defer(() => background.abort());
  const config = loadConfig({ environment: {}, workingFolder: "/nonexistent" });
  const parts = {
    store: database.store,
    clock,
    ids: createIds(clock, systemRandom),
    eventLoop: systemEventLoop,
    logger: pino({ level: "silent" }),
    signal: background.signal,
    config: {
      ...config,
      compute: {
        ...config.compute,
        nodes: nodesNow,
        prices: [{ deviceKind: "h100", microsPerDeviceSecond: 100, priorityPercent: 10, changes }],
      },
    },
  };
  const ledger = opening.use(Ledger.open(parts));
  const ledgerBooks = new LedgerBooks(parts);
  const compute = opening.use(await Compute.open({ ...parts, store, ledger, ledgerBooks }));
  const opened = opening.move();
  const scope = { tenantId, signal };
  return {
    compute,
    ledger,
    books: ledgerBooks,
    async advance(durationMs) {
      aheadMs += durationMs;
      ledger.sweep();
      await compute.tick();
    },
    async grant(amountMicros) {
      await ledger.submit(scope, {
        kind: "open-account",
        id: "open",
        currency: "USD",
        limitMicros: 0n,
      });
      const lot = { currency: "USD", amountMicros, priority: 0, expiresAtMs: undefined } as const;
      await ledger.submit(scope, { kind: "grant", id: ledger.newId(), ...lot });
    },
    async balance() {
      const account = (await ledgerBooks.balance(scope)).accounts[0];
      return {
        available: account?.availableMicros ?? "",
        held: account?.heldMicros ?? "",
        used: account?.usedMicros ?? "",
      };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

const job = { deviceKind: "h100", member: { deviceCount: 4 }, durationSeconds: 600 };
const scopeOf = () => ({ tenantId, signal });
const codeOf = async (work: Promise<unknown>): Promise<string> =>
  await work.then(
    () => "none",
    (error: unknown) => (error instanceof PlatformError ? error.code : String(error)),
  );

describe("a reservation on the ledger", () => {
  it("is held for, charged by intervals, and gives back what it did not use", async () => {
    await using world = await openWorld();
    await world.grant(1_000_000n);
    const reserved = await world.compute.reserve(scopeOf(), { ...job, id: "j" });
    expect(reserved).toMatchObject({
      stage: "reserved",
      costMicros: "240000",
      placement: [{ nodeId: "n1", memberCount: 1 }],
    });
    expect(await world.balance()).toEqual({ available: "760000", held: "240000", used: "0" });
    expect(await world.compute.heartbeat(scopeOf(), "j")).toMatchObject({
      goesOn: true,
      reservation: { stage: "running" },
    });
    await world.advance(150_000);
    await world.compute.heartbeat(scopeOf(), "j");
    await world.advance(0);
    expect(await world.balance()).toEqual({ available: "760000", held: "192000", used: "48000" });
    const ended = await world.compute.complete(scopeOf(), "j");
    expect(ended).toMatchObject({ stage: "ended", end: "completed" });
    const { available, held, used } = await world.balance();
    expect(held).toBe("0");
    expect(BigInt(available) + BigInt(used)).toBe(1_000_000n);
    // 150 seconds on four devices, and the moments that the test itself took.
    expect(Number(used)).toBeGreaterThanOrEqual(60_000);
    expect(Number(used)).toBeLessThan(72_000);
    expect(await world.compute.complete(scopeOf(), "j")).toEqual(ended);
  });

  it("costs what is valid when it is admitted, and its uses say what they were and by which price", async () => {
    const validFromMs = clock.nowMs() + 60_000;
    const change = { validFromMs, microsPerDeviceSecond: 50, priorityPercent: 0 };
    await using world = await openWorld(nodes, [change]);
    const asked = await world.compute.reserve(scopeOf(), { ...job, id: "j" });
    expect(asked).toMatchObject({ stage: "waiting", costMicros: "240000" });
    await world.advance(60_000);
    const waiting = await world.compute.read(scopeOf(), "j");
    expect(waiting).toMatchObject({
      stage: "waiting",
      costMicros: "120000",
      submittedAt: asked.submittedAt,
    });
    expect(waiting.priceVersion).not.toBe(asked.priceVersion);
    // Sent again it is the same reservation, whatever it costs by now.
    expect(await world.compute.reserve(scopeOf(), { ...job, id: "j" })).toMatchObject({
      costMicros: "120000",
    });
    await world.grant(120_000n);
    await world.advance(0);
    expect(await world.balance()).toEqual({ available: "0", held: "120000", used: "0" });
    await world.compute.heartbeat(scopeOf(), "j");
    await world.advance(60_000);
    await world.compute.heartbeat(scopeOf(), "j");
    await world.advance(0);
    await world.compute.complete(scopeOf(), "j");
    const { uses } = await world.books.explain(scopeOf(), `${tenantId}/j`);
    expect(uses[0]).toMatchObject({
      amountMicros: "12000",
      details: { deviceKind: "h100", deviceSeconds: 240, priceVersion: waiting.priceVersion },
    });
  });

  it("ends where its price rises beyond what the ledger holds at once", async () => {
    const validFromMs = clock.nowMs() + 60_000;
    const change = { validFromMs, microsPerDeviceSecond: 1_000_000_000_000, priorityPercent: 0 };
    await using world = await openWorld(nodes, [change]);
    await world.compute.reserve(scopeOf(), { ...job, id: "j" });
    await world.advance(60_000);
    expect(await world.compute.read(scopeOf(), "j")).toMatchObject({
      stage: "ended",
      end: "overpriced",
    });
  });

  it("waits for credit, says how much to grant, and starts once that was granted", async () => {
    await using world = await openWorld();
    await world.grant(200_000n);
    const waiting = await world.compute.reserve(scopeOf(), { ...job, id: "j", priority: 5 });
    expect(waiting).toMatchObject({
      stage: "waiting",
      costMicros: "360000",
      wait: {
        binding: { kind: "credit", askedMicros: "360000", spendableMicros: "200000" },
        remedies: [{ kind: "grant-credit", amountMicros: "160000" }],
      },
    });
    await world.grant(160_000n);
    await world.advance(0);
    expect(await stageOf(world.compute, "j")).toBe("reserved");
    expect(await world.balance()).toEqual({ available: "0", held: "360000", used: "0" });
  });

  it("starts once credit was granted, when it is asked for again or its work is there", async () => {
    await using world = await openWorld();
    const half = { ...job, member: { deviceCount: 2 } };
    const [again, heard] = [
      { ...half, id: "again" },
      { ...half, id: "heard" },
    ];
    expect(await world.compute.reserve(scopeOf(), again)).toMatchObject({ stage: "waiting" });
    await world.grant(120_000n);
    expect(await world.compute.reserve(scopeOf(), again)).toMatchObject({ stage: "reserved" });
    expect(await world.compute.reserve(scopeOf(), heard)).toMatchObject({ stage: "waiting" });
    expect(await world.compute.heartbeat(scopeOf(), "heard")).toMatchObject({ goesOn: false });
    await world.grant(120_000n);
    expect(await world.compute.heartbeat(scopeOf(), "heard")).toMatchObject({
      goesOn: true,
      reservation: { stage: "running" },
    });
    await world.compute.withdraw(scopeOf(), "again");
    await world.compute.complete(scopeOf(), "heard");
  });

  it("stops at the heartbeat that finds its devices given to another", async () => {
    // Others of its kind may lie on the usual node.
    await using world = await openWorld(nodes.map((node) => ({ ...node, id: "n2" })));
    await world.grant(480_000n);
    const whole = { ...job, member: { deviceCount: 8 } };
    await world.compute.reserve(scopeOf(), { ...whole, id: "low" });
    expect(await world.compute.heartbeat(scopeOf(), "low")).toMatchObject({ goesOn: true });
    const high = { ...whole, id: "high", priority: 9 };
    expect(await world.compute.reserve(scopeOf(), high)).toMatchObject({ stage: "waiting" });
    await world.grant(1_000_000n);
    expect(await world.compute.heartbeat(scopeOf(), "low")).toMatchObject({
      goesOn: false,
      reservation: { stage: "ended", end: "preempted" },
    });
    await world.compute.withdraw(scopeOf(), "high");
  });

  it("that was written down and never answered is withdrawn for every later process", async () => {
    const first = await openWorld();
    await first.grant(1_000_000n);
    await first.compute.reserve(scopeOf(), { ...job, id: "j" });
    const kept = new ReservationStore(database.store);
    const known = await kept.find(scopeOf(), "j");
    if (known === undefined) throw new Error("it was written down");
    const request = { ...known.request, id: `${tenantId}/unheard` };
    await kept.add(scopeOf(), { request, stage: { kind: "waiting" }, placement: [] });
    const withdrawn = { stage: "ended", end: "withdrawn" };
    expect(await first.compute.withdraw(scopeOf(), "unheard")).toMatchObject(withdrawn);
    await first.compute.withdraw(scopeOf(), "j");
    await first[Symbol.asyncDispose]();
    await using next = await openWorld();
    await next.advance(0);
    expect(await next.compute.read(scopeOf(), "unheard")).toMatchObject(withdrawn);
    expect(await next.balance()).toEqual({ available: "1000000", held: "0", used: "0" });
  });

  it("is answered only what is written down: a heartbeat, and a completion, that could not be is sent again", async () => {
    let isAway = false;
    const { store } = database;
    const watched: Pick<Store, "read" | "system" | "transact"> = {
      read: (scope, run) => store.read(scope, run),
      system: (stop, run) => store.system(stop, run),
      transact: (scope, run) =>
        isAway ? Promise.reject(new Error("it is away")) : store.transact(scope, run),
    };
    // Reservations use nothing else of a store.
    await using world = await openWorld(nodes, [], watched as Store);
    await world.grant(240_000n);
    await world.compute.reserve(scopeOf(), { ...job, id: "j" });
    await world.compute.heartbeat(scopeOf(), "j");
    aheadMs += 60_000;
    isAway = true;
    const heard = () => world.compute.heartbeat(scopeOf(), "j");
    const complete = () => world.compute.complete(scopeOf(), "j");
    for (const step of [heard, heard, complete, complete])
      expect(await codeOf(step())).toBe("database_unavailable");
    // Nothing was charged of which a later process would not know.
    expect(await world.balance()).toMatchObject({ used: "0", held: "240000" });
    isAway = false;
    expect(await complete()).toMatchObject({ stage: "ended", end: "completed" });
    expect(await world.balance()).toMatchObject({ held: "0" });
    expect(Number((await world.balance()).used)).toBeGreaterThanOrEqual(24_000);
    expect(await world.compute.differences(scopeOf())).toEqual([]);
  });

  it("is not taken up again by a request that was read before it was withdrawn", async () => {
    const { store } = database;
    const opened = Promise.withResolvers<void>();
    let isHeldBack = false;
    const watched: Pick<Store, "read" | "system" | "transact"> = {
      system: (stop, run) => store.system(stop, run),
      transact: (scope, run) => store.transact(scope, run),
      read: async (scope, run) => {
        const result = await store.read(scope, run);
        if (isHeldBack) await opened.promise;
        return result;
      },
    };
    // Reservations use nothing else of a store.
    await using world = await openWorld(nodes, [], watched as Store);
    await world.compute.reserve(scopeOf(), { ...job, id: "j" });
    isHeldBack = true;
    const again = world.compute.reserve(scopeOf(), { ...job, id: "j" });
    const withdrawing = world.compute.withdraw(scopeOf(), "j");
    const ended = "select from compute_reservation where tenant_id = $1 and is_ended";
    while ((await database.sql(ended, [tenantId])).length === 0) await world.compute.tick();
    isHeldBack = false;
    opened.resolve();
    expect(await withdrawing).toMatchObject({ stage: "ended", end: "withdrawn" });
    await again;
    await world.grant(1_000_000n);
    await world.advance(0);
    expect(await world.balance()).toMatchObject({ held: "0" });
    expect(await world.compute.heartbeat(scopeOf(), "j")).toMatchObject({ goesOn: false });
  });

  it("that never starts expires and costs nothing", async () => {
    await using world = await openWorld();
    await world.grant(240_000n);
    await world.compute.reserve(scopeOf(), { ...job, id: "j" });
    await world.advance(301_000);
    expect(await world.compute.read(scopeOf(), "j")).toMatchObject({ end: "expired" });
    expect(await world.balance()).toEqual({ available: "240000", held: "0", used: "0" });
  });

  it("outlives the process: it runs on where it ran, what waits keeps waiting, and nothing is held twice", async () => {
    const first = await openWorld();
    await first.grant(1_000_000n);
    await first.compute.reserve(scopeOf(), { ...job, id: "runs" });
    await first.compute.heartbeat(scopeOf(), "runs");
    await first.compute.reserve(scopeOf(), { ...job, id: "reserved" });
    await first.compute.reserve(scopeOf(), { ...job, id: "waits" });
    expect(await stageOf(first.compute, "waits")).toBe("waiting");
    await first[Symbol.asyncDispose]();

    await using second = await openWorld();
    await second.advance(60_000);
    expect(await second.balance()).toEqual({ available: "520000", held: "480000", used: "0" });
    expect(await stageOf(second.compute, "runs")).toBe("running");
    expect(await stageOf(second.compute, "reserved")).toBe("reserved");
    expect(await second.compute.read(scopeOf(), "waits")).toMatchObject({
      stage: "waiting",
      wait: { binding: { kind: "capacity" } },
    });
    expect(await second.compute.heartbeat(scopeOf(), "runs")).toMatchObject({ goesOn: true });
    await second.compute.withdraw(scopeOf(), "reserved");
    expect(await stageOf(second.compute, "waits")).toBe("reserved");
    await second.compute.complete(scopeOf(), "runs");
    await second.compute.withdraw(scopeOf(), "waits");
    const { available, held, used } = await second.balance();
    expect(held).toBe("0");
    expect(BigInt(available) + BigInt(used)).toBe(1_000_000n);
  });

  it("is lost when its node is gone after a restart, and pays up to what was heard last", async () => {
    const first = await openWorld();
    await first.grant(1_000_000n);
    await first.compute.reserve(scopeOf(), { ...job, id: "j" });
    await first.compute.heartbeat(scopeOf(), "j");
    await first.advance(60_000);
    await first.compute.heartbeat(scopeOf(), "j");
    await first.advance(0);
    await first[Symbol.asyncDispose]();

    await using second = await openWorld([]);
    await second.advance(0);
    expect(await second.compute.read(scopeOf(), "j")).toMatchObject({ end: "lost" });
    const { available, held, used } = await second.balance();
    expect(held).toBe("0");
    expect(BigInt(available) + BigInt(used)).toBe(1_000_000n);
    expect(Number(used)).toBeGreaterThanOrEqual(24_000);
    expect(Number(used)).toBeLessThan(36_000);
  });
});

describe("reservations and the ledger", () => {
  const found = async (world: World) => {
    const differences = await world.compute.differences(scopeOf());
    return differences.map(({ kind, subject, proposal }) => [
      kind,
      subject,
      proposal === undefined ? "" : `${proposal.direction} ${proposal.amountMicros}`,
    ]);
  };
  const work = async (world: World, id: string, seconds: number): Promise<void> => {
    await world.compute.reserve(scopeOf(), { ...job, id });
    await world.compute.heartbeat(scopeOf(), id);
    await world.advance(seconds * 1_000);
    await world.compute.heartbeat(scopeOf(), id);
    await world.advance(0);
  };
  /** As a damaged database would: uses are never deleted. */
  const forgetUse = (id: string) =>
    database.sql(
      `begin; set local session_replication_role = replica;
       delete from ledger_use where tenant_id = '${tenantId}' and id = '${tenantId}/${id}'; commit`,
    );

  it("agree while work goes on, and after it has ended, also to the next process", async () => {
    const first = await openWorld();
    await first.grant(1_000_000n);
    await work(first, "j", 150);
    expect(await found(first)).toEqual([]);
    await first.compute.complete(scopeOf(), "j");
    await work(first, "k", 90);
    expect(await found(first)).toEqual([]);
    await first[Symbol.asyncDispose]();
    await using second = await openWorld();
    expect(await found(second)).toEqual([]);
    await second.compute.heartbeat(scopeOf(), "k");
    await second.advance(0);
    expect(await found(second)).toEqual([]);
    // Its place is that of the next test.
    await second.compute.complete(scopeOf(), "k");
  });

  it("differ where an interval was worked and not charged, or charged and not worked", async () => {
    await using world = await openWorld();
    await world.grant(1_000_000n);
    await work(world, "j", 150);
    const stray = { usageId: `${tenantId}/j/77`, usageKind: "compute", amountMicros: 5n } as const;
    const settle = { kind: "settle", holdId: `reservation:${tenantId}/j`, isFinal: false } as const;
    await forgetUse("j/1");
    const hold = `reservation:${tenantId}/j`;
    // What is at work is not settled by an entry.
    expect(await found(world)).toEqual([["work-differs", hold, ""]]);
    await world.ledger.submit(scopeOf(), { ...settle, id: "stray", charge: stray });
    await world.compute.complete(scopeOf(), "j");
    const [difference] = await world.compute.differences(scopeOf());
    expect(difference?.message).toBe(
      `Of the intervals of the reservation ${tenantId}/j, 1 worked and not charged (24000), and 1 charged and not worked (5).`,
    );
    expect(difference?.proposal).toMatchObject({ direction: "take", amountMicros: "23995" });
  });

  it("are not compared before the ledger was told what was heard meanwhile", async () => {
    await using world = await openWorld();
    await world.grant(10_000_000n);
    await work(world, "j", 0);
    const heard: Promise<unknown>[] = [];
    // Whoever compares reads what has ended; work is heard just then.
    const scope = {
      signal,
      get tenantId() {
        if (heard.length > 0) return tenantId;
        aheadMs += 150_000;
        heard.push(world.compute.heartbeat(scopeOf(), "j"));
        return tenantId;
      },
    };
    expect(await world.compute.differences(scope)).toEqual([]);
    expect(heard).toHaveLength(1);
    await Promise.all(heard);
    await world.advance(0);
    expect(await found(world)).toEqual([]);
    await world.compute.complete(scopeOf(), "j");
  });

  it("differ where a hold has no work, or work has no hold", async () => {
    await using world = await openWorld();
    await world.grant(1_000_000n);
    await work(world, "j", 0);
    const terms = {
      currency: "USD",
      amountMicros: 7n,
      durationMs: 60_000,
      attribution: {},
    } as const;
    const stray = `reservation:${tenantId}/stray`;
    await world.ledger.submit(scopeOf(), { kind: "hold", id: stray, ...terms });
    const hold = `reservation:${tenantId}/j`;
    await world.ledger.submit(scopeOf(), { kind: "release", id: "early", holdId: hold });
    expect(await found(world)).toEqual([
      ["work-without-hold", hold, ""],
      ["hold-without-work", stray, "release 7"],
    ]);
    await world.compute.complete(scopeOf(), "j");
  });
});

describe("a reservation whose time runs out while no process is there", () => {
  it("pays up to what was heard last, and owes nothing", async () => {
    const first = await openWorld();
    await first.grant(240_000n);
    await first.compute.reserve(scopeOf(), { ...job, id: "j" });
    await first.compute.heartbeat(scopeOf(), "j");
    await first[Symbol.asyncDispose]();
    aheadMs += 3_600_000;

    await using second = await openWorld();
    await second.advance(0);
    expect(await second.compute.read(scopeOf(), "j")).toMatchObject({ end: "completed" });
    const { available, held, used } = await second.balance();
    expect(held).toBe("0");
    expect(BigInt(available) + BigInt(used)).toBe(240_000n);
    expect(Number(used)).toBeLessThan(24_000);
  });
});

describe("a request for a reservation", () => {
  it("is the same one when it is sent again, and a conflict with other content", async () => {
    await using world = await openWorld();
    await world.grant(1_000_000n);
    const sent = await Promise.all(
      [1, 2, 3].map(() => world.compute.reserve(scopeOf(), { ...job, id: "j" })),
    );
    expect(new Set(sent.map(({ submittedAt }) => submittedAt)).size).toBe(1);
    expect(await world.balance()).toEqual({ available: "760000", held: "240000", used: "0" });
    const other = { ...job, id: "j", durationSeconds: 601 };
    expect(await codeOf(world.compute.reserve(scopeOf(), other))).toBe("conflict");
  });

  it("is refused for a kind of device without a price, and seen by no other tenant", async () => {
    await using world = await openWorld();
    const unknown = { ...job, deviceKind: "b200" };
    expect(await codeOf(world.compute.reserve(scopeOf(), unknown))).toBe("price_unknown");
    await world.compute.reserve(scopeOf(), { ...job, id: "j" });
    const other = { tenantId: await database.createTenant(`other-${tenantCount}`), signal };
    expect(await codeOf(world.compute.read(other, "j"))).toBe("not_found");
    expect(await codeOf(world.compute.withdraw(other, "j"))).toBe("not_found");
    expect(await world.compute.list(other)).toEqual([]);
    expect((await world.compute.list(scopeOf())).map(({ id }) => id)).toEqual(["j"]);
  });
});

async function stageOf(compute: Compute, id: string): Promise<Reservation["stage"]> {
  return (await compute.read(scopeOf(), id)).stage;
}
