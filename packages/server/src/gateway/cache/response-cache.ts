/** Replies in memory, the least recently used of them dropped first; one tenant cannot take all the room. */

import type { Target } from "#catalog/index.ts";
import type { TenantId } from "@faultline/protocol";

import type { ReplyHead } from "../calls/reply-head.ts";
import { cacheLimits } from "./limits.ts";

export interface CachedReply {
  readonly tenantId: TenantId;
  readonly status: number;
  /** What does not belong to one call alone. */
  readonly head: ReplyHead;
  readonly body: Buffer;
  /** Monotonic time at which the reply was whole. */
  readonly storedMs: number;
  /** What answered. */
  readonly target: Target;
  readonly responseId: string | undefined;
  readonly responseModel: string | undefined;
  readonly finishReasons: readonly string[];
}

export class ResponseCache {
  readonly #bytesMax: () => number;
  /** From the least recently used on. */
  readonly #replies = new Map<string, CachedReply>();
  readonly #byTenant = new Map<TenantId, TenantShare>();
  #bytes = 0;
  hitCount = 0;
  missCount = 0;

  /** `bytesMax` is that of the newest settings. */
  constructor(bytesMax: () => number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#replies.size;
  }

  /** The reply of a key that is at most so old. */
  find(
    key: string,
    now: { readonly ageMsMax: number; readonly nowMs: number },
  ): CachedReply | undefined {
    const reply = this.#replies.get(key);
    if (reply === undefined || now.nowMs - reply.storedMs > now.ageMsMax) {
      this.missCount += 1;
      return undefined;
    }
    this.hitCount += 1;
    this.#replies.delete(key);
    this.#replies.set(key, reply);
    const share = this.#byTenant.get(reply.tenantId);
    share?.keys.delete(key);
    share?.keys.add(key);
    return reply;
  }

  /** Keeps a reply, in the place of an older one of its key. */
  put(key: string, reply: CachedReply): void {
    this.#drop(key);
    const bytes = sizeOf(reply);
    const bytesMax = this.#bytesMax();
    const shareMax = bytesMax * cacheLimits.tenantShareMax;
    if (bytes > shareMax) return;
    const share = this.#byTenant.get(reply.tenantId) ?? { bytes: 0, keys: new Set<string>() };
    for (const oldest of share.keys) {
      if (share.bytes + bytes <= shareMax) break;
      this.#drop(oldest);
    }
    for (const oldest of this.#replies.keys()) {
      if (this.#bytes + bytes <= bytesMax) break;
      this.#drop(oldest);
    }
    this.#byTenant.set(reply.tenantId, share);
    this.#replies.set(key, reply);
    share.keys.add(key);
    share.bytes += bytes;
    this.#bytes += bytes;
  }

  #drop(key: string): void {
    const reply = this.#replies.get(key);
    if (reply === undefined) return;
    const bytes = sizeOf(reply);
    this.#replies.delete(key);
    this.#bytes -= bytes;
    const share = this.#byTenant.get(reply.tenantId);
    if (share === undefined) return;
    share.keys.delete(key);
    share.bytes -= bytes;
    if (share.keys.size === 0) this.#byTenant.delete(reply.tenantId);
  }
}

interface TenantShare {
  bytes: number;
  /** From the least recently used on. */
  readonly keys: Set<string>;
}

function sizeOf({ body }: CachedReply): number {
  return body.length + cacheLimits.entryBytes;
}
