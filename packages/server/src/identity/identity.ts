/** Tenants and their keys: who may ask, known by the hash of a key alone. */

import type { Clock, Ids, Random } from "#kernel/index.ts";
import type { Store, TenantScope } from "#storage/index.ts";
import {
  type CreatedKey,
  type CreateKeyRequest,
  formatKey,
  type KeyId,
  keyPrefix,
  type KeySummary,
  type KeyTerms,
  PlatformError,
  refuseEndedKey,
  type TenantId,
} from "@faultline/protocol";
import type { Logger } from "pino";

import { hashKey, readKey } from "./hash-key.ts";
import { KeyCache } from "./key-cache.ts";
import {
  keyOfRow,
  type KeyRecord,
  keyColumns,
  listKeyRows,
  type Principal,
  principalOf,
  summaryOf,
} from "./key-record.ts";
import { KeyUse } from "./key-use.ts";
import { rowOfTerms } from "./terms-columns.ts";

export const identityLimits = {
  /** Keys of one tenant that are not revoked. */
  activeKeyCountMax: 1_000,
  /** Keys in one list; revoked ones that do not fit are left out, oldest first. */
  listedKeyCountMax: 1_000,
  cachedKeyCountMax: 10_000,
  /** How long another process's revocation may go unnoticed here. */
  cacheMsMax: 5_000,
  /** How long processes without a database are told of a key that was revoked. */
  endedKeyMsKept: 30 * 86_400_000,
  /** How often the times of use are written. */
  useWriteMs: 10_000,
  /** How long a stop waits for the last of them. */
  flushMsMax: 5_000,
} as const;

export interface IdentityParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

export class Identity implements AsyncDisposable {
  readonly #parts: IdentityParts;
  readonly #cache: KeyCache;
  readonly #use: KeyUse;
  readonly #listeners = new Set<() => Promise<void>>();

