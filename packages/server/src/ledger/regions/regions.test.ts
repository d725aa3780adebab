/** Two regions, each with its own PostgreSQL database, over real HTTP; the link between them is cut and healed. */

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";

import { parseTenantId, PlatformError, SealedMessage } from "@faultline/protocol";
import { openTestDatabase, type TestDatabase } from "@faultline/testkit";
import { Value } from "typebox/value";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pino } from "pino";
import { Registry } from "prom-client";

import { assert, systemClock, systemRandom } from "#kernel/index.ts";

import { balanceOf } from "../rules/draft.ts";
import { findDifferences } from "../reconcile/reconcile.ts";
import { openLedgerFixture, type LedgerFixture } from "../test/ledger-fixture.ts";
import { escrowId } from "./escrow.ts";
import type { DocumentContent } from "./grant-document.ts";
import { registerRegionMetrics } from "./region-metrics.ts";
import { Regions } from "./regions.ts";
import { seal } from "./seal.ts";

const key = "0123456789abcdef0123456789abcdef";
/** What a platform reads of one request. */
const bodyBytesMax = 1_048_576;
const currency = "USD";
const { signal } = new AbortController();
const tenantId = parseTenantId("default");
assert(tenantId !== undefined, "the tenant of a test database");
const scope = { tenantId, signal };

interface Region extends AsyncDisposable {
  readonly database: TestDatabase;
  readonly fixture: LedgerFixture;
  readonly regions: Regions;
}

interface PeerSettings {
  readonly name: string;
  readonly url: string | undefined;
}

async function openRegion(name: string, peer: PeerSettings): Promise<Region> {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await openTestDatabase());
  const region = stack.use(await startRegion(name, peer, database));
  const running = stack.move();
  return { ...region, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** The process of a region, on its database. */
async function startRegion(
  name: string,
  peer: PeerSettings,
  database: TestDatabase,
): Promise<Region> {
  await using stack = new AsyncDisposableStack();
  const fixture = stack.use(openLedgerFixture(database));
  const background = new AbortController();
  stack.defer(() => background.abort());
  const regions = new Regions({
    terms: {
      name,
      peers: [{ key, ...peer }],
      homes: new Map([[scope.tenantId, "eu"]]),
      keepMicros: 1_000n,
      intervalMs: 1_000,
    },
    store: database.store,
    ledger: fixture.ledger,
    // Tests speak with the home when they want to.
    clock: { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs, every: () => {} },
    random: systemRandom,
    fetch: globalThis.fetch,
    logger: pino({ level: "warn" }, { write: (line: string) => void said.push(line) }),
    signal: background.signal,
  });
  await regions.open();
  const running = stack.move();
  return { database, fixture, regions, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** The way to the home, which can be cut. `losesReply` lets a request through and loses what is answered. */
class Link {
  readonly server: Server;
  home: Regions | undefined;
  state: "open" | "cut" | "losesReply" = "open";
  url = "";

  constructor() {
    this.server = createServer((request, response) => void this.#carry(request, response));
  }

  async #carry(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (this.state === "cut") throw new Error("the link is cut");
      // What the regions send one another is a sealed message.
      const body = await text(request);
      const message = JSON.parse(body) as SealedMessage;
      // As the route of a platform does.
      if (!Value.Check(SealedMessage, message) || Buffer.byteLength(body) > bodyBytesMax)
        throw new Error("the message does not fit");
      const reply = await this.home?.answer(message, signal);
      if (this.state === "losesReply") throw new Error("the reply is lost");
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(reply));
    } catch {
      request.socket.destroy();
    }
  }

  async listen(): Promise<string> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    const address = this.server.address();
    assert(typeof address === "object" && address !== null, "a server on a port has an address");
    this.url = `http://127.0.0.1:${address.port}`;
    return this.url;
  }
}

function grant(amountMicros: bigint): DocumentContent {
  return {
    kind: "grant",
    given: [{ currency, amountMicros, priority: 0, expiresAtMs: undefined }],
  };
}

