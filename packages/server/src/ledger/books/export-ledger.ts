/**
 * A ledger at one moment, whole or from a moment on, as lines of JSON that contracts read: balances, credit lines, entries, holds
 * and leases, and uses. It is read in one transaction, so that what does not agree in it does not agree in the ledger.
 */

import { PlatformError } from "@faultline/protocol";
import { type RawBuilder, sql } from "kysely";

import type { Reader } from "#storage/index.ts";

import { hasFinalUse } from "../reconcile/final-use.ts";
import { bookLimits } from "./limits.ts";
import { showTime } from "./shown.ts";

const formatVersion = 1;

export interface LedgerExport {
  /** Whose it is; the same in each export of it. */
  readonly name: string;
  readonly nowMs: number;
  /** Absent: from the first entry on. */
  readonly fromMs: number | undefined;
}

/** The lines, each with its end. Throws `limit_exceeded` when it is more than is given at once. */
export async function readLedgerExport(
  reader: Reader,
  { name, nowMs, fromMs }: LedgerExport,
): Promise<string[]> {
  const lines = new ExportLines();
  const start = await readStart(reader, fromMs);
  lines.add({
    faultline: "ledger",
    version: formatVersion,
    name,
    at: showTime(nowMs),
    ...(fromMs === undefined ? {} : { from: showTime(fromMs) }),
  });
  lines.begin();
  await addAccounts(reader, start, lines);
  await addLimits(reader, start, lines);
  await addEntries(reader, start, lines);
  await addReserves(reader, start, lines);
  await addUses(reader, start, lines);
  lines.end();
  return lines.pieces;
}

/** Where an export begins: with which entry, and which moment. */
interface ExportStart {
  readonly isWhole: boolean;
  readonly firstSequence: bigint;
  readonly fromMs: number;
  /** The last entry that was written. */
  readonly lastSequence: bigint;
}

/** Entries are dated in their order: those before the first one of the window are all older than it. */
async function readStart(reader: Reader, fromMs: number | undefined): Promise<ExportStart> {
  const { rows } = await sql<{ last: string; first: string | null }>`
    select coalesce(max(last_sequence), 0) as last, (
      select min(sequence) from ledger_transfer where batch_until_ms >= ${fromMs ?? 0} and at_ms >= ${fromMs ?? 0}
    ) as first from ledger_batch`.execute(reader.executor);
  const lastSequence = BigInt(rows[0]?.last ?? 0);
  const isWhole = fromMs === undefined;
  const firstSequence = isWhole ? 0n : BigInt(rows[0]?.first ?? lastSequence + 1n);
  return { isWhole, firstSequence, fromMs: fromMs ?? 0, lastSequence };
}

/** Lines, as many as are given at once. */
class ExportLines {
  readonly pieces: string[] = [];
  #piece: string[] = [];
  #lineCount = 0;
  #sizeBytes = 0;

  /** What comes from here on is counted in the last line. */
  begin(): void {
    this.#lineCount = 0;
  }

