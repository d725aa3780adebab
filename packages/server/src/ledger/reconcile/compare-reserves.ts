/** Holds and leases beside what was charged out of them: work that nobody ended, and leases of which other use was reported. */

import type { LedgerDifference } from "@faultline/protocol";
import { sql } from "kysely";

import type { Reader } from "#storage/index.ts";

import { bookLimits } from "../books/limits.ts";
import { hasFinalUse } from "./final-use.ts";

const { differenceCountMax } = bookLimits;
/** Uses that are named in one finding. */
const namedUseCount = 20;

interface UnfinishedRow {
  readonly id: string;
  readonly micros: string;
  readonly uses: string[];
}

/**
 * Use was charged in part, and then its hold ran out: nobody said that the work is done, or how it ended. A use that came late,
 * as the last one of its work, says so.
 */
export async function usesWithoutCompletion(reader: Reader): Promise<LedgerDifference[]> {
  const { rows } = await sql<UnfinishedRow>`
    select hold.id, sum(use.amount_micros) as micros,
      (array_agg(use.id order by use.at_ms desc, use.id))[1:${sql.lit(namedUseCount)}] as uses
    from ledger_hold hold join ledger_use use on use.hold_id = hold.id
    where hold.kind = 'hold' and hold.state = 'expired'
      and not ${hasFinalUse}
    group by hold.id order by hold.id limit ${differenceCountMax}`.execute(reader.executor);
  return rows.map(({ id, micros, uses }) => ({
    kind: "use-without-completion",
    subject: id,
    expectedMicros: "0",
    actualMicros: micros,
    message: `Of the hold ${id} ${micros} were charged, and it ran out before anybody said that its work is done.`,
    evidence: [id, ...uses],
  }));
}

interface LeaseRow {
  readonly id: string;
  readonly said_micros: string;
  readonly said_count: string;
  readonly known_micros: string;
  readonly known_count: string;
}

/** A lease counts what its worker, or who read its journal, reported of it; the uses that stand in the ledger must be as many and cost as much. */
export async function leasesBesideUses(reader: Reader): Promise<LedgerDifference[]> {
  const { rows } = await sql<LeaseRow>`
    with used as (
      select hold_id as id, sum(amount_micros) as micros, count(*) as count from ledger_use group by hold_id
    )
    select lease.id, lease.record ->> 'chargedMicros' as said_micros, lease.record ->> 'chargeCount' as said_count,
      coalesce(used.micros, 0) as known_micros, coalesce(used.count, 0) as known_count
    from ledger_hold lease left join used on used.id = lease.id
    where lease.kind = 'lease' and (
      (lease.record ->> 'chargedMicros')::bigint <> coalesce(used.micros, 0)
      or (lease.record ->> 'chargeCount')::bigint <> coalesce(used.count, 0)
    )
    order by lease.id limit ${differenceCountMax}`.execute(reader.executor);
  return rows.map((row) => ({
    kind: "lease-differs",
    subject: row.id,
    expectedMicros: row.said_micros,
    actualMicros: row.known_micros,
    message: `The worker of the lease ${row.id} reported ${row.said_count} uses of ${row.said_micros}; the ledger has ${row.known_count} of ${row.known_micros}.`,
    evidence: [row.id],
  }));
}
