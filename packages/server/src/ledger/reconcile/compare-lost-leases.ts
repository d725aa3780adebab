/**
 * Leases that were lost: what no journal tells of counts as spent. Whoever knows better gives it back; when a journal is found
 * after that, what it tells of was given back too much.
 */

import type { LedgerDifference } from "@faultline/protocol";
import { sql } from "kysely";

import type { Reader } from "#storage/index.ts";

import { bookLimits } from "../books/limits.ts";
import type { Currency } from "../rules/types.ts";

const { differenceCountMax } = bookLimits;

interface LostRow {
  readonly id: string;
  readonly currency: Currency;
  readonly unread_micros: string;
}

/** What counts as spent, and nobody has given back. */
export async function lostLeases(reader: Reader): Promise<LedgerDifference[]> {
  const { rows } = await sql<LostRow>`
    select id, record ->> 'currency' as currency, (record ->> 'unreadMicros')::bigint as unread_micros
    from ledger_hold
    where kind = 'lease' and state = 'lost' and (record ->> 'unreadMicros')::bigint > 0
      and not exists (select from ledger_command done where done.id = 'reconcile-lease-' || ledger_hold.id)
    order by ends_at_ms limit ${differenceCountMax}`.execute(reader.executor);
  return rows.map(({ id, currency, unread_micros: unreadMicros }) => ({
    kind: "lease-unread",
    subject: id,
    expectedMicros: "0",
    actualMicros: unreadMicros,
    message: `The lease ${id} was lost; ${unreadMicros} of it count as spent, and no journal says for what.`,
    evidence: [id],
    proposal: {
      commandId: `reconcile-lease-${id}`,
      currency,
      direction: "give",
      amountMicros: unreadMicros,
    },
  }));
}

interface FoundRow extends LostRow {
  readonly given_micros: string;
  readonly taken_micros: string;
}

/**
 * Leases of which more was given back than no journal tells of. What was found is charged already, out of what counted as
 * spent; so its price lies free once more, until it is taken.
 */
export async function foundLeases(reader: Reader): Promise<LedgerDifference[]> {
  // The ids are compared by their bytes: `0` follows `/`.
  const { rows } = await sql<FoundRow>`
    select lease.id, lease.record ->> 'currency' as currency, (lease.record ->> 'unreadMicros')::bigint as unread_micros,
      substring(gift.content from 'amountMicros:([0-9]+)n')::bigint as given_micros, taken.micros as taken_micros
    from ledger_hold lease join ledger_command gift on gift.id = 'reconcile-lease-' || lease.id,
      lateral (
        select coalesce(sum(substring(content from 'amountMicros:([0-9]+)n')::bigint), 0) as micros
        from ledger_command
        where id >= 'reconcile-found/' || lease.id || '/' and id < 'reconcile-found/' || lease.id || '0'
      ) taken
    where lease.kind = 'lease' and lease.state = 'lost'
      and substring(gift.content from 'amountMicros:([0-9]+)n')::bigint
        > (lease.record ->> 'unreadMicros')::bigint + taken.micros
    order by lease.ends_at_ms limit ${differenceCountMax}`.execute(reader.executor);
  return rows.map((row) => {
    const { id, currency, unread_micros: unreadMicros, given_micros: givenMicros } = row;
    const amountMicros = String(
      BigInt(givenMicros) - BigInt(unreadMicros) - BigInt(row.taken_micros),
    );
    return {
      kind: "lease-found",
      subject: id,
      expectedMicros: unreadMicros,
      actualMicros: String(BigInt(givenMicros) - BigInt(row.taken_micros)),
      message: `Of the lost lease ${id} ${givenMicros} were given back; its journal was found since, and ${amountMicros} of that were used after all.`,
      evidence: [id, `reconcile-lease-${id}`],
      proposal: {
        // Of two comparisons that do not know of one another's entry, only one takes.
        commandId: `reconcile-found/${id}/${row.taken_micros}`,
        currency,
        direction: "take",
        amountMicros,
      },
    };
  });
}
