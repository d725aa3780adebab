/** What the ledger holds and charged for work that somebody else counts, by the names of its holds and intervals. */

import { sql } from "kysely";

import type { Reader } from "#storage/index.ts";

/** Work that is asked about. */
export interface AskedWork {
  readonly holdId: string;
  /** Its uses bear this, a slash and the number of an interval. */
  readonly usagePrefix: string;
  /** The intervals that were worked; none where the last is before the first. */
  readonly first: number;
  readonly last: number;
}

/** What was charged for it. */
export interface ChargedWork {
  readonly holdId: string;
  /** For intervals that were worked. */
  readonly chargedCount: number;
  readonly chargedMicros: bigint;
  /** For others. */
  readonly beyondCount: number;
  readonly beyondMicros: bigint;
}

/** How the ledger stands to work. */
export interface ReservedWork {
  /** What open holds whose ids begin so still reserve. */
  readonly openMicros: ReadonlyMap<string, bigint>;
  readonly charged: readonly ChargedWork[];
}

interface ChargedRow {
  readonly hold_id: string;
  readonly charged_count: string;
  readonly charged_micros: string;
  readonly beyond_count: string;
  readonly beyond_micros: string;
}

/** Reads it in the reader's one state. */
export async function readReservedWork(
  reader: Reader,
  { holdPrefix, works }: { readonly holdPrefix: string; readonly works: readonly AskedWork[] },
): Promise<ReservedWork> {
  const open = await reader
    .selectFrom("ledger_open_hold")
    .select(["id", "remaining_micros"])
    .where("kind", "=", "hold")
    .where("id", "like", `${holdPrefix}%`)
    .execute();
  const openMicros = new Map(open.map((row) => [row.id, BigInt(row.remaining_micros)]));
  if (works.length === 0) return { openMicros, charged: [] };
  // The ids are compared by their bytes: `0` follows `/`.
  const { rows } = await sql<ChargedRow>`
    select asked.hold_id,
      count(use.id) filter (where use.is_worked) as charged_count,
      coalesce(sum(use.amount_micros) filter (where use.is_worked), 0) as charged_micros,
      count(use.id) filter (where not use.is_worked) as beyond_count,
      coalesce(sum(use.amount_micros) filter (where not use.is_worked), 0) as beyond_micros
    from unnest(
      ${works.map(({ holdId }) => holdId)}::text[], ${works.map((work) => work.usagePrefix)}::text[],
      ${works.map(({ first }) => first)}::bigint[], ${works.map(({ last }) => last)}::bigint[]
    ) as asked (hold_id, prefix, first, last)
    left join lateral (
      select id, amount_micros,
        coalesce(substring(id from '/([0-9]{1,15})$')::bigint between asked.first and asked.last, false) as is_worked
      from ledger_use where id >= asked.prefix || '/' and id < asked.prefix || '0'
    ) use on true
    group by asked.hold_id`.execute(reader.executor);
  const charged = rows.map((row) => ({
    holdId: row.hold_id,
    chargedCount: Number(row.charged_count),
    chargedMicros: BigInt(row.charged_micros),
    beyondCount: Number(row.beyond_count),
    beyondMicros: BigInt(row.beyond_micros),
  }));
  return { openMicros, charged };
}
