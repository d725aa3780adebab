/** Tables of a ledger: its entries and uses as it gives them as CSV, and invoices of providers. */

import { ledgerEvidenceLimits, type LedgerContent } from "../../model/ledger.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent } from "../format.ts";
import { plainName } from "../tables/column-names.ts";
import type { RowSink } from "../tables/table-stream.ts";
import { LedgerRecord } from "./ledger-record.ts";
import { readEntry, readInvoiceLine, readUse } from "./read-record.ts";

/** A kind of table: the columns that it must have, and what a row of it is. */
export interface LedgerTable {
  /** By the columns as they are spelled: many a table has an amount and an id, and few these. */
  readonly isKnownBy: (columns: ReadonlySet<string>) => boolean;
  readonly list: "entries" | "uses" | "invoice";
  readonly countMax: number;
  readonly add: (content: LedgerContent, record: LedgerRecord) => void;
}

/** A table with others too is an invoice where it says for which time it is; one with many more tells of something else. */
const invoiceColumns = ["provider", "model", "currency", "amount"] as const;
const invoiceColumnCountMax = 12;

const hasAll = (columns: ReadonlySet<string>, names: readonly string[]): boolean =>
  names.every((name) => columns.has(name));

export const entryTable: LedgerTable = {
  isKnownBy: (columns) =>
    hasAll(columns, ["sequence", "at", "from", "to", "amount_micros", "command_id"]),
  list: "entries",
  countMax: ledgerEvidenceLimits.entryCountMax,
  add: (content, record) => void content.entries?.push(readEntry(record)),
};

export const useTable: LedgerTable = {
  isKnownBy: (columns) =>
    hasAll(columns, ["at", "usage_id", "hold_id", "amount_micros", "currency"]) &&
    !columns.has("to"),
  list: "uses",
  countMax: ledgerEvidenceLimits.useCountMax,
  add: (content, record) => void content.uses?.push(readUse(record)),
};

export const invoiceTable: LedgerTable = {
  isKnownBy: (columns) =>
    hasAll(columns, invoiceColumns) &&
    (columns.size === invoiceColumns.length ||
      (hasAll(columns, ["from", "until"]) && columns.size <= invoiceColumnCountMax)),
  list: "invoice",
  countMax: ledgerEvidenceLimits.invoiceLineCountMax,
  add: (content, record) => void content.invoice?.push(readInvoiceLine(record)),
};

/** How the fields of records are called in a header. */
const fieldNames: ReadonlyMap<string, string> = new Map(
  [
    "sequence",
    "at",
    "from",
    "to",
    "until",
    "amountMicros",
    "amount",
    "currency",
    "reason",
    "commandId",
    "holdId",
    "usageId",
    "provider",
    "model",
    "deviceKind",
    "deviceSeconds",
    "priceVersion",
    "job",
    "interval",
  ].map((name) => [plainName(name), name]),
);

/** The rows of a table of a ledger. */
export class LedgerRows implements RowSink {
  readonly spanCount = 0;
  readonly #table: LedgerTable;
  readonly #columns: readonly (string | undefined)[];
  readonly #content: LedgerContent;
  #rowCount = 0;

  constructor(table: LedgerTable, header: readonly string[]) {
    this.#table = table;
    this.#columns = header.map((name) => fieldNames.get(plainName(name)));
    this.#content = { kind: "ledger", [table.list]: [] };
  }

  add(cells: readonly string[]): void {
    this.#rowCount += 1;
    const { countMax, add } = this.#table;
    if (this.#rowCount > countMax) {
      throw new EvidenceError("The table is too large.", { expected: `at most ${countMax} rows` });
    }
    const fields: Record<string, string> = {};
    for (const [index, name] of this.#columns.entries()) {
      const cell = cells[index];
      if (name !== undefined && cell !== undefined && cell !== "") fields[name] ??= unguarded(cell);
    }
    add(this.#content, new LedgerRecord(fields, `row ${this.#rowCount} below the header`));
  }

  content(): FileContent {
    return { contents: [this.#content], notes: [] };
  }
}

/** A quote that was put before a text, so that no spreadsheet runs it, is none of it. */
function unguarded(cell: string): string {
  return /^'[=+\-@\t\r]/.test(cell) ? cell.slice(1) : cell;
}
