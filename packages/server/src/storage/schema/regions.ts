/** The tables of regions: grant documents, escrows, and recalls of them. */

import type { TenantId } from "@faultline/protocol";
import type { ColumnType } from "kysely";

/** JSON that goes in as text and comes out as a value. */
type Json = ColumnType<unknown, string, string>;

export interface RegionDocumentTable {
  tenant_id: TenantId;
  key: string;
  /** A 64-bit integer, as text. */
  revision: string;
  versions: Json;
}

export interface RegionEscrowTable {
  tenant_id: TenantId;
  currency: string;
  record: Json;
}

export interface RegionRecallTable {
  tenant_id: TenantId;
  region: string;
  recalled_at: ColumnType<Date, Date, Date>;
  until_at: ColumnType<Date, Date, Date>;
}

export interface RegionTables {
  region_recall: RegionRecallTable;
  region_document: RegionDocumentTable;
  region_escrow: RegionEscrowTable;
}
