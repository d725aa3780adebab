/** Tables of behaviour bundles: versions, aliases with their revisions, and kill switches. */

import type { AliasRevision, AliasState, KillKind, TenantId } from "@faultline/protocol";
import type { ColumnType } from "kysely";

/** A time that is written once. */
type FixedTime = ColumnType<Date, Date | string, never>;
/** JSON that goes in as text and comes out as a value. */
type Json<T> = ColumnType<T, string, string>;

export interface BundleTable {
  tenant_id: TenantId;
  name: string;
  newest_version: number;
}

export interface BundleVersionTable {
  tenant_id: TenantId;
  name: string;
  version: number;
  hash: string;
  /** The canonical JSON whose hash it is. */
  content: string;
  created_at: FixedTime;
  actor: string;
}

export interface BundleAliasTable {
  tenant_id: TenantId;
  name: string;
  /** The newest revision, whose state this is. */
  revision: number;
  state: Json<AliasState>;
}

export interface BundleAliasRevisionTable {
  tenant_id: TenantId;
  name: string;
  revision: number;
  at: FixedTime;
  actor: string;
  action: AliasRevision["action"];
  restored_revision: number | null;
  state: ColumnType<AliasState, string, never>;
}

export interface KillSwitchTable {
  tenant_id: TenantId;
  id: string;
  kind: KillKind;
  name: string;
  reason: string;
  killed_at: FixedTime;
  killed_by: string;
  revived_at: ColumnType<Date | null, Date | string | null | undefined, Date | string>;
  revived_by: ColumnType<string | null, string | null | undefined, string>;
}

export interface BundleTables {
  bundle: BundleTable;
  bundle_version: BundleVersionTable;
  bundle_alias: BundleAliasTable;
  bundle_alias_revision: BundleAliasRevisionTable;
  kill_switch: KillSwitchTable;
}
