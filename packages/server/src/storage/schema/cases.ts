/** Tables of cases: their events, and the state that the events lead to. */

import type { CaseStatus, TenantId } from "@faultline/protocol";
import type { ColumnType } from "kysely";

/** JSON that goes in as text and comes out as a value; `cases` gives the value its type. */
type Json = ColumnType<unknown, string, string>;
/** A time that is written once. */
type FixedTime = ColumnType<Date, Date | string, never>;

export interface CaseCounterTable {
  tenant_id: TenantId;
  last_number: number;
}

export interface CaseRecordTable {
  tenant_id: TenantId;
  id: string;
  number: number;
  status: CaseStatus;
  opened_at: FixedTime;
  /** Sequence of the last event that is contained in the state. */
  sequence: number;
  state: Json;
}

export interface CaseEventTable {
  tenant_id: TenantId;
  case_id: string;
  /** Counts up from 1 within the case. */
  sequence: number;
  at: FixedTime;
  actor: string;
  fact: ColumnType<unknown, string, never>;
}

export interface CaseTables {
  case_counter: CaseCounterTable;
  case_record: CaseRecordTable;
  case_event: CaseEventTable;
}
