/** What the holder of a key that has ended is told, in the same words wherever the key is shown. */

import { PlatformError } from "./errors.ts";

export interface EndableKey {
  readonly name: string;
  /** Milliseconds since the Unix epoch; `undefined` never expires. */
  readonly expiresAtMs: number | undefined;
  readonly revokedAtMs: number | undefined;
}

/** The refusal of a key that was revoked or has expired; `undefined` while it is good. */
export function refuseEndedKey(key: EndableKey, nowMs: number): PlatformError | undefined {
  const hint = "Use another key; `faultline key create` makes one.";
  if (key.revokedAtMs !== undefined) {
    const revokedAt = new Date(key.revokedAtMs).toISOString();
    return new PlatformError(
      "key_revoked",
      `The key \`${key.name}\` was revoked on ${revokedAt}.`,
      {
        hint,
      },
    );
  }
  if (key.expiresAtMs !== undefined && key.expiresAtMs <= nowMs) {
    const expiredAt = new Date(key.expiresAtMs).toISOString();
    return new PlatformError("key_expired", `The key \`${key.name}\` expired on ${expiredAt}.`, {
      hint,
    });
  }
  return undefined;
}
