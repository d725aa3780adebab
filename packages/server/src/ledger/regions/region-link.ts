/** Carries the messages of a region to another one, over HTTP. */

import { createClient, PlatformError, type TenantId } from "@faultline/protocol";

import type { Random } from "#kernel/index.ts";

import { exchangeText, readReplyText, type SentReply, type SentRequest } from "./exchange-text.ts";
import { regionLimits } from "./limits.ts";
import { type RegionPeer } from "./region-terms.ts";
import { seal, unseal } from "./seal.ts";

const nonceBytes = 16;

/** Asks a peer. Throws when nothing is known of what became of it, or it was refused. */
export async function askPeer(
  peer: RegionPeer,
  request: SentRequest & { readonly tenantId: TenantId },
  own: {
    readonly name: string;
    readonly random: Random;
    readonly fetch: typeof globalThis.fetch;
    readonly signal: AbortSignal;
  },
): Promise<SentReply> {
  const { name: from, random, fetch, signal } = own;
  const { name: to, url, key } = peer;
  if (url === undefined)
    throw new PlatformError("configuration_invalid", `The region ${to} has no URL here.`, {
      hint: "Name it under `regions.peers`.",
    });
  const nonce = Buffer.from(random.bytes(nonceBytes)).toString("hex");
  const client = createClient({ baseUrl: url, fetch });
  const message = seal(key, "request", { from, to, nonce, text: exchangeText(request) });
  const deadlineMs = regionLimits.exchangeMsMax;
  const reply = await client.exchangeRegions({ body: message }, { signal, deadlineMs });
  // A reply to another message, or of another region, has another seal.
  return readReplyText(unseal(key, "reply", { ...reply, from: to, to: from, nonce }));
}
