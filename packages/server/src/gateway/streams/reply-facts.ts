/** What is known of a kept reply beside its bytes. */

import type { SurfaceName } from "#config/index.ts";
import type { TenantId } from "@faultline/protocol";

import type { ReplyHead } from "../calls/reply-head.ts";

export interface ReplyFacts {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly surface: SurfaceName;
  /** Wall time in milliseconds. */
  readonly startedMs: number;
  /** The life of the journal in which it was begun. */
  readonly epoch: number;
  /** Whether it is a durable stream: its events carry ids, and it can be asked for by its own. */
  readonly durable: boolean;
  /** Of a call with an `Idempotency-Key`. */
  readonly key: KeyedRequest | undefined;
}

export interface KeyedRequest {
  /** SHA-256 of tenant and key, in hexadecimal digits. */
  readonly keyHash: string;
  /** SHA-256 of method, path and body. */
  readonly requestHash: string;
}

export interface KeptHead {
  readonly status: number;
  readonly head: ReplyHead;
}

export interface ReplyEnd {
  /**
   * How it ends for a reader: as a whole reply; after its last words without the end of the transfer; or, when nothing could
   * be said any more, by breaking the connection.
   */
  readonly how: "complete" | "cut" | "broken";
  /**
   * What is left for callers that come back with the key: the reply; nothing, so that the call may be made again; that
   * nobody knows what the provider did; or that the reply had to make room.
   */
  readonly outcome: "kept" | "released" | "unknown" | "dropped";
  /** Wall time in milliseconds. */
  readonly endedMs: number;
  /** Of a stream that a crash has broken: the epoch of the event that says so, which is its last. */
  readonly lossEpoch?: number;
}
