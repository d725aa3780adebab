/** The entries of a window as CSV, a page in memory at a time. */

import type { LedgerEntry } from "@faultline/protocol";
import { sql } from "kysely";

import type { Store, TenantScope } from "#storage/index.ts";

import { csvLine } from "./csv-line.ts";
import { bookLimits } from "./limits.ts";
import { entryColumns, showEntry } from "./shown.ts";
import type { BookWindow } from "./window.ts";

const header = [
  "sequence",
  "at",
  "from",
  "to",
  "amount_micros",
  "currency",
  "reason",
  "command_id",
  "lot_id",
  "hold_id",
  "usage_id",
];

export interface EntriesExport extends BookWindow {
  readonly account: string | undefined;
}

/**
 * Gives the entries, oldest first. Entries never change and are numbered as they are written, so that each page is read by
 * itself and no session is kept while a slow reader takes its time. Stops when the scope's signal aborts.
 */
export async function* exportEntries(
  store: Store,
  scope: TenantScope,
  request: EntriesExport,
): AsyncGenerator<string> {
  yield csvLine(header);
  const range = await readRange(store, scope, request);
  let after = range.before;
  while (after < range.last) {
    scope.signal.throwIfAborted();
    const page = await readPage(store, scope, { ...request, after, last: range.last });
    if (page.length > 0) yield page.map((entry) => lineOf(entry)).join("");
    const last = page.at(-1);
    if (last === undefined || page.length < bookLimits.exportPageRowCount) return;
    after = BigInt(last.sequence);
  }
}

function lineOf(entry: LedgerEntry): string {
  return csvLine([
    entry.sequence,
    entry.at,
    entry.from,
    entry.to,
    entry.amountMicros,
    entry.from.slice(entry.from.indexOf("/") + 1),
    entry.reason,
    entry.commandId,
    entry.lotId,
    entry.holdId,
    entry.usageId,
  ]);
}

/** The numbers between which all entries of the window lie; `before` is one less than the first. */
async function readRange(
  store: Store,
  scope: TenantScope,
  { fromMs, untilMs }: BookWindow,
): Promise<{ readonly before: bigint; readonly last: bigint }> {
  return store.read(scope, async (reader) => {
    const { rows } = await sql<{ first: string | null; last: string | null }>`
      select min(sequence) as first, max(sequence) as last from ledger_transfer
      where at_ms >= ${fromMs} and at_ms < ${untilMs}
        and batch_until_ms >= ${fromMs} and batch_from_ms < ${untilMs}`.execute(reader.executor);
    const { first, last } = rows[0] ?? { first: null, last: null };
    return { before: BigInt(first ?? 1) - 1n, last: BigInt(last ?? 0) };
  });
}

async function readPage(
  store: Store,
  scope: TenantScope,
  request: EntriesExport & { readonly after: bigint; readonly last: bigint },
): Promise<LedgerEntry[]> {
  const { account, after, last, fromMs, untilMs } = request;
  return store.read(scope, async (reader) => {
    let entries = reader
      .selectFrom("ledger_transfer")
      .select([...entryColumns])
      .where("sequence", ">", String(after))
      .where("batch_first", ">=", sql<string>`(select ledger_batch_of(${String(after + 1n)}))`)
      .where("sequence", "<=", String(last))
      .where("at_ms", ">=", String(fromMs))
      .where("at_ms", "<", String(untilMs));
    if (account !== undefined) {
      entries = entries.where((where) =>
        where.or([where("from_account", "=", account), where("to_account", "=", account)]),
      );
    }
    const rows = await entries
      .orderBy("batch_first")
      .orderBy("sequence")
      .limit(bookLimits.exportPageRowCount)
      .execute();
    return rows.map((row) => showEntry(row));
  });
}
