/** A key as identity knows it, and the forms in which it leaves. */

import type { Reader, Writer } from "#storage/index.ts";
import type {
  KeyId,
  KeySummary,
  KeyTerms,
  Principal as PublicPrincipal,
  Role,
  TenantId,
} from "@faultline/protocol";

import { termsColumns, termsOfRow, type TermsRow } from "./terms-columns.ts";

export interface KeyRecord {
  readonly id: KeyId;
  readonly tenantId: TenantId;
  readonly name: string;
  readonly role: Role;
  /** SHA-256 of the whole key, in hexadecimal. */
  readonly hash: string;
  readonly prefix: string;
  readonly terms: KeyTerms;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | undefined;
  readonly revokedAtMs: number | undefined;
  readonly lastUsedAtMs: number | undefined;
}

/** Who acts: a key of a tenant, with its role. */
export type Principal = PublicPrincipal & { readonly tenantId: TenantId };

export const keyColumns = [
  "id",
  "tenant_id",
  "name",
  "role",
  "hash",
  "prefix",
  "created_at",
  "expires_at",
  "revoked_at",
  "last_used_at",
  ...termsColumns,
] as const;

interface KeyRow extends TermsRow {
  readonly id: string;
  readonly tenant_id: TenantId;
  readonly name: string;
  readonly role: Role;
  readonly hash: string;
  readonly prefix: string;
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
  readonly last_used_at: Date | null;
}

/** The newest keys of the reader's tenant, active ones first. */
export async function listKeyRows(reader: Reader | Writer, countMax: number): Promise<KeyRow[]> {
  return reader
    .selectFrom("api_key")
    .select(keyColumns)
    .orderBy((order) => order("revoked_at", "is not", null))
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .limit(countMax)
    .execute();
}

export function keyOfRow(row: KeyRow): KeyRecord {
  return {
    // The table of keys is where ids of keys come from.
    id: row.id as KeyId,
    tenantId: row.tenant_id,
    name: row.name,
    role: row.role,
    hash: row.hash,
    prefix: row.prefix,
    terms: termsOfRow(row),
    createdAtMs: row.created_at.getTime(),
    expiresAtMs: row.expires_at?.getTime(),
    revokedAtMs: row.revoked_at?.getTime(),
    lastUsedAtMs: row.last_used_at?.getTime(),
  };
}

export function summaryOf(key: KeyRecord): KeySummary {
  return {
    id: key.id,
    name: key.name,
    role: key.role,
    prefix: key.prefix,
    terms: key.terms,
    createdAt: textOf(key.createdAtMs),
    ...(key.expiresAtMs === undefined ? {} : { expiresAt: textOf(key.expiresAtMs) }),
    ...(key.revokedAtMs === undefined ? {} : { revokedAt: textOf(key.revokedAtMs) }),
    ...(key.lastUsedAtMs === undefined ? {} : { lastUsedAt: textOf(key.lastUsedAtMs) }),
  };
}

export function principalOf(key: KeyRecord): Principal {
  return { tenantId: key.tenantId, keyId: key.id, keyName: key.name, role: key.role };
}

function textOf(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