  private constructor(parts: IdentityParts) {
    this.#parts = parts;
    this.#cache = new KeyCache(
      parts.clock,
      identityLimits.cachedKeyCountMax,
      identityLimits.cacheMsMax,
    );
    this.#use = new KeyUse(parts);
  }

  /** Opens identity and starts writing times of use until `signal` aborts. */
  static async open(parts: IdentityParts): Promise<Identity> {
    await parts.store.ping(parts.signal);
    const identity = new Identity(parts);
    parts.clock.every(
      identityLimits.useWriteMs,
      parts.signal,
      () => void identity.#use.flush(parts.signal),
    );
    return identity;
  }

  /** Creates a tenant, or changes what it captures. Says whether it is new. */
  async putTenant(
    tenantId: TenantId,
    options: { capture?: "metadata" | "content"; signal: AbortSignal },
  ): Promise<boolean> {
    const { capture } = options;
    const isNew = await this.#parts.store.system(options.signal, async (writer) => {
      const known = await writer
        .selectFrom("tenant")
        .select("id")
        .where("id", "=", tenantId)
        .executeTakeFirst();
      if (known === undefined) {
        await writer
          .insertInto("tenant")
          .values({ id: tenantId, ...(capture === undefined ? {} : { capture }) })
          .execute();
      } else if (capture !== undefined) {
        await writer.updateTable("tenant").set({ capture }).where("id", "=", tenantId).execute();
      }
      return known === undefined;
    });
    await this.#notify();
    return isNew;
  }

  /** Creates a key. The secret is in the answer and nowhere else. Throws `limit_exceeded`. */
  async createKey(scope: TenantScope, request: CreateKeyRequest): Promise<CreatedKey> {
    const { store, clock, random, ids } = this.#parts;
    const secret = formatKey(scope.tenantId, (bound) => random.integer(bound));
    const nowMs = clock.nowMs();
    const expiresAt =
      request.expiresInSeconds === undefined
        ? null
        : new Date(nowMs + request.expiresInSeconds * 1_000);
    const row = await store.transact(scope, async (writer) => {
      const { count } = await writer
        .selectFrom("api_key")
        .select((select) => select.fn.countAll<string>().as("count"))
        .where("revoked_at", "is", null)
        .executeTakeFirstOrThrow();
      if (Number(count) >= identityLimits.activeKeyCountMax) {
        throw new PlatformError(
          "limit_exceeded",
          `The tenant has ${count} active keys, which is the limit.`,
          {
            hint: "Revoke keys that nobody uses: `faultline key list` shows when each was used last.",
          },
        );
      }
      return writer
        .insertInto("api_key")
        .values({
          id: ids.next(),
          tenant_id: scope.tenantId,
          name: request.name,
          role: request.role,
          hash: hashKey(secret),
          prefix: keyPrefix(secret),
          expires_at: expiresAt,
          ...rowOfTerms(request.terms ?? {}),
        })
        .returning(keyColumns)
        .executeTakeFirstOrThrow();
    });
    await this.#notify();
    return { key: summaryOf(keyOfRow(row)), secret };
  }

  /** The tenant's keys, newest first, without secrets. */
  async listKeys(scope: TenantScope): Promise<KeySummary[]> {
    await this.#use.flush(scope.signal);
    const rows = await this.#parts.store.read(scope, (reader) =>
      listKeyRows(reader, identityLimits.listedKeyCountMax),
    );
    return rows.map((row) => summaryOf(keyOfRow(row)));
  }

  /** Replaces the terms of a key, which is known to every listener when this resolves. Throws `not_found`. */
  async setKeyTerms(scope: TenantScope, keyId: KeyId, terms: KeyTerms): Promise<KeySummary> {
    const row = await this.#parts.store.transact(scope, (writer) =>
      writer
        .updateTable("api_key")
        .set(rowOfTerms(terms))
        .where("id", "=", keyId)
        .returning(keyColumns)
        .executeTakeFirst(),
    );
    if (row === undefined) throw noSuchKey();
    this.#cache.forget(row.hash);
    await this.#notify();
    return summaryOf(keyOfRow(row));
  }

  /** Revokes a key for good; once more changes nothing. Throws `not_found`. */
  async revokeKey(scope: TenantScope, keyId: KeyId): Promise<KeySummary> {
    const now = new Date(this.#parts.clock.nowMs());
    const row = await this.#parts.store.transact(scope, async (writer) => {
      await writer
        .updateTable("api_key")
        .set({ revoked_at: now })
        .where("id", "=", keyId)
        .where("revoked_at", "is", null)
        .execute();
      return writer
        .selectFrom("api_key")
        .select(keyColumns)
        .where("id", "=", keyId)
        .executeTakeFirst();
    });
    if (row === undefined) throw noSuchKey();
    this.#cache.forget(row.hash);
    await this.#notify();
    return summaryOf(keyOfRow(row));
  }

  /** The principal behind a key. Throws `key_malformed`, `key_unknown`, `key_expired` or `key_revoked`. */
  async authenticate(secret: string, signal: AbortSignal): Promise<Principal> {
    return this.authenticateHash(readKey(secret), signal);
  }

  /** The same for a key whose form was checked and of which only the hash was kept. */
  async authenticateHash(hash: string, signal: AbortSignal): Promise<Principal> {
    const { clock } = this.#parts;
    const key = this.#cache.find(hash) ?? (await this.#load(hash, signal));
    if (key === undefined) {
      throw new PlatformError("key_unknown", "The key is well formed, but not known here.", {
        hint: "Is it a key of this installation? `faultline key create` makes one.",
      });
    }
    const ended = refuseEndedKey(key, clock.nowMs());
    if (ended !== undefined) throw ended;
    this.#use.note(key);
    return principalOf(key);
  }

  /** Notes uses that a gateway process saw. */
  noteUse(key: Pick<KeyRecord, "id" | "tenantId">): void {
    this.#use.note(key);
  }

  /**
   * Every key and tenant, for processes without a database. Keys that ended are in it for a while, so that their
   * holders are told why they are refused.
   */
  async keySnapshot(signal: AbortSignal): Promise<KeySnapshot> {
    const endedSince = new Date(this.#parts.clock.nowMs() - identityLimits.endedKeyMsKept);
    return this.#parts.store.system(signal, async (writer) => {
      const tenants = await writer
        .selectFrom("tenant")
        .select(["id", "capture"])
        .orderBy("id")
        .execute();
      const rows = await writer
        .selectFrom("api_key")
        .select(keyColumns)
        .where((where) =>
          where.or([where("revoked_at", "is", null), where("revoked_at", ">", endedSince)]),
        )
        .orderBy("id")
        .execute();
      return { tenants, keys: rows.map((row) => keyOfRow(row)) };
    });
  }

  /**
   * Calls `listener` after keys or tenants changed, and waits for it: when a revocation is answered, every listener
   * knows of it. Gives the way to stop it.
   */
  onKeysChanged(listener: () => Promise<void>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listeners.clear();
    await this.#use.flush(this.#parts.clock.deadline(identityLimits.flushMsMax));
  }

  async #load(hash: string, signal: AbortSignal): Promise<KeyRecord | undefined> {
    const row = await this.#parts.store.system(signal, (writer) =>
      writer.selectFrom("api_key").select(keyColumns).where("hash", "=", hash).executeTakeFirst(),
    );
    if (row === undefined) return undefined;
    const key = keyOfRow(row);
    this.#cache.put(key);
    return key;
  }

  async #notify(): Promise<void> {
    await Promise.all([...this.#listeners].map((listener) => listener()));
  }
}

function noSuchKey(): PlatformError {
  return new PlatformError("not_found", "There is no key of this id.", {
    hint: "`faultline key list` shows the ids.",
  });
}

export interface KeySnapshot {
  readonly tenants: readonly { readonly id: TenantId; readonly capture: "metadata" | "content" }[];
  readonly keys: readonly KeyRecord[];
}