function budget(limitMicros: bigint): DocumentContent {
  const scopeOf = { kind: "tenant" } as const;
  const terms = { budgetId: "b", currency, scope: scopeOf, window: { kind: "total" } } as const;
  return { kind: "budget", terms: { ...terms, limitMicros, isHard: true, thresholdPercents: [] } };
}

let aheadMs = 0;
/** What both regions logged. */
let said: string[] = [];
let stack = new AsyncDisposableStack();
let link = new Link();
let eu: Region;
let us: Region;

beforeEach(async () => {
  aheadMs = 0;
  said = [];
  stack = new AsyncDisposableStack();
  link = new Link();
  const url = await link.listen();
  stack.defer(() => {
    link.server.closeAllConnections();
    link.server.close();
  });
  eu = stack.use(await openRegion("eu", { name: "us", url: undefined }));
  us = stack.use(await openRegion("us", { name: "eu", url }));
  link.home = eu.regions;
  const line: DocumentContent = { kind: "line", currency, limitMicros: 0n };
  await eu.regions.edit(scope, "line/USD", line);
});

afterEach(() => stack.disposeAsync());

async function use(region: Region, usageId: string, amountMicros: bigint): Promise<string> {
  const { fixture } = region;
  const hold = { id: `hold ${usageId}`, currency, amountMicros, durationMs: 60_000 };
  const held = await fixture.ask({ kind: "hold", ...hold, attribution: { keyId: "k" } });
  if (held.kind !== "held") return held.kind;
  const charge = { usageId, usageKind: "tokens", amountMicros };
  await fixture.ask({ kind: "settle", holdId: `hold ${usageId}`, charge, isFinal: true });
  return "used";
}

function balance(region: Region, kind: "credit" | "holds" | "usage:tokens"): bigint {
  const state = region.fixture.ledger.stateOf(scope.tenantId);
  assert(state !== undefined, "a ledger that was asked is in memory");
  return balanceOf(state, kind, currency);
}

/** What is here is what the home holds for it. */
function expectEven(): void {
  const lease = eu.fixture.ledger
    .stateOf(scope.tenantId)
    ?.leases.get(escrowId({ region: "us", currency }));
  const heldMicros = lease?.portions.reduce((sum, { amountMicros }) => sum + amountMicros, 0n);
  expect(balance(us, "credit") + balance(us, "holds")).toBe(heldMicros);
}

