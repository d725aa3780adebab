/** What becomes of alerts: a real ledger and database, real HTTP, and processes that end in the middle. */

import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { type TenantId, WebhookEvent } from "@faultline/protocol";
import { openTestDatabase, type TestDatabase, until } from "@faultline/testkit";
import { Check } from "typebox/value";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";

import { openLedgerFixture } from "../test/ledger-fixture.ts";
import { openWebhookReceiver, type ReceivedDelivery } from "./test/webhook-receiver.ts";
import { openWebhookWorld, testTimes, type WebhookWorld } from "./test/webhook-world.ts";

const stack = new AsyncDisposableStack();
let database: TestDatabase;
let tenantId: TenantId;
let world: WebhookWorld;
let tenantCount = 0;

beforeAll(async () => {
  database = stack.use(await openTestDatabase());
});
beforeEach(async () => {
  tenantCount += 1;
  tenantId = await database.createTenant(`told-${tenantCount}`);
  world = openWebhookWorld({ ...database, tenantId, until });
});
afterAll(() => stack.disposeAsync());

const all = { budgetIds: [], isEnabled: true };
const isEnded = ({ state }: { readonly state: string }): boolean => state !== "waiting";

/** As a receiver verifies: by the time, the body and the secret that it was given. */
function isSignedBy({ headers, body }: ReceivedDelivery, secret: string): boolean {
  const parts = String(headers["x-faultline-signature"]).split(",");
  const seconds = parts.find((part) => part.startsWith("t="))?.slice(2);
  const expected = createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex");
  return parts.includes(`v1=${expected}`);
}

describe("a budget that passes a threshold", () => {
  it("is told to the webhooks that want it, signed, and once", async () => {
    await using receiver = await openWebhookReceiver();
    await using fixture = openLedgerFixture({ ...database, tenantId });
    const { webhooks, scope } = world;
    const wanting = await webhooks.add(scope, { ...all, url: receiver.url, budgetIds: ["team"] });
    await webhooks.add(scope, { ...all, url: `${receiver.url}&other`, budgetIds: ["other"] });
    await webhooks.add(scope, { ...all, url: `${receiver.url}&off`, isEnabled: false });
    await fixture.ask({ kind: "open-account", currency: "USD", limitMicros: 1_000n });
    const terms = {
      budgetId: "team",
      currency: "USD",
      scope: { kind: "tenant" },
      window: { kind: "total" },
      limitMicros: 100n,
      isHard: true,
      thresholdPercents: [50, 80],
    };
    await fixture.ask({ kind: "set-budget", terms, spentMicros: 0n });
    const hold = { kind: "hold", currency: "USD", durationMs: 60_000, attribution: {} } as const;
    await fixture.ask({ ...hold, amountMicros: 85n });
    await using one = world.deliver();
    await using other = world.deliver();
    await until(async () => (await webhooks.deliveries(scope, {})).some(isEnded));
    const [delivery] = receiver.received;
    expect(receiver.received).toHaveLength(1);
    const event: unknown = JSON.parse(delivery?.body ?? "");
    expect(Check(WebhookEvent, event)).toBe(true);
    expect(event).toMatchObject({
      id: delivery?.headers["x-faultline-delivery"],
      type: "budget.threshold_passed",
      tenant: tenantId,
      budget: { budgetId: "team", percent: 80, usedMicros: "85", limitMicros: "100" },
    });
    expect(delivery?.path).toBe("/alerts?team=a");
    expect(delivery && isSignedBy(delivery, wanting.secret)).toBe(true);
    const left = await database.sql(
      "select 1 from ledger_notice where tenant_id = $1 and delivered_at_ms is null",
      [tenantId],
    );
    expect(left).toEqual([]);
    expect(one.counts.delivered + other.counts.delivered).toBeGreaterThanOrEqual(1);
    expect(world.log.join("")).not.toContain(wanting.secret);
  });
});

