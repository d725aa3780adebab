/** Tables of identity: tenants and the keys by which their services and people are known. */

import type { PriorityClass, Role, TenantId } from "@faultline/protocol";
import type { ColumnType, Generated } from "kysely";

/** A time that PostgreSQL fills in when it is absent. */
type GeneratedTime = ColumnType<Date, Date | string | undefined, never>;
/** A time that may be unset. */
type OptionalTime = ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;

export interface TenantTable {
  id: TenantId;
  /** Whether prompts and answers are kept with this tenant's operations. */
  capture: Generated<"metadata" | "content">;
  created_at: GeneratedTime;
}

export interface ApiKeyTable {
  id: string;
  tenant_id: TenantId;
  name: string;
  role: Role;
  /** SHA-256 of the whole key, in hexadecimal. */
  hash: string;
  /** The first characters of the key, by which a person recognises it. */
  prefix: string;
  created_at: GeneratedTime;
  expires_at: OptionalTime;
  revoked_at: OptionalTime;
  last_used_at: OptionalTime;
  allowed_models: string[] | null;
  allowed_bundles: string[] | null;
  requests_per_minute: number | null;
  /** A 64-bit integer, as text. */
  tokens_per_minute: string | null;
  concurrency_max: number | null;
  priority: PriorityClass | null;
  budget_account: string | null;
  queue_ms: number | null;
  connect_ms: number | null;
  first_token_ms: number | null;
  inter_token_ms: number | null;
  total_ms: number | null;
}

export interface IdentityTables {
  tenant: TenantTable;
  api_key: ApiKeyTable;
}
