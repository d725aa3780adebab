/** When keys were used last: gathered in memory and written together, because a write per request would cost more than the request. */

import type { Clock } from "#kernel/index.ts";
import type { Store } from "#storage/index.ts";
import { PlatformError, type TenantId } from "@faultline/protocol";
import type { Logger } from "pino";

import type { KeyRecord } from "./key-record.ts";

export interface KeyUseParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Holds at most one time for each key that exists. */
export class KeyUse {
  readonly #parts: KeyUseParts;
  #usedAtMs = new Map<TenantId, Map<string, number>>();

  constructor(parts: KeyUseParts) {
    this.#parts = parts;
  }

  note(key: Pick<KeyRecord, "id" | "tenantId">): void {
    const ofTenant = this.#usedAtMs.get(key.tenantId) ?? new Map<string, number>();
    ofTenant.set(key.id, this.#parts.clock.nowMs());
    this.#usedAtMs.set(key.tenantId, ofTenant);
  }

  /** Writes what was gathered. A time of use that cannot be written is logged and let go: it decides nothing. */
  async flush(signal: AbortSignal): Promise<void> {
    const gathered = this.#usedAtMs;
    this.#usedAtMs = new Map();
    for (const [tenantId, times] of gathered) {
      try {
        await this.#write(tenantId, times, signal);
      } catch (error) {
        const code = error instanceof PlatformError ? error.code : "unexpected";
        this.#parts.logger.warn(
          { err: error, tenantId, code },
          "the times at which keys were used were not written",
        );
      }
    }
  }

  async #write(
    tenantId: TenantId,
    times: ReadonlyMap<string, number>,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#parts.store.transact({ tenantId, signal }, async (writer) => {
      for (const [id, usedAtMs] of times) {
        await writer
          .updateTable("api_key")
          .set({ last_used_at: new Date(usedAtMs) })
          .where("id", "=", id)
          .execute();
      }
    });
  }
}
