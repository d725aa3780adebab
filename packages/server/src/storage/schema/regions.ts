/** The tables of regions: grant documents, and escrows. */

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

export interface RegionTables {
  region_document: RegionDocumentTable;
  region_escrow: RegionEscrowTable;
}