describe("a delivery", () => {
  it("is attempted with the same id and body until it is taken", async () => {
    await using receiver = await openWebhookReceiver();
    let count = 0;
    receiver.answer = (response) => {
      count += 1;
      response.writeHead(count < 3 ? 503 : 200).end("thanks");
    };
    const { webhooks, scope } = world;
    const { webhook } = await webhooks.add(scope, { ...all, url: receiver.url });
    const { id } = await webhooks.test(scope, webhook.id);
    await using _delivery = world.deliver();
    const ended = await world.when(id, isEnded);
    expect(ended).toMatchObject({ state: "delivered", attemptCount: 3, lastStatus: 200 });
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
    expect(receiver.received.map(({ headers }) => headers["x-faultline-delivery"])).toEqual([
      id,
      id,
      id,
    ]);
  });

  it("has failed after the last attempt, is seen, and goes on when somebody says so", async () => {
    await using receiver = await openWebhookReceiver();
    receiver.answer = (response) => response.writeHead(302, { location: receiver.url }).end();
    const { webhooks, scope } = world;
    const { webhook } = await webhooks.add(scope, { ...all, url: receiver.url });
    const { id } = await webhooks.test(scope, webhook.id);
    await using delivery = world.deliver();
    expect(await world.when(id, isEnded)).toMatchObject({
      state: "failed",
      attemptCount: testTimes.attemptCountMax,
      lastStatus: 302,
      lastFailure: "It answered with status 302.",
    });
    // A redirect would have been one more.
    expect(receiver.received).toHaveLength(testTimes.attemptCountMax);
    expect(delivery.counts).toMatchObject({ again: testTimes.attemptCountMax - 1, failed: 1 });
    expect(await webhooks.list(scope)).toMatchObject([{ failedCount: 1, waitingCount: 0 }]);
    receiver.answer = (response) => response.writeHead(204).end();
    await webhooks.retry(scope, id);
    expect(await world.when(id, isEnded)).toMatchObject({ state: "delivered", attemptCount: 1 });
  });

  it("waits while its webhook is disabled", async () => {
    await using receiver = await openWebhookReceiver();
    const { webhooks, scope } = world;
    const { webhook } = await webhooks.add(scope, { ...all, url: receiver.url });
    const { id } = await webhooks.test(scope, webhook.id);
    await webhooks.change(scope, webhook.id, { isEnabled: false });
    const { webhook: other } = await webhooks.add(scope, { ...all, url: receiver.url });
    await using _delivery = world.deliver();
    await world.when((await webhooks.test(scope, other.id)).id, isEnded);
    expect(await webhooks.deliveries(scope, { id })).toMatchObject([
      { state: "waiting", attemptCount: 0 },
    ]);
    await webhooks.change(scope, webhook.id, { isEnabled: true });
    expect(await world.when(id, isEnded)).toMatchObject({ state: "delivered" });
  });

  it("reaches its receiver once while two processes deliver and none dies", async () => {
    await using receiver = await openWebhookReceiver();
    const { webhooks, scope } = world;
    const ids: string[] = [];
    for (const name of ["a", "b", "c"]) {
      const { webhook } = await webhooks.add(scope, { ...all, url: `${receiver.url}&${name}` });
      for (let count = 0; count < 15; count += 1)
        ids.push((await webhooks.test(scope, webhook.id)).id);
    }
    await using one = world.deliver();
    await using other = world.deliver();
    await until(async () => {
      const waiting = await webhooks.deliveries(scope, { state: "waiting" });
      return waiting.length === 0;
    });
    const seen = receiver.received.map(({ headers }) => String(headers["x-faultline-delivery"]));
    expect(seen.toSorted()).toEqual(ids.toSorted());
    expect(one.counts.delivered + other.counts.delivered).toBe(ids.length);
  });

  it("is not held up by a webhook that never answers", async () => {
    await using silent = await openWebhookReceiver();
    silent.answer = () => {};
    await using receiver = await openWebhookReceiver();
    const { webhooks, scope } = world;
    const { webhook: slow } = await webhooks.add(scope, { ...all, url: silent.url });
    const { webhook: quick } = await webhooks.add(scope, { ...all, url: receiver.url });
    for (let count = 0; count < 12; count += 1) await webhooks.test(scope, slow.id);
    await using _delivery = world.deliver();
    await silent.whenReceived(2);
    const { id } = await webhooks.test(scope, quick.id);
    await world.when(id, isEnded);
    expect(silent.received).toHaveLength(2);
  });

  it("fails at its deadline when no answer comes", async () => {
    await using silent = await openWebhookReceiver();
    silent.answer = (response) => void response.writeHead(200).write("and so on");
    const { webhooks, scope } = world;
    const { webhook } = await webhooks.add(scope, { ...all, url: silent.url });
    const { id: begun } = await webhooks.test(scope, webhook.id);
    await using _delivery = world.deliver({ times: { attemptMsMax: 300, attemptCountMax: 1 } });
    // Whoever says 200 has taken it, whatever comes behind.
    expect(await world.when(begun, isEnded)).toMatchObject({ state: "delivered" });
    silent.answer = () => {};
    const { id } = await webhooks.test(scope, webhook.id);
    expect(await world.when(id, isEnded)).toMatchObject({
      state: "failed",
      lastFailure: "No answer came before the deadline.",
    });
  });

  it("is given back by a process that ends, and is no attempt of its own", async () => {
    await using receiver = await openWebhookReceiver();
    receiver.answer = () => {};
    const { webhooks, scope } = world;
    const { webhook } = await webhooks.add(scope, { ...all, url: receiver.url });
    const { id } = await webhooks.test(scope, webhook.id);
    const first = world.deliver();
    await receiver.whenReceived(1);
    await first[Symbol.asyncDispose]();
    expect(await webhooks.deliveries(scope, { id })).toMatchObject([
      { state: "waiting", attemptCount: 0 },
    ]);
    receiver.answer = (response) => response.writeHead(200).end();
    await using _second = world.deliver();
    expect(await world.when(id, isEnded)).toMatchObject({ state: "delivered", attemptCount: 1 });
  });

  it("is attempted again, under its id, after its process was killed in the middle", async () => {
    await using receiver = await openWebhookReceiver();
    receiver.answer = () => {};
    const { webhooks, scope } = world;
    const { webhook } = await webhooks.add(scope, { ...all, url: receiver.url });
    const { id } = await webhooks.test(scope, webhook.id);
    const { socketFolder, superuser } = inject("faultlinePostgres");
    const [named] = await database.sql<{ name: string }>("select current_database() as name");
    const times = { ...testTimes, leaseMs: 2_000 };
    const script = fileURLToPath(new URL("test/run-delivery.ts", import.meta.url));
    const child = spawn(
      process.execPath,
      [script, socketFolder, superuser, named?.name ?? "", JSON.stringify(times)],
      { stdio: ["ignore", "ignore", "inherit"] },
    );
    await receiver.whenReceived(1);
    child.kill("SIGKILL");
    await once(child, "exit");
    receiver.answer = (response) => response.writeHead(200).end();
    await using _delivery = world.deliver();
    expect(await world.when(id, isEnded)).toMatchObject({ state: "delivered", attemptCount: 2 });
    expect(receiver.received.map(({ headers }) => headers["x-faultline-delivery"])).toEqual([
      id,
      id,
    ]);
  });
});

