/**
 * Looks for what does not agree: balances and their entries, holds and work, uses and what was charged for them, leases and
 * journals, our cost and the provider's invoice. Each difference is told with its evidence and, where an entry would settle it,
 * with that entry.
 */

import type { LedgerDifference } from "@faultline/protocol";
import { sql } from "kysely";

import type { Reader } from "#storage/index.ts";

import { effectiveContent, isConflict } from "../regions/grant-document.ts";
import { readDocuments } from "../regions/region-store.ts";
import { sayContent } from "../regions/say-content.ts";
import { bookLimits } from "../books/limits.ts";
import { compareInvoice } from "./compare-invoice.ts";
import { overdueEscrows } from "./compare-escrows.ts";
import { foundLeases, lostLeases } from "./compare-lost-leases.ts";
import { leasesBesideUses, usesWithoutCompletion } from "./compare-reserves.ts";
import type { Invoice } from "./invoice.ts";

const { differenceCountMax } = bookLimits;
/** A hold that is past its end by this much was not swept. */
const sweepDelayMsMax = 60_000;

export interface ReconcileRequest {
  readonly nowMs: number;
  readonly invoice?: Invoice;
}

/** The differences in the ledger of the reader's tenant, in one state of the database. */
export async function findDifferences(
  reader: Reader,
  { nowMs, invoice }: ReconcileRequest,
): Promise<LedgerDifference[]> {
  return [
    ...(await balancesBesideEntries(reader)),
    ...(await reservesBesideEntries(reader)),
    ...(await groupsBesideReserves(reader)),
    ...(await debts(reader)),
    ...(await holdsWithoutWork(reader, nowMs)),
    ...(await workWithoutHold(reader)),
    ...(await usesBesideEntries(reader)),
    ...(await usesWithoutCompletion(reader)),
    ...(await leasesBesideUses(reader)),
    ...(await lostLeases(reader)),
    ...(await foundLeases(reader)),
    ...(await contradictingEdits(reader)),
    ...(await overdueEscrows(reader, nowMs)),
    ...(invoice === undefined ? [] : await compareInvoice(reader, invoice)),
  ];
}

interface Row {
  readonly id: string;
  readonly expected: string;
  readonly actual: string;
}

type Words = (row: Row) => string;

/** Runs a check that gives an id, what was expected and what is there. */
async function check(
  reader: Reader,
  query: ReturnType<typeof sql<Row>>,
  { kind, words }: { readonly kind: LedgerDifference["kind"]; readonly words: Words },
): Promise<LedgerDifference[]> {
  const { rows } = await query.execute(reader.executor);
  return rows.map((row) => ({
    kind,
    subject: row.id,
    expectedMicros: row.expected,
    actualMicros: row.actual,
    message: words(row),
    evidence: [row.id],
  }));
}

async function balancesBesideEntries(reader: Reader): Promise<LedgerDifference[]> {
  const query = sql<Row>`
    with movement as (
      select to_account as id, amount_micros as micros from ledger_transfer
      union all select from_account, -amount_micros from ledger_transfer
    ), entered as (select id, sum(micros) as micros from movement group by id)
    select coalesce(account.id, entered.id) as id, coalesce(entered.micros, 0) as expected,
      coalesce(account.balance_micros, 0) as actual
    from ledger_account account full join entered on entered.id = account.id
    where coalesce(entered.micros, 0) <> coalesce(account.balance_micros, 0)
    order by 1 limit ${differenceCountMax}`;
  return check(reader, query, {
    kind: "balance-differs",
    words: ({ id, expected, actual }) =>
      `The entries of ${id} sum to ${expected}; its balance is ${actual}.`,
  });
}

async function reservesBesideEntries(reader: Reader): Promise<LedgerDifference[]> {
  const query = sql<Row>`
    with movement as (
      select hold_id as id, amount_micros as micros from ledger_transfer where to_account like 'holds/%'
      union all
      select hold_id, -amount_micros from ledger_transfer where from_account like 'holds/%'
    ), entered as (select id, sum(micros) as micros from movement group by id)
    select hold.id, coalesce(entered.micros, 0) as expected, hold.remaining_micros as actual
    from ledger_hold hold left join entered on entered.id = hold.id
    where coalesce(entered.micros, 0) <> hold.remaining_micros
    order by 1 limit ${differenceCountMax}`;
  return check(reader, query, {
    kind: "hold-differs",
    words: ({ id, expected, actual }) =>
      `The entries of hold ${id} leave ${expected}; it says ${actual}.`,
  });
}