describe("two regions", () => {
  it("spend of one account: what is used in one is charged at the home of the other", async () => {
    await eu.regions.edit(scope, "grant/g", grant(8_000n));
    await us.regions.exchange();
    expect(balance(us, "credit")).toBe(1_000n);
    expect(await use(us, "u1", 700n)).toBe("used");
    await us.regions.exchange();
    expect(balance(eu, "usage:tokens")).toBe(700n);
    expectEven();
  });

  it("say once that the home refuses what is asked, and again when it has begun to anew", async () => {
    const refusals = () => said.filter((line) => line.includes("the home refused a step")).length;
    const close = () => eu.fixture.ask({ kind: "close-account", currency });
    expect(await close()).toEqual({ kind: "account-closed" });
    for (let count = 0; count < 3; count += 1) await us.regions.exchange();
    expect(refusals()).toBe(1);
    await eu.fixture.ask({ kind: "open-account", currency, limitMicros: 0n });
    await us.regions.exchange();
    expect(await close()).toEqual({ kind: "account-closed" });
    for (let count = 0; count < 2; count += 1) await us.regions.exchange();
    expect(refusals()).toBe(2);
  });

  it("go on while they are cut off, each with what it has, and agree when they are not", async () => {
    await eu.regions.edit(scope, "grant/g", grant(8_000n));
    await us.regions.exchange();
    link.state = "cut";
    expect(await use(us, "u1", 600n)).toBe("used");
    expect(await use(us, "u2", 600n)).toBe("refused");
    expect(await us.regions.replenish(scope.tenantId, 600n)).toBe("cut-off");
    expect(await use(eu, "e1", 7_000n)).toBe("used");
    expect(await use(eu, "e2", 1n)).toBe("refused");
    link.state = "open";
    await us.regions.exchange();
    expect(balance(eu, "usage:tokens")).toBe(7_600n);
    expectEven();
    expect(await use(us, "u3", 400n)).toBe("used");
    await us.regions.exchange();
    expect(balance(eu, "usage:tokens")).toBe(8_000n);
    expectEven();
  });

  it("tell one another of many uses that say much of themselves", async () => {
    await eu.regions.edit(scope, "grant/g", grant(8_000n));
    await us.regions.exchange();
    const tags = Array.from({ length: 16 }, (_, index) => `${index}"é`.padEnd(128, 'é"'));
    const details = new Map<string, { tags: string[] }>();
    const charges = Array.from({ length: 600 }, (_, index) => {
      details.set(`u${index}`, { tags });
      const attribution = { keyId: "k", tags };
      return { usageId: `u${index}`, usageKind: "tokens", amountMicros: 1n, attribution } as const;
    });
    const { fixture } = us;
    const worker = { workerId: "w", epoch: 1, durationMs: 60_000, budgets: [] } as const;
    const lent = { amountMicros: 250n, minimumMicros: 1n, currency } as const;
    await fixture.ask({ kind: "lease", id: "lease", ...worker, ...lent });
    const report = { kind: "report-lease", id: "report", leaseId: "lease", charges } as const;
    await fixture.ledger.submit(scope, report, { details });
    while (balance(eu, "usage:tokens") < 600n) {
      const before = balance(eu, "usage:tokens");
      await us.regions.exchange();
      expect(balance(eu, "usage:tokens")).toBeGreaterThan(before);
    }
    expect(balance(eu, "usage:tokens")).toBe(600n);
    await us.regions.exchange();
    expectEven();
  });

  it("keep a grant that reaches a home without an account, and open it", async () => {
    const given = { currency: "credits", amountMicros: 70n, priority: 0 } as const;
    const content = { kind: "grant", given: [{ ...given, expiresAtMs: undefined }] } as const;
    await us.regions.edit(scope, "grant/first", content);
    await us.regions.exchange();
    const state = eu.fixture.ledger.stateOf(scope.tenantId);
    assert(state !== undefined, "a ledger that was asked is in memory");
    expect(balanceOf(state, "credit", "credits")).toBe(70n);
  });

  it("lend and charge once when answers are lost again and again", async () => {
    await eu.regions.edit(scope, "grant/g", grant(8_000n));
    link.state = "losesReply";
    await us.regions.exchange();
    await us.regions.exchange();
    expect(balance(us, "credit")).toBe(0n);
    link.state = "open";
    await us.regions.exchange();
    expect(balance(us, "credit")).toBe(1_000n);
    expectEven();
    await use(us, "u1", 300n);
    link.state = "losesReply";
    await us.regions.exchange();
    link.state = "open";
    await us.regions.exchange();
    expect(balance(eu, "usage:tokens")).toBe(300n);
    expectEven();
  });

  it("keep every grant and flag limits that were edited in both, of which the lower one holds", async () => {
    await eu.regions.edit(scope, "grant/g", grant(4_000n));
    await us.regions.exchange();
    link.state = "cut";
    await us.regions.edit(scope, "grant/from us", grant(500n));
    await us.regions.edit(scope, "budget/b", budget(3_000n));
    await eu.regions.edit(scope, "budget/b", budget(5_000n));
    await us.regions.exchange();
    expect(await eu.regions.conflicts(scope)).toEqual([]);
    link.state = "open";
    await us.regions.exchange();
    expect(balance(eu, "credit") + balance(eu, "holds")).toBe(4_500n);
    for (const { regions } of [eu, us])
      expect((await regions.conflicts(scope)).map((document) => document.key)).toEqual([
        "budget/b",
      ]);
    const limit = (): bigint | undefined =>
      eu.fixture.ledger.stateOf(scope.tenantId)?.budgets.get("b")?.terms.limitMicros;
    expect(limit()).toBe(3_000n);

    const [conflict] = await us.regions.conflicts(scope);
    const chosen = conflict?.versions.findIndex(({ region }) => region === "eu") ?? 0;
    await us.regions.resolve(scope, "budget/b", chosen + 1);
    await us.regions.exchange();
    expect(limit()).toBe(5_000n);
    for (const { regions } of [eu, us]) expect(await regions.conflicts(scope)).toEqual([]);
  });

  it("hold a hard budget together", async () => {
    await eu.regions.edit(scope, "grant/g", grant(8_000n));
    await eu.regions.edit(scope, "budget/b", budget(600n));
    await us.regions.exchange();
    await us.regions.exchange();
    let usedMicros = 0n;
    for (const [index, region] of [us, eu, us, eu, us, eu, us, eu, us, eu].entries()) {
      if ((await use(region, `u${index}`, 100n)) === "used") usedMicros += 100n;
      await us.regions.exchange();
    }
    expect(usedMicros).toBeGreaterThan(300n);
    expect(usedMicros).toBeLessThanOrEqual(600n);
    expectEven();
  });

  it("know of budgets that were set before the account was shared", async () => {
    await eu.regions.edit(scope, "grant/g", grant(8_000n));
    const set = budget(400n);
    assert(set.kind === "budget", "a budget");
    await eu.fixture.ask({ kind: "set-budget", terms: set.terms, spentMicros: 0n });
    await eu.regions.open();
    await us.regions.exchange();
    expect(await use(us, "u1", 500n)).toBe("refused");
  });

  it("give back what is beyond twice of what a region keeps", async () => {
    await eu.regions.edit(scope, "grant/g", grant(40_000n));
    await us.regions.replenish(scope.tenantId, 5_000n);
    expect(balance(us, "credit")).toBe(6_000n);
    await us.regions.exchange();
    expect(balance(us, "credit")).toBe(1_000n);
    expectEven();
  });

  it("give back all that lies idle when the home wants it, and borrow nothing meanwhile", async () => {
    await eu.regions.edit(scope, "grant/g", grant(8_000n));
    await us.regions.exchange();
    await use(us, "u1", 200n);
    expect(await eu.regions.escrows(scope)).toMatchObject([
      { region: "us", currency, heldMicros: "1000", chargedMicros: "0" },
    ]);
    await eu.regions.recall(scope, "us", 60_000);
    // It hears of it, gives back, and is told again.
    for (let round = 0; round < 3; round += 1) await us.regions.exchange();
    expect(balance(us, "credit")).toBe(0n);
    const [escrow] = await eu.regions.escrows(scope);
    expect(escrow).toMatchObject({ heldMicros: "0", chargedMicros: "200" });
    expect(escrow?.recalledUntil).toBeDefined();
    expect(await use(us, "u2", 100n)).toBe("refused");
    await us.regions.replenish(scope.tenantId, 100n);
    expect(balance(us, "credit")).toBe(0n);
    expectEven();
    await eu.regions.recall(scope, "us", 0);
    for (let round = 0; round < 2; round += 1) await us.regions.exchange();
    expect(await use(us, "u3", 100n)).toBe("used");
    await expect(eu.regions.recall(scope, "ap", 1)).rejects.toMatchObject({ code: "not_found" });
    expect(await us.regions.escrows(scope)).toEqual([]);
  });

  it("are lent nothing while the home wants it back, though they ask, and its process begins anew", async () => {
    await eu.regions.edit(scope, "grant/g", grant(8_000n));
    await us.regions.exchange();
    await eu.regions.recall(scope, "us", 60_000);
    // Another process on the same database, which knows no more than what is written down.
    await using again = await startRegion("eu", { name: "us", url: undefined }, eu.database);
    link.home = again.regions;
    expect(await again.regions.escrows(scope)).toMatchObject([{ heldMicros: "1000" }]);
    // The region has not heard of it yet when it asks for more.
    expect(await us.regions.replenish(scope.tenantId, 1_500n)).toBe("asked");
    const [escrow] = await again.regions.escrows(scope);
    expect(escrow).toMatchObject({ heldMicros: "1000" });
    expect(escrow?.recalledUntil).toBeDefined();
    await us.regions.exchange();
    expect(await again.regions.escrows(scope)).toMatchObject([{ heldMicros: "0" }]);
    aheadMs = 61_000;
    // What was asked for is lent now, once.
    for (let round = 0; round < 2; round += 1) await us.regions.exchange();
    expect(balance(us, "credit")).toBeGreaterThanOrEqual(1_500n);
    eu = again;
    expectEven();
  });

  it("hear that they were lent something before it was recalled, though the answer was lost", async () => {
    await eu.regions.edit(scope, "grant/g", grant(8_000n));
    link.state = "losesReply";
    await us.regions.exchange();
    await eu.regions.recall(scope, "us", 60_000);
    link.state = "open";
    await us.regions.exchange();
    expect(balance(us, "credit")).toBe(1_000n);
    expectEven();
    for (let round = 0; round < 2; round += 1) await us.regions.exchange();
    expect(await eu.regions.escrows(scope)).toMatchObject([{ heldMicros: "0" }]);
  });

  it("owe what has not come back in time, are lent nothing until it has, and are told apart by reconciliation", async () => {
    await eu.regions.edit(scope, "grant/g", grant(8_000n));
    await us.regions.exchange();
    const hold = { currency, amountMicros: 300n, durationMs: 600_000, attribution: {} };
    await us.fixture.ask({ kind: "hold", id: "long", ...hold });
    await eu.regions.recall(scope, "us", 1_000);
    for (let round = 0; round < 2; round += 1) await us.regions.exchange();
    aheadMs = 2_000;
    const overdue = () =>
      eu.database.store.read(scope, (reader) =>
        findDifferences(reader, { nowMs: systemClock.nowMs() + aheadMs }),
      );
    expect(await overdue()).toMatchObject([
      { kind: "escrow-overdue", subject: "region/us", actualMicros: "300" },
    ]);
    expect((await overdue())[0]?.proposal).toBeUndefined();
    expect(await eu.regions.escrows(scope)).toMatchObject([{ isOverdue: true, heldMicros: "300" }]);
    await us.regions.replenish(scope.tenantId, 500n);
    expect(balance(us, "credit")).toBe(0n);
    const charge = { usageId: "u", usageKind: "tokens", amountMicros: 120n };
    await us.fixture.ask({ kind: "settle", holdId: "long", charge, isFinal: true });
    for (let round = 0; round < 2; round += 1) await us.regions.exchange();
    expect(balance(eu, "usage:tokens")).toBe(120n);
    expect(await overdue()).toEqual([]);
    for (let round = 0; round < 2; round += 1) await us.regions.exchange();
    expect(balance(us, "credit")).toBeGreaterThan(0n);
    expectEven();
  });

  it("count what waits for a person and for the home, and how long they are silent", async () => {
    link.state = "cut";
    await us.regions.edit(scope, "budget/b", budget(100n));
    await eu.regions.edit(scope, "budget/b", budget(200n));
    await us.regions.survey();
    expect(us.regions.use()).toMatchObject({ untoldCount: 1, homes: [{ home: "eu" }] });
    link.state = "open";
    // What it hears from the home it tells back once.
    for (let round = 0; round < 2; round += 1) await us.regions.exchange();
    for (const { regions } of [us, eu]) await regions.survey();
    expect(us.regions.use()).toMatchObject({ conflictCount: 1, untoldCount: 0 });
    expect(eu.regions.use()).toMatchObject({ conflictCount: 1, regions: [{ region: "us" }] });
    const registry = new Registry();
    registerRegionMetrics(registry, eu.regions);
    const shown = await registry.metrics();
    expect(shown).toContain('faultline_region_documents{state="conflict"} 1');
    expect(shown).toMatch(/faultline_region_escrow_silent_seconds\{region="us"\} \d/);
  });

  it("go on where they were after a restart of the one that was cut off", async () => {
    await eu.regions.edit(scope, "grant/g", grant(8_000n));
    await us.regions.exchange();
    await use(us, "u1", 200n);
    link.state = "losesReply";
    await us.regions.exchange();
    link.state = "open";
    // Another process on the same database, which knows no more than what is written down.
    await using again = await startRegion("us", { name: "eu", url: link.url }, us.database);
    expect(await use(again, "u2", 300n)).toBe("used");
    await again.regions.exchange();
    await again.regions.exchange();
    expect(balance(eu, "usage:tokens")).toBe(500n);
    us = again;
    expectEven();
  });

  it("answer nobody whose message is not sealed with their key, or who asks what is not theirs", async () => {
    const text = JSON.stringify({
      tenantId: "default",
      steps: [],
      documents: [],
      heardRevision: 0,
      details: {},
    });
    const message = { from: "us", to: "eu", nonce: "0".repeat(32), text };
    const refusals = [
      seal("another key, of the same length as it", "request", message),
      seal(key, "reply", message),
      seal(key, "request", { ...message, to: "ap" }),
      { ...seal(key, "request", message), text: text.replace("default", "another") },
      seal(key, "request", { ...message, text: text.replace("default", "another") }),
    ];
    for (const refused of refusals)
      await expect(eu.regions.answer(refused, signal)).rejects.toMatchObject({
        code: "permission_denied",
      });
    const broken = seal(key, "request", { ...message, text: "{}" });
    await expect(eu.regions.answer(broken, signal)).rejects.toBeInstanceOf(PlatformError);
  });

  describe("refuse what a region with the right key says", () => {
    const edit = {
      clock: { us: 1 },
      region: "us",
      editedAtMs: 1,
      content: {
        kind: "grant",
        given: [{ currency, amountMicros: "5", priority: 0 }],
      },
    };
    const given = (change: object) => ({
      ...edit,
      content: { kind: "grant", given: [{ ...edit.content.given[0], ...change }] },
    });
    const ask = async (change: object) => {
      const empty = { tenantId: "default", steps: [], documents: [], details: {} };
      const text = JSON.stringify({ ...empty, heardRevision: 0, ...change });
      const message = { from: "us", to: "eu", nonce: "0".repeat(32), text };
      return eu.regions.answer(seal(key, "request", message), signal);
    };

    const absurd = [
      ["a revision that no number counts", { heardRevision: 1e300 }],
      ["a revision below zero", { heardRevision: -1 }],
      [
        "a grant below zero",
        { documents: [{ key: "grant/g", versions: [given({ amountMicros: "-5" })] }] },
      ],
      [
        "a grant of nothing",
        { documents: [{ key: "grant/g", versions: [given({ amountMicros: "0" })] }] },
      ],
      [
        "a grant beyond what there can be",
        {
          documents: [{ key: "grant/g", versions: [given({ amountMicros: "1000000000000001" })] }],
        },
      ],
      [
        "a time that no date is",
        { documents: [{ key: "grant/g", versions: [{ ...edit, editedAtMs: 1e16 }] }] },
      ],
      [
        "a document under the key of another",
        { documents: [{ key: "line/USD", versions: [edit] }] },
      ],
      [
        "a document twice",
        {
          documents: [
            { key: "grant/g", versions: [edit] },
            { key: "grant/g", versions: [edit] },
          ],
        },
      ],
    ] as const;

    it("that no region would say, and keep none of it", async () => {
      const before = await eu.regions.documents(scope);
      for (const [what, change] of absurd)
        await expect(ask(change), what).rejects.toMatchObject({ code: "request_invalid" });
      expect(await eu.regions.documents(scope)).toEqual(before);
    });

    it("more edits of one document than stand side by side", async () => {
      const editsOf = (prefix: string) =>
        Array.from({ length: 32 }, (_, index) => ({
          ...edit,
          clock: { [`${prefix}${index}`]: 1 },
        }));
      await ask({ documents: [{ key: "grant/g", versions: editsOf("a") }] });
      const asked = ask({ documents: [{ key: "grant/g", versions: editsOf("b") }] });
      await expect(asked).rejects.toMatchObject({ code: "request_invalid" });
      const documents = await eu.regions.documents(scope);
      expect(documents.find((one) => one.key === "grant/g")?.versions).toHaveLength(32);
    });
  });
});
