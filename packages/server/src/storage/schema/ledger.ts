/** Tables of the ledger. 64-bit integers come as text; they are written by the functions of the migrations alone. */

import type { TenantId } from "@faultline/protocol";
import type { ColumnType } from "kysely";

/** A 64-bit integer. */
type Integer64 = ColumnType<string, never, never>;
/** JSON that comes out as a value. */
type Json = ColumnType<unknown, never, never>;

export interface LedgerWriterTable {
  tenant_id: TenantId;
  epoch: Integer64;
  transfer_sequence: Integer64;
  notice_sequence: Integer64;
  batch_count: Integer64;
  time_ms: Integer64;
}

export interface LedgerAccountTable {
  tenant_id: TenantId;
  /** A kind and a currency, such as `credit/USD`. */
  id: string;
  balance_micros: Integer64;
}

export interface LedgerCreditTable {
  tenant_id: TenantId;
  currency: string;
  is_open: boolean;
  limit_micros: Integer64;
  line_held_micros: Integer64;
}

export interface LedgerLotTable {
  tenant_id: TenantId;
  id: string;
  currency: string;
  granted_micros: Integer64;
  remaining_micros: Integer64;
  priority: number;
  granted_at_ms: Integer64;
  expires_at_ms: ColumnType<string | null, never, never>;
}

export interface LedgerHoldTable {
  tenant_id: TenantId;
  id: string;
  kind: "hold" | "lease";
  state: string;
  remaining_micros: Integer64;
  ends_at_ms: Integer64;
  record: Json;
}

/** A view: holds and leases that are open, which are found by the groups in which they were placed. */
export interface LedgerOpenHoldTable extends Omit<LedgerHoldTable, "state"> {
  /** None of its group ends sooner. */
  ends_from_ms: Integer64;
}

export interface LedgerWorkerTable {
  tenant_id: TenantId;
  id: string;
  epoch: Integer64;
}

export interface LedgerBudgetTable {
  tenant_id: TenantId;
  id: string;
  terms: Json;
  counts: Json;
}

/** A view: transfers stand in batches, each of which is a row that few columns of the view are read from. */
export interface LedgerTransferTable {
  tenant_id: TenantId;
  sequence: Integer64;
  command_id: string;
  at_ms: Integer64;
  from_account: string;
  to_account: string;
  amount_micros: Integer64;
  reason: string;
  lot_id: string | null;
  hold_id: string | null;
  usage_id: string | null;
  /** The first number in its batch: in the order of these and then of numbers, batches are opened as they are wanted. */
  batch_first: Integer64;
  /** The earliest and the latest time in its batch. */
  batch_from_ms: Integer64;
  batch_until_ms: Integer64;
}

export interface LedgerCommandTable {
  tenant_id: TenantId;
  id: string;
  at_ms: Integer64;
  first_sequence: Integer64;
  transfer_count: number;
  content: string;
  answer: string;
}

export interface LedgerUseTable {
  tenant_id: TenantId;
  id: string;
  hold_id: string;
  command_id: string;
  at_ms: Integer64;
  amount_micros: Integer64;
  details: Json;
}

export interface LedgerNoticeTable {
  tenant_id: TenantId;
  sequence: Integer64;
  command_id: string;
  at_ms: Integer64;
  record: Json;
  delivered_at_ms: ColumnType<string | null, never, string>;
}

export interface LedgerReconciliationTable {
  tenant_id: TenantId;
  id: string;
  at: ColumnType<Date, string, never>;
  cause: "schedule" | "request";
  actor: string | null;
  difference_count: number;
  kinds: ColumnType<unknown, string, never>;
  differences: ColumnType<unknown, string, never>;
  applied: string[];
}

export interface LedgerInvoiceTable {
  tenant_id: TenantId;
  command_id: string;
  booked_at: ColumnType<Date, Date, never>;
  name: string;
  currency: string;
  amount_micros: ColumnType<string, string, never>;
  charged_micros: ColumnType<string, string, never>;
  from_at: ColumnType<Date, Date, never>;
  until_at: ColumnType<Date, Date, never>;
}

export interface LedgerTables {
  ledger_invoice: LedgerInvoiceTable;
  ledger_reconciliation: LedgerReconciliationTable;
  ledger_writer: LedgerWriterTable;
  ledger_account: LedgerAccountTable;
  ledger_credit: LedgerCreditTable;
  ledger_lot: LedgerLotTable;
  ledger_hold: LedgerHoldTable;
  ledger_open_hold: LedgerOpenHoldTable;
  ledger_worker: LedgerWorkerTable;
  ledger_budget: LedgerBudgetTable;
  ledger_transfer: LedgerTransferTable;
  ledger_command: LedgerCommandTable;
  ledger_use: LedgerUseTable;
  ledger_notice: LedgerNoticeTable;
}
