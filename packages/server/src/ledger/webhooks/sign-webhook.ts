/** Signatures of deliveries: who knows the secret can tell that a body is ours, and when it was sent. */

import { createHmac } from "node:crypto";

import type { Random } from "#kernel/index.ts";

/** The header with the time and one signature for each valid secret. */
export const signatureHeader = "x-faultline-signature";

const secretBytes = 32;
const msPerSecond = 1_000;

/** `t=SECONDS,v1=HEX`, of HMAC-SHA256 over the seconds, a dot and the body. */
export function signWebhook(
  body: string,
  { secrets, atMs }: { readonly secrets: readonly string[]; readonly atMs: number },
): string {
  const seconds = Math.floor(atMs / msPerSecond);
  const signatures = secrets.map((secret) => {
    const hex = createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex");
    return `v1=${hex}`;
  });
  return [`t=${seconds}`, ...signatures].join(",");
}

/** A fresh secret. */
export function newWebhookSecret(random: Random): string {
  return `whsec_${Buffer.from(random.bytes(secretBytes)).toString("base64url")}`;
}
