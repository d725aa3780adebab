/** Where an attempt leads, whatever names say: a real receiver on this machine, which must not be reached unless that is allowed. */

import type { LookupAddress } from "node:dns";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Resolve, sendWebhook } from "./send-webhook.ts";
import { openWebhookReceiver, type WebhookReceiver } from "./test/webhook-receiver.ts";
import { readWebhookUrl } from "./webhook-url.ts";

let receiver: WebhookReceiver;
beforeAll(async () => {
  receiver = await openWebhookReceiver();
});
afterAll(() => receiver[Symbol.asyncDispose]());

const { signal } = new AbortController();
const loopback: LookupAddress = { address: "127.0.0.1", family: 4 };
const ofTheInternet: LookupAddress = { address: "93.184.215.14", family: 4 };
const send = (url: string, resolve: Resolve, allowsPrivate: boolean) =>
  sendWebhook({ url, headers: {}, body: "{}" }, { resolve, allowsPrivate, signal });

describe("an attempt", () => {
  it("goes to the address that was looked at, under the name that was asked for", async () => {
    let lookCount = 0;
    const resolve: Resolve = async () => {
      lookCount += 1;
      // A second look would lead elsewhere, as names do whose owner wants that.
      return lookCount === 1 ? [loopback] : [{ address: "127.0.0.2", family: 4 }];
    };
    const url = `http://alerts.example.test:${receiver.port}/hook?a=b`;
    expect(await send(url, resolve, true)).toEqual({ kind: "delivered", status: 204 });
    expect(lookCount).toBe(1);
    const [received] = receiver.received.splice(0);
    expect(received).toMatchObject({
      path: "/hook?a=b",
      headers: { host: `alerts.example.test:${receiver.port}` },
    });
  });

  it.each<[string, readonly LookupAddress[]]>([
    ["this machine", [loopback]],
    ["a neighbour", [{ address: "10.1.2.3", family: 4 }]],
    ["the metadata of a cloud", [{ address: "169.254.169.254", family: 4 }]],
    ["this machine beside the internet", [ofTheInternet, loopback]],
    ["this machine, written as IPv6", [{ address: "::ffff:127.0.0.1", family: 6 }]],
  ])("does not go to a name that leads to %s", async (_where, addresses) => {
    const url = `https://alerts.example.test:${receiver.port}/`;
    expect(await send(url, async () => addresses, false)).toEqual({
      kind: "failed",
      reason: "The name leads to an address that is not of the internet.",
    });
    expect(receiver.received).toEqual([]);
  });

  it("says why it failed, also when a name leads nowhere", async () => {
    const lost: Resolve = () => Promise.reject(new Error("getaddrinfo ENOTFOUND nowhere.test"));
    expect(await send("https://nowhere.test/", lost, false)).toEqual({
      kind: "failed",
      reason: "getaddrinfo ENOTFOUND nowhere.test",
    });
    expect(await send("https://nowhere.test/", async () => [], true)).toMatchObject({
      kind: "failed",
    });
    // TLS was asked for, and the receiver speaks none.
    const plain = `https://127.0.0.1:${receiver.port}/`;
    expect(await send(plain, async () => [loopback], true)).toMatchObject({ kind: "failed" });
  });
});

describe("the URL of a webhook", () => {
  it.each([
    "http://example.org/",
    "ftp://example.org/",
    "https://user:secret@example.org/",
    "https://example.org/#part",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://[::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://169.254.169.254/latest/meta-data",
    "no url",
  ])("is refused when it is %s", (url) => {
    expect(() => readWebhookUrl(url, false)).toThrow(/webhook|internet/);
  });

  it("may lead to this machine where the operator allows it, and to the internet always", () => {
    expect(readWebhookUrl("http://127.0.0.1:9000/x", true)).toBe("http://127.0.0.1:9000/x");
    expect(readWebhookUrl("https://example.org/x?y=z", false)).toBe("https://example.org/x?y=z");
    expect(readWebhookUrl("https://8.8.8.8/", false)).toBe("https://8.8.8.8/");
    expect(() => readWebhookUrl("https://u:p@127.0.0.1/", true)).toThrow(/credentials/);
  });
});
