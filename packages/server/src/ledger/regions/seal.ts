/**
 * Seals messages between two regions with the key that they share, so that each knows the other: a request is bound to whom it
 * is from and to, a reply to its request. A message that is sent again by somebody else does nothing new: every step in it has
 * an id and takes effect once, and documents merge.
 */

import { createHmac, timingSafeEqual } from "node:crypto";

import { PlatformError, type SealedMessage } from "@faultline/protocol";

export type SealedKind = "request" | "reply";

/** Seals a text. */
export function seal(
  key: string,
  kind: SealedKind,
  message: Omit<SealedMessage, "seal">,
): SealedMessage {
  return { ...message, seal: sealOf(key, kind, message) };
}

/** The text of a message. Throws `permission_denied` when its seal was not made with this key. */
export function unseal(key: string, kind: SealedKind, message: SealedMessage): string {
  const expected = Buffer.from(sealOf(key, kind, message), "hex");
  const given = Buffer.from(message.seal, "hex");
  if (expected.length === given.length && timingSafeEqual(expected, given)) return message.text;
  throw regionUnknown();
}

/** One error for an unknown region and a wrong key: a stranger learns nothing. */
export function regionUnknown(): PlatformError {
  return new PlatformError(
    "permission_denied",
    "The message is not sealed by a region that is known.",
    {
      hint: "Both regions name one another under `regions.peers`, with the same key.",
    },
  );
}

function sealOf(key: string, kind: SealedKind, message: Omit<SealedMessage, "seal">): string {
  const { from, to, nonce, text } = message;
  return createHmac("sha256", key)
    .update(`${kind}\n${from}\n${to}\n${nonce}\n`)
    .update(text)
    .digest("hex");
}
