import type { Client } from "@faultline/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openTestControl, type TestControl } from "./control-fixture.ts";

const options = { signal: new AbortController().signal };
const url = "https://alerts.example.org/hook";
let control: TestControl;
let admin: Client;
let other: Client;

beforeAll(async () => {
  control = await openTestControl();
  admin = control.client(control.keys.byRole.admin);
  other = control.client(control.keys.otherTenant);
});
afterAll(async () => {
  await control[Symbol.asyncDispose]();
});

describe("webhooks over the control API", () => {
  it("show their secret once, and never log it", async () => {
    const added = await admin.addWebhook({ body: { url, budgetIds: ["team"] } }, options);
    const { id } = added.webhook;
    expect(added.webhook).toMatchObject({ url, budgetIds: ["team"], isEnabled: true });
    const rotated = await admin.rotateWebhookSecret({ params: { id }, body: {} }, options);
    const listed = await admin.listWebhooks({}, options);
    for (const secret of [added.secret, rotated.secret]) {
      expect(secret).toMatch(/^whsec_[\w-]{43}$/);
      expect(JSON.stringify(listed)).not.toContain(secret);
      expect(control.log.join("")).not.toContain(secret);
    }
    await admin.removeWebhook({ params: { id } }, options);
    expect((await admin.listWebhooks({}, options)).webhooks).toEqual([]);
  });

  it("whose URL grows too long when it is written out are refused", async () => {
    const long = `${url}/${"é".repeat(600)}`;
    const refused = { code: "request_invalid", where: "body /url" };
    await expect(admin.addWebhook({ body: { url: long } }, options)).rejects.toMatchObject(refused);
    const { webhook } = await admin.addWebhook({ body: { url } }, options);
    const params = { id: webhook.id };
    const change = admin.changeWebhook({ params, body: { url: long } }, options);
    await expect(change).rejects.toMatchObject(refused);
    await admin.removeWebhook({ params }, options);
  });

  it("are changed in part, and told of all budgets again", async () => {
    const { webhook } = await admin.addWebhook({ body: { url, budgetIds: ["team"] } }, options);
    const params = { id: webhook.id };
    const disabled = await admin.changeWebhook({ params, body: { isEnabled: false } }, options);
    expect(disabled).toEqual({ ...webhook, isEnabled: false });
    const all = await admin.changeWebhook({ params, body: { budgetIds: [] } }, options);
    expect(all).toEqual({ ...webhook, isEnabled: false, budgetIds: [] });
    await admin.removeWebhook({ params }, options);
  });

  it("are nobody else's to see or to touch, nor are their deliveries", async () => {
    const { webhook } = await admin.addWebhook({ body: { url, isEnabled: false } }, options);
    const params = { id: webhook.id };
    const delivery = await admin.testWebhook({ params }, options);
    expect((await other.listWebhooks({}, options)).webhooks).toEqual([]);
    expect((await other.listDeliveries({}, options)).deliveries).toEqual([]);
    const attempts: (() => Promise<unknown>)[] = [
      () => other.changeWebhook({ params, body: { isEnabled: true } }, options),
      () => other.rotateWebhookSecret({ params, body: {} }, options),
      () => other.testWebhook({ params }, options),
      () => other.removeWebhook({ params }, options),
      () => other.retryDelivery({ params: { id: delivery.id } }, options),
    ];
    for (const attempt of attempts)
      await expect(attempt()).rejects.toMatchObject({ code: "not_found" });
    expect((await admin.listWebhooks({}, options)).webhooks).toMatchObject([
      { id: webhook.id, isEnabled: false, waitingCount: 1 },
    ]);
    const query = { webhookId: webhook.id, state: "waiting" } as const;
    expect((await admin.listDeliveries({ query }, options)).deliveries).toEqual([delivery]);
    await admin.removeWebhook({ params }, options);
    expect((await admin.listDeliveries({}, options)).deliveries).toEqual([]);
  });

  it("are bounded, and so are the tests of one", async () => {
    const ids: string[] = [];
    for (let count = 0; count < 20; count += 1) {
      const body = { url: `${url}/${count}`, isEnabled: false };
      ids.push((await admin.addWebhook({ body }, options)).webhook.id);
    }
    await expect(admin.addWebhook({ body: { url } }, options)).rejects.toMatchObject({
      code: "limit_exceeded",
    });
    const params = { id: ids[0] ?? "" };
    for (let count = 0; count < 20; count += 1) await admin.testWebhook({ params }, options);
    await expect(admin.testWebhook({ params }, options)).rejects.toMatchObject({
      code: "limit_exceeded",
    });
    for (const id of ids) await admin.removeWebhook({ params: { id } }, options);
  });

  it.each([
    "http://alerts.example.org/",
    "https://127.0.0.1/",
    "https://[::1]:8080/",
    "https://169.254.169.254/",
    "https://user:password@example.org/",
    "gopher://example.org/",
    "nothing",
  ])("refuse the URL %s", async (refused) => {
    await expect(admin.addWebhook({ body: { url: refused } }, options)).rejects.toMatchObject({
      code: "request_invalid",
      where: "body /url",
    });
  });
});
