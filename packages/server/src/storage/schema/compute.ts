/** The table of compute: reservations. */

import type { TenantId } from "@faultline/protocol";
import type { ColumnType } from "kysely";

export interface ComputeReservationTable {
  tenant_id: TenantId;
  id: string;
  submitted_at: ColumnType<Date, Date, never>;
  is_ended: boolean;
  /** JSON that goes in as text and comes out as a value. */
  record: ColumnType<unknown, string, string>;
}

export interface ComputeTables {
  compute_reservation: ComputeReservationTable;
}