/** What is open must be found by its group, and no group may count what has ended. */
async function groupsBesideReserves(reader: Reader): Promise<LedgerDifference[]> {
  const query = sql<Row>`
    with placed as (
      select open_group as number, count(*) as count from ledger_hold where state = 'open' group by open_group
    )
    select 'open-group/' || coalesce(placed.number, grouped.number) as id, coalesce(placed.count, 0) as expected,
      coalesce(grouped.hold_count, 0) as actual
    from placed full join ledger_open_group grouped on grouped.number = placed.number
    where placed.count is distinct from grouped.hold_count
    order by 1 limit ${differenceCountMax}`;
  const differences = await check(reader, query, {
    kind: "hold-differs",
    words: ({ id, expected, actual }) =>
      `${expected} holds and leases of ${id} are open; it counts ${actual}.`,
  });
  // What differs is a number of holds, and no credit.
  return differences.map((found) => ({ ...found, expectedMicros: "0", actualMicros: "0" }));
}

async function debts(reader: Reader): Promise<LedgerDifference[]> {
  const query = sql<Row>`
    select account.id, -credit.limit_micros as expected, account.balance_micros as actual
    from ledger_account account join ledger_credit credit on account.id = 'debt/' || credit.currency
    where account.balance_micros < -credit.limit_micros order by 1`;
  return check(reader, query, {
    kind: "debt-blocks",
    words: ({ expected, actual }) =>
      `The account owes ${-BigInt(actual)}, and may owe ${-BigInt(expected)}.`,
  });
}

async function holdsWithoutWork(reader: Reader, nowMs: number): Promise<LedgerDifference[]> {
  const query = sql<Row>`
    select id, 0::bigint as expected, remaining_micros as actual from ledger_open_hold
    where kind = 'hold' and ends_at_ms < ${nowMs - sweepDelayMsMax}
    order by ends_at_ms limit ${differenceCountMax}`;
  return check(reader, query, {
    kind: "hold-without-work",
    words: ({ id, actual }) => `The hold ${id} ran out and still reserves ${actual}.`,
  });
}

async function workWithoutHold(reader: Reader): Promise<LedgerDifference[]> {
  const query = sql<Row>`
    select use.id, 0::bigint as expected, use.amount_micros as actual from ledger_use use
    where not exists (select from ledger_hold hold where hold.id = use.hold_id)
    order by at_ms limit ${differenceCountMax}`;
  return check(reader, query, {
    kind: "work-without-hold",
    words: ({ id, actual }) => `The use ${id} of ${actual} belongs to no hold and no lease.`,
  });
}

async function usesBesideEntries(reader: Reader): Promise<LedgerDifference[]> {
  const query = sql<Row>`
    with entered as (
      select usage_id as id, sum(amount_micros) as micros from ledger_transfer
      where to_account like 'usage:%' and usage_id is not null group by usage_id
    )
    select coalesce(use.id, entered.id) as id, coalesce(use.amount_micros, 0) as expected,
      coalesce(entered.micros, 0) as actual
    from ledger_use use full join entered on entered.id = use.id
    where coalesce(use.amount_micros, 0) <> coalesce(entered.micros, 0)
    order by 1 limit ${differenceCountMax}`;
  return check(reader, query, {
    kind: "use-differs",
    words: ({ id, expected, actual }) =>
      `The use ${id} cost ${expected}, and ${actual} was charged.`,
  });
}

/** What two regions set without knowing of one another, until a person decides. */
async function contradictingEdits(reader: Reader): Promise<LedgerDifference[]> {
  const documents = await readDocuments(reader);
  return documents
    .filter(({ versions }) => isConflict(versions))
    .slice(0, differenceCountMax)
    .map(({ key, versions }) => {
      const holds = effectiveContent(versions);
      const said = versions.map(({ region, content }) => `${region} says ${sayContent(content)}`);
      const held = holds === undefined ? "" : ` Until a person decides: ${sayContent(holds)}.`;
      return {
        kind: "edits-contradict",
        subject: key,
        expectedMicros: "0",
        actualMicros: "0",
        message: `${key} was set in two regions at once: ${said.join("; ")}.${held}`.slice(
          0,
          2_048,
        ),
        evidence: [key],
      };
    });
}