describe("the secret of a webhook", () => {
  it("signs beside the one before it until that one's time is over", async () => {
    await using receiver = await openWebhookReceiver();
    const { webhooks, scope } = world;
    await using _delivery = world.deliver();
    const first = await webhooks.add(scope, { ...all, url: receiver.url });
    const { id } = first.webhook;
    const second = await webhooks.rotate(scope, id, 3_600_000);
    expect(second.webhook.previousSecretUntil).toBeDefined();
    await world.when((await webhooks.test(scope, id)).id, isEnded);
    const third = await webhooks.rotate(scope, id, 0);
    await world.when((await webhooks.test(scope, id)).id, isEnded);
    const secrets = [first.secret, second.secret, third.secret];
    expect(
      receiver.received.map((delivery) => secrets.map((secret) => isSignedBy(delivery, secret))),
    ).toEqual([
      [true, true, false],
      [false, false, true],
    ]);
  });

  it("cannot be read by whoever serves requests", async () => {
    const { scope } = world;
    await world.webhooks.add(scope, { ...all, url: "https://example.org/" });
    for (const column of ["secret", "previous_secret"] as const)
      await expect(
        database.store.read(scope, (reader) =>
          reader.selectFrom("webhook").select(column).execute(),
        ),
      ).rejects.toThrow();
  });
});