  add(record: Readonly<Record<string, unknown>>): void {
    const line = `${JSON.stringify(record)}\n`;
    this.#lineCount += 1;
    this.#sizeBytes += Buffer.byteLength(line);
    if (this.#sizeBytes > bookLimits.ledgerExportBytesMax)
      throw tooLarge("bytes", "ledgerExportBytesMax");
    this.#piece.push(line);
    if (this.#piece.length === bookLimits.exportPageRowCount) this.#flush();
  }

  end(): void {
    this.add({ end: { lineCount: this.#lineCount } });
    this.#flush();
  }

  #flush(): void {
    if (this.#piece.length > 0) this.pieces.push(this.#piece.join(""));
    this.#piece = [];
  }
}

async function addAccounts(reader: Reader, start: ExportStart, lines: ExportLines): Promise<void> {
  const { rows } = await sql<{ id: string; balance: string; opening: string }>`
    with movement as (
      select to_account as id, amount_micros as micros from ledger_transfer where ${isBefore(start)}
      union all select from_account, -amount_micros from ledger_transfer where ${isBefore(start)}
    ), entered as (select id, sum(micros) as micros from movement group by id)
    select coalesce(account.id, entered.id) as id, coalesce(account.balance_micros, 0) as balance,
      coalesce(entered.micros, 0) as opening
    from ledger_account account full join entered on entered.id = account.id
    order by 1`.execute(reader.executor);
  for (const { id, balance: balanceMicros, opening: openingMicros } of rows)
    lines.add({ account: { id, balanceMicros, ...(start.isWhole ? {} : { openingMicros }) } });
}

/**
 * Credit lines as they were set, of which only the commands tell; and as they stand, should that be another. Of several that no
 * entry lies between, whose order nobody knows any more, it is the widest.
 */
async function addLimits(reader: Reader, start: ExportStart, lines: ExportLines): Promise<void> {
  const { rows } = await sql<{ currency: string; sequence: string; micros: string }>`
    select substring(content from '^[{]currency:"([A-Za-z]+)"') as currency, first_sequence as sequence,
      max(substring(content from ',limitMicros:([0-9]+)n,[}]$')::bigint) as micros
    from ledger_command where content like '{currency:%,kind:"open-account",limitMicros:%n,}'
    group by 1, 2 order by 2, 1 limit ${bookLimits.ledgerExportRowCountMax}`.execute(
    reader.executor,
  );
  const latest = new Map<string, string>();
  for (const { currency, sequence, micros: limitMicros } of rows) {
    lines.add({ limit: { currency, fromSequence: Number(sequence), limitMicros } });
    latest.set(currency, limitMicros);
  }
  const credits = await reader
    .selectFrom("ledger_credit")
    .select(["currency", "limit_micros"])
    .orderBy("currency")
    .execute();
  const fromSequence = Number(start.lastSequence + 1n);
  for (const { currency, limit_micros: limitMicros } of credits) {
    if (latest.get(currency) === limitMicros) continue;
    lines.add({ limit: { currency, fromSequence, limitMicros } });
  }
}

interface EntryRow {
  readonly sequence: string;
  readonly command_id: string;
  readonly at_ms: string;
  readonly from_account: string;
  readonly to_account: string;
  readonly amount_micros: string;
  readonly reason: string;
  readonly hold_id: string | null;
  readonly usage_id: string | null;
}

async function addEntries(reader: Reader, start: ExportStart, lines: ExportLines): Promise<void> {
  const query = sql<EntryRow>`
    select sequence, command_id, at_ms, from_account, to_account, amount_micros, reason, hold_id, usage_id
    from ledger_transfer where ${isWithin(start)} order by batch_first, sequence`;
  await forEachRow(reader, { name: "exported_entry", query }, (row) =>
    lines.add({
      entry: {
        sequence: Number(row.sequence),
        at: showTime(row.at_ms),
        from: row.from_account,
        to: row.to_account,
        amountMicros: row.amount_micros,
        reason: row.reason,
        commandId: row.command_id,
        ...optional("holdId", row.hold_id),
        ...optional("usageId", row.usage_id),
      },
    }),
  );
}

interface ReserveRow {
  readonly id: string;
  readonly kind: "hold" | "lease";
  readonly state: string;
  readonly currency: string;
  readonly remaining: string;
  readonly opening: string;
  readonly ends_at_ms: string;
  readonly is_completed: boolean;
  readonly earlier_count: string;
  readonly earlier_micros: string;
  readonly journal_count: string | null;
  readonly journal_micros: string | null;
  readonly unread: string | null;
  readonly settled_by: string | null;
}

/** What is open, what any entry or use of the window belongs to, and lost leases however old they are. */
async function addReserves(reader: Reader, start: ExportStart, lines: ExportLines): Promise<void> {
  const query = sql<ReserveRow>`
    with touched as (
      select hold_id as id from ledger_transfer where hold_id is not null and ${isWithin(start)}
      union select hold_id from ledger_use where at_ms >= ${sql.lit(start.fromMs)}
    ), moved as (
      select hold_id as id, sum(case when to_account like 'holds/%' then amount_micros else 0 end
        - case when from_account like 'holds/%' then amount_micros else 0 end) as micros
      from ledger_transfer where hold_id is not null and ${isBefore(start)} group by hold_id
    ), earlier as (
      select hold_id as id, count(*) as count, sum(amount_micros) as micros
      from ledger_use where at_ms < ${sql.lit(start.fromMs)} group by hold_id
    )
    select hold.id, hold.kind, hold.state, hold.record ->> 'currency' as currency, hold.remaining_micros as remaining,
      coalesce(moved.micros, 0) as opening, hold.ends_at_ms, hold.state = 'expired' and ${hasFinalUse} as is_completed,
      coalesce(earlier.count, 0) as earlier_count, coalesce(earlier.micros, 0) as earlier_micros,
      hold.record ->> 'chargeCount' as journal_count, hold.record ->> 'chargedMicros' as journal_micros,
      hold.record ->> 'unreadMicros' as unread,
      (select done.id from ledger_command done where done.id = 'reconcile-lease-' || hold.id) as settled_by
    from ledger_hold hold left join moved on moved.id = hold.id left join earlier on earlier.id = hold.id
    where ${start.isWhole ? sql`true` : sql`(hold.state in ('open', 'lost') or hold.id in (select id from touched))`}
    order by hold.id`;
  await forEachRow(reader, { name: "exported_reserve", query }, (row) =>
    lines.add({ reserve: reserveOf(row, start) }),
  );
}

function reserveOf(row: ReserveRow, { isWhole }: ExportStart): Readonly<Record<string, unknown>> {
  const { id, kind, state, currency } = row;
  const base = {
    id,
    kind,
    currency,
    state,
    remainingMicros: row.remaining,
    ...(isWhole
      ? {}
      : {
          openingMicros: row.opening,
          earlierUses: { count: Number(row.earlier_count), amountMicros: row.earlier_micros },
        }),
    endsAt: showTime(row.ends_at_ms),
  };
  if (kind === "hold")
    return state === "expired" ? { ...base, isCompleted: row.is_completed } : base;
  return {
    ...base,
    journal: { count: Number(row.journal_count ?? 0), amountMicros: row.journal_micros ?? "0" },
    ...optional("unreadMicros", row.unread),
    ...optional("settledBy", row.settled_by),
  };
}

interface UseRow {
  readonly id: string;
  readonly hold_id: string;
  readonly at_ms: string;
  readonly amount_micros: string;
  readonly currency: string | null;
  readonly provider: string | null;
  readonly model: string | null;
  readonly price_version: string | null;
  readonly device_kind: string | null;
  readonly device_seconds: string | null;
}

async function addUses(reader: Reader, start: ExportStart, lines: ExportLines): Promise<void> {
  const query = sql<UseRow>`
    select use.id, use.hold_id, use.at_ms, use.amount_micros, hold.record ->> 'currency' as currency,
      use.details ->> 'provider' as provider, use.details ->> 'model' as model,
      use.details ->> 'priceVersion' as price_version, use.details ->> 'deviceKind' as device_kind,
      use.details ->> 'deviceSeconds' as device_seconds
    from ledger_use use left join ledger_hold hold on hold.id = use.hold_id
    where use.at_ms >= ${sql.lit(start.fromMs)} order by use.at_ms, use.id`;
  await forEachRow(reader, { name: "exported_use", query }, (row) =>
    lines.add({
      use: {
        id: row.id,
        holdId: row.hold_id,
        at: showTime(row.at_ms),
        amountMicros: row.amount_micros,
        ...optional("currency", row.currency),
        ...optional("provider", row.provider),
        ...optional("model", row.model),
        ...optional("priceVersion", row.price_version),
        ...jobOf(row),
        ...optional("deviceKind", row.device_kind),
        ...(row.device_seconds === null ? {} : { deviceSeconds: Number(row.device_seconds) }),
      },
    }),
  );
}

/** Compute is charged by interval: a use bears the name of its job, a stroke and the number of the interval. */
function jobOf({ id, device_kind: deviceKind }: UseRow): Readonly<Record<string, string>> {
  const parts = deviceKind === null ? null : /^(.+)\/(\d{1,15})$/.exec(id);
  const [, job, interval] = parts ?? [];
  return job === undefined || interval === undefined ? {} : { job, interval };
}

/** Reads the rows of a query, some at a time. What it is asked with is written into it: a cursor takes no parameters. */
async function forEachRow<Row>(
  reader: Reader,
  { name, query }: { readonly name: string; readonly query: RawBuilder<Row> },
  use: (row: Row) => void,
): Promise<void> {
  const { ledgerExportRowCountMax, exportPageRowCount } = bookLimits;
  await sql`declare ${sql.id(name)} no scroll cursor for ${query}`.execute(reader.executor);
  for (let rowCount = 0; ;) {
    const { rows } =
      await sql<Row>`fetch forward ${sql.lit(exportPageRowCount)} from ${sql.id(name)}`.execute(
        reader.executor,
      );
    rowCount += rows.length;
    if (rowCount > ledgerExportRowCountMax)
      throw tooLarge("records of one kind", "ledgerExportRowCountMax");
    for (const row of rows) use(row);
    if (rows.length < exportPageRowCount) return;
  }
}

function isBefore({ firstSequence }: ExportStart): RawBuilder<boolean> {
  const first = sql.lit(String(firstSequence));
  return sql<boolean>`sequence < ${first}::bigint and batch_first < ${first}::bigint`;
}

function isWithin({ firstSequence }: ExportStart): RawBuilder<boolean> {
  const first = sql.lit(String(firstSequence));
  return sql<boolean>`sequence >= ${first}::bigint and batch_first >= (select ledger_batch_of(${first}::bigint))`;
}

function optional(name: string, value: string | null): Readonly<Record<string, string>> {
  return value === null ? {} : { [name]: value };
}

function tooLarge(
  what: string,
  limit: "ledgerExportRowCountMax" | "ledgerExportBytesMax",
): PlatformError {
  return new PlatformError(
    "limit_exceeded",
    `The export has more than ${bookLimits[limit]} ${what}.`,
    {
      where: "query /since",
      hint: "Export a shorter time: what was before it is summed up, so that it can be judged all the same.",
    },
  );
}
