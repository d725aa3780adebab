/** What a worker knows of the world: a versioned snapshot of keys, tenants, catalog and settings. */

import type { BundleSnapshot, CatalogSnapshot, DefaultPrice } from "#catalog/index.ts";
import type { DispatchConfig, LimitsConfig } from "#config/index.ts";
import type { KeyId, KeyTerms, Role, TenantId } from "@faultline/protocol";

/** A key as workers know it: by its hash, never by its text. */
export interface SnapshotKey {
  readonly id: KeyId;
  readonly tenantId: TenantId;
  /** What its owner calls it. */
  readonly name: string;
  /** SHA-256 of the whole key, 64 lower-case hexadecimal digits. */
  readonly hash: string;
  readonly role: Role;
  readonly terms: KeyTerms;
  /** Milliseconds since the Unix epoch; `undefined` never expires. */
  readonly expiresAtMs: number | undefined;
  /** Revoked keys stay in the snapshot for a while, so that their holder is told why. */
  readonly revokedAtMs: number | undefined;
}

export interface SnapshotTenant {
  readonly id: TenantId;
  /** `content` puts prompts and answers into spans; anything else keeps them out. */
  readonly capture: "nothing" | "metadata" | "content";
}

/** Deadlines and bounds that the configuration sets; all durations in milliseconds. */
export interface GatewaySettings {
  readonly bodyBytesMax: number;
  /** Taken over when a process starts. */
  readonly headerBytesMax: number;
  /** Nesting of a request body. */
  readonly depthMax: number;
  readonly messageCountMax: number;
  readonly toolCountMax: number;
  readonly imageCountMax: number;
  /** Proxies before the gateway that write `x-forwarded-for`. */
  readonly proxyCount: number;
  /** Model calls at once in one worker; the next one waits. */
  readonly concurrencyMax: number;
  /** How long it waits for a place before it gets `limit_exceeded`. */
  readonly queueMs: number;
  readonly connectMs: number;
  /** From dispatch to the first non-empty delta of a stream. */
  readonly firstTokenMs: number;
  /** Longest silence between two events of a stream, or two parts of a plain reply. */
  readonly stallMs: number;
  /** From the request's arrival to the last byte of the reply. */
  readonly totalMs: number;
  /** How calls are spread over targets, tried again and held back. */
  readonly dispatch: DispatchConfig;
  /** How long a durable stream is kept after its end, and the bytes of disk for them in one process. */
  readonly streamRetentionMs: number;
  readonly streamBytesMax: number;
  /** How long an `Idempotency-Key` stands for its call, and the bytes of disk for their replies in one journal. */
  readonly idempotencyMs: number;
  readonly idempotencyBytesMax: number;
  /** The age up to which a cached reply answers by default, and the bytes of memory for them in one process. */
  readonly cacheMs: number;
  readonly cacheBytesMax: number;
  /** The share of calls whose content is captured, of tenants whose capture is `content`; all when it is not named. */
  readonly captureRatios: Readonly<Record<string, number>>;
}

export interface GatewaySnapshot {
  /** Grows with every change; a worker ignores a version that it has passed. */
  readonly version: number;
  readonly settings: GatewaySettings;
  readonly limits: LimitsConfig;
  readonly catalog: CatalogSnapshot;
  /** Bundles, aliases and kill switches of every tenant. */
  readonly bundles: BundleSnapshot;
  readonly keys: readonly SnapshotKey[];
  /** Tenants that are not named here have the defaults. */
  readonly tenants: readonly SnapshotTenant[];
  /** Tenants with an account in the ledger: each call of theirs needs credit. Absent: there are none. */
  readonly payingTenants?: readonly TenantId[];
  /** What models without a price cost tenants whose policy says so. Absent: there are none. */
  readonly defaultPrices?: readonly { readonly tenantId: TenantId; readonly price: DefaultPrice }[];
}
