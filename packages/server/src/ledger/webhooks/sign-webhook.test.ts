import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { seededRandom, systemRandom } from "#kernel/index.ts";

import { newWebhookSecret, signWebhook } from "./sign-webhook.ts";

type Verify = (
  body: string,
  sent: {
    readonly signature: string;
    readonly secret: string | undefined;
    readonly nowSeconds: number;
  },
) => boolean;

/** The example that the page about the ledger gives to those who receive alerts. */
async function documentedVerify(): Promise<Verify> {
  const page = readFileSync(new URL("../../../../../docs/ledger.md", import.meta.url), "utf8");
  const code = /```js\n([^]*?)```/.exec(page)?.[1] ?? "";
  const url = `data:text/javascript,${encodeURIComponent(code)}`;
  // The example exports this.
  const example = (await import(/* @vite-ignore */ url)) as { readonly isFromFaultline: Verify };
  return example.isFromFaultline;
}

describe("the documented verification", () => {
  const atMs = 1_800_000_000_000;
  const nowSeconds = atMs / 1_000;
  const random = seededRandom("secrets");
  const [first, second, other] = [1, 2, 3].map(() => newWebhookSecret(random));
  const body = '{"id":"1","text":"ü, a comma, and = signs"}';

  it("takes what was signed by either valid secret, and nothing else", async () => {
    const verify = await documentedVerify();
    const header = signWebhook(body, { secrets: [first ?? "", second ?? ""], atMs });
    expect(header).toMatch(/^t=1800000000,v1=[0-9a-f]{64},v1=[0-9a-f]{64}$/);
    expect(verify(body, { signature: header, secret: first, nowSeconds })).toBe(true);
    expect(verify(body, { signature: header, secret: second, nowSeconds })).toBe(true);
    expect(verify(body, { signature: header, secret: other, nowSeconds })).toBe(false);
    expect(verify(`${body} `, { signature: header, secret: first, nowSeconds })).toBe(false);
    const moved = header.replace("t=1800000000", "t=1800000001");
    expect(verify(body, { signature: moved, secret: first, nowSeconds })).toBe(false);
  });

  it("refuses what is old, and what is no signature", async () => {
    const verify = await documentedVerify();
    const header = signWebhook(body, { secrets: [first ?? ""], atMs });
    expect(verify(body, { signature: header, secret: first, nowSeconds: nowSeconds + 300 })).toBe(
      true,
    );
    expect(verify(body, { signature: header, secret: first, nowSeconds: nowSeconds + 301 })).toBe(
      false,
    );
    for (const bad of ["", "t=1800000000", "v1=00", "t=x,v1=", `t=${nowSeconds},v1=zz`])
      expect(verify(body, { signature: bad, secret: first, nowSeconds })).toBe(false);
  });
});

describe("a secret", () => {
  it("is one that nobody guesses", () => {
    const secrets = Array.from({ length: 100 }, () => newWebhookSecret(systemRandom));
    expect(new Set(secrets).size).toBe(100);
    for (const secret of secrets) expect(secret).toMatch(/^whsec_[\w-]{43}$/);
  });
});
