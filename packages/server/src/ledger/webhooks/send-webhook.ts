/** One attempt to deliver: the name is resolved, the address is looked at, and the connection goes to that address and no other. */

import type { LookupAddress } from "node:dns";
import { isIP, isIPv6, type LookupFunction } from "node:net";

import { isAbort, raceAbort } from "#kernel/index.ts";
import { Client } from "undici";

import { webhookLimits } from "./limits.ts";
import { isPublicAddress } from "./public-address.ts";
import { hostOf } from "./webhook-url.ts";

/** Finds all addresses of a name; `signal` says that nobody waits for them any more. */
export type Resolve = (host: string, signal: AbortSignal) => Promise<readonly LookupAddress[]>;

export interface WebhookRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface SendParts {
  readonly resolve: Resolve;
  /** Whether the operator lets webhooks reach addresses that are not of the internet. */
  readonly allowsPrivate: boolean;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
}

export type AttemptOutcome =
  /** The receiver has it. */
  | { readonly kind: "delivered"; readonly status: number }
  | { readonly kind: "refused"; readonly status: number; readonly retryAfterMs: number | undefined }
  /** In one sentence, without anything secret. */
  | { readonly kind: "failed"; readonly reason: string };

/** Sends once. Redirects are not followed: a receiver could lead them anywhere. */
export async function sendWebhook(
  request: WebhookRequest,
  parts: SendParts,
): Promise<AttemptOutcome> {
  const { signal, allowsPrivate } = parts;
  try {
    const url = new URL(request.url);
    if (url.protocol !== "https:" && !allowsPrivate)
      return { kind: "failed", reason: "The URL does not begin with https://." };
    const address = await pin(hostOf(url), parts);
    if (address === undefined)
      return {
        kind: "failed",
        reason: "The name leads to an address that is not of the internet.",
      };
    return await post(url, request, { address, signal });
  } catch (error) {
    return { kind: "failed", reason: describe(error) };
  }
}

/** The address to connect to; `undefined` where even one of a name's addresses must not be reached. */
async function pin(
  host: string,
  { resolve, allowsPrivate, signal }: SendParts,
): Promise<LookupAddress | undefined> {
  const found =
    isIP(host) === 0
      ? await raceAbort(resolve(host, signal), signal)
      : [{ address: host, family: isIPv6(host) ? 6 : 4 }];
  if (!allowsPrivate && !found.every(({ address }) => isPublicAddress(address))) return undefined;
  const [address] = found;
  if (address === undefined) throw new Error("The name leads nowhere.");
  return address;
}

async function post(
  url: URL,
  { headers, body }: WebhookRequest,
  { address, signal }: { readonly address: LookupAddress; readonly signal: AbortSignal },
): Promise<AttemptOutcome> {
  // Whatever asks for an address gets the one that was looked at; a second look at the name could find another.
  const lookup: LookupFunction = (_host, options, done) =>
    options.all === true ? done(null, [address]) : done(null, address.address, address.family);
  const client = new Client(url.origin, {
    connect: { lookup, autoSelectFamily: false },
    maxHeaderSize: webhookLimits.answerHeaderBytesMax,
    // The signal bounds all of it.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  try {
    const answer = await client.request({
      path: `${url.pathname}${url.search}`,
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body,
      signal,
    });
    const { statusCode: status } = answer;
    // What it says is nobody's; the connection ends with it.
    await answer.body.dump({ limit: webhookLimits.answerBytesMax, signal }).catch(() => {});
    if (status >= 200 && status < 300) return { kind: "delivered", status };
    return { kind: "refused", status, retryAfterMs: retryAfterOf(answer.headers["retry-after"]) };
  } finally {
    await client.destroy();
  }
}

function retryAfterOf(header: string | readonly string[] | undefined): number | undefined {
  return typeof header === "string" && /^\d{1,7}$/.test(header)
    ? Number(header) * 1_000
    : undefined;
}

const reasonLengthMax = 200;

function describe(error: unknown): string {
  if (isAbort(error)) return "No answer came before the deadline.";
  if (!(error instanceof Error)) return "The attempt failed.";
  const code = "code" in error && typeof error.code === "string" ? `${error.code}: ` : "";
  return `${code}${error.message}`.slice(0, reasonLengthMax);
}
