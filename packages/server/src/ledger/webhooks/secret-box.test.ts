/** Secrets in a real database: sealed there, opened where deliveries are signed, and sealed anew with a new key. */

import { createHmac } from "node:crypto";

import { openTestDatabase, type TestDatabase, until } from "@faultline/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";

import { systemRandom } from "#kernel/index.ts";

import { SecretBox, type SecretKey } from "./secret-box.ts";
import { openWebhookReceiver, type ReceivedDelivery } from "./test/webhook-receiver.ts";
import { openWebhookWorld } from "./test/webhook-world.ts";

let database: TestDatabase;
let tenantCount = 0;

beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
});

const keyOf = (id: string): SecretKey => ({ id, key: systemRandom.bytes(32) });
const [first, second] = [keyOf("first"), keyOf("second")];
const boxOf = (...keys: readonly SecretKey[]) => new SecretBox(keys, systemRandom);
const owner = { tenantId: "t", webhookId: "w" };

async function openWorld(secretBox: SecretBox) {
  tenantCount += 1;
  const tenantId = await database.createTenant(`sealed-${tenantCount}`);
  return openWebhookWorld({ ...database, tenantId, until, secretBox });
}

async function kept(id: string): Promise<string> {
  const rows = await database.sql<{ secret: string }>("select secret from webhook where id = $1", [
    id,
  ]);
  return rows[0]?.secret ?? "";
}

function isSignedBy({ headers, body }: ReceivedDelivery, secret: string): boolean {
  const parts = String(headers["x-faultline-signature"]).split(",");
  const seconds = parts.find((part) => part.startsWith("t="))?.slice(2);
  const hex = createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex");
  return parts.includes(`v1=${hex}`);
}

it("keeps secrets sealed in the database, and signs with what it opens", async () => {
  await using receiver = await openWebhookReceiver();
  const world = await openWorld(boxOf(first));
  const { webhooks, scope } = world;
  const terms = { url: receiver.url, budgetIds: [], isEnabled: true };
  const { webhook, secret } = await webhooks.add(scope, terms);
  expect(await kept(webhook.id)).toMatch(/^sealed1:first:[\w-]+$/);
  const rotated = await webhooks.rotate(scope, webhook.id, 60_000);
  await webhooks.test(scope, webhook.id);
  await using _delivery = world.deliver({ secretBox: boxOf(first) });
  await receiver.whenReceived(1);
  const [received] = receiver.received;
  expect([secret, rotated.secret].map((one) => received && isSignedBy(received, one))).toEqual([
    true,
    true,
  ]);
});

it("seals at its start what was written without a key, or with an earlier one", async () => {
  await using receiver = await openWebhookReceiver();
  const world = await openWorld(boxOf());
  const { webhooks, scope } = world;
  const terms = { url: receiver.url, budgetIds: [], isEnabled: true };
  const { webhook, secret } = await webhooks.add(scope, terms);
  expect(await kept(webhook.id)).toBe(secret);
  for (const [secretBox, id] of [
    [boxOf(first), "first"],
    [boxOf(second, first), "second"],
  ] as const) {
    await using _delivery = world.deliver({ secretBox });
    await until(async () => (await kept(webhook.id)).startsWith(`sealed1:${id}:`));
    const before = receiver.received.length;
    await webhooks.test(scope, webhook.id);
    await receiver.whenReceived(before + 1);
    const received = receiver.received[before];
    expect(received !== undefined && isSignedBy(received, secret)).toBe(true);
  }
});

it("does not deliver what it cannot sign, and says so", async () => {
  await using receiver = await openWebhookReceiver();
  const world = await openWorld(boxOf(first));
  const { webhooks, scope } = world;
  const terms = { url: receiver.url, budgetIds: [], isEnabled: true };
  const { webhook } = await webhooks.add(scope, terms);
  const { id } = await webhooks.test(scope, webhook.id);
  await using _delivery = world.deliver({ secretBox: boxOf(second) });
  const failed = await world.when(id, ({ state }) => state === "failed");
  expect(failed.lastFailure).toBe("Its secret cannot be opened.");
  expect(receiver.received).toEqual([]);
  expect(world.log.some((line) => line.includes("with keys that are not known"))).toBe(true);
});

it("opens a secret for its own webhook alone, and never with another key of the same id", () => {
  const sealed = boxOf(first).seal("whsec_abc", owner);
  expect(boxOf(second, first).open(sealed, owner)).toBe("whsec_abc");
  expect(sealed.length).toBeLessThanOrEqual(128);
  const elsewhere = { ...owner, webhookId: "other" };
  expect(() => boxOf(first).open(sealed, elsewhere)).toThrow(/does not open/);
  expect(() => boxOf(keyOf("first")).open(sealed, owner)).toThrow(/does not open/);
  expect(() => boxOf(second).open(sealed, owner)).toThrow(/'first', which is not configured/);
  expect(() => boxOf(first).open("sealed1:first:AAAA", owner)).toThrow(/does not open/);
});
