/** Browser sessions: a random secret in a cookie, its hash in memory. They end with the process, the key or after hours. */

import { createHash } from "node:crypto";

import type { Clock, Random } from "#kernel/index.ts";

import { httpLimits } from "./limits.ts";

export const sessionCookieName = "faultline_session";

const secretBytes = 32;
const hourMs = 3_600_000;

interface Session {
  /** SHA-256 of the key that it was made with: the key stays the authority, so its revocation ends the session. */
  readonly keyHash: string;
  readonly expiresAtMs: number;
}

/** At most `sessionCountMax` sessions; the oldest goes first. */
export class Sessions {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #sessions = new Map<string, Session>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Begins a session for a key and gives the cookie's value. */
  create(keyHash: string): string {
    const secret = Buffer.from(this.#random.bytes(secretBytes)).toString("base64url");
    const expiresAtMs = this.#clock.monotonicMs() + httpLimits.sessionHoursMax * hourMs;
    if (this.#sessions.size >= httpLimits.sessionCountMax) {
      const [oldest] = this.#sessions.keys();
      if (oldest !== undefined) this.#sessions.delete(oldest);
    }
    this.#sessions.set(hashOf(secret), { keyHash, expiresAtMs });
    return secret;
  }

  /** The hash of the key behind a cookie, or `undefined` when there is no such session any more. */
  find(secret: string): string | undefined {
    const id = hashOf(secret);
    const session = this.#sessions.get(id);
    if (session === undefined) return undefined;
    if (session.expiresAtMs <= this.#clock.monotonicMs()) {
      this.#sessions.delete(id);
      return undefined;
    }
    return session.keyHash;
  }

  /** Ends a session; one that is gone already is fine. */
  end(secret: string): void {
    this.#sessions.delete(hashOf(secret));
  }
}

function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
