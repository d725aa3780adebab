/** What an operation cost, line by line: its holds, its uses, and every entry that they made. */

import { type OperationCost, PlatformError, type UseDetails } from "@faultline/protocol";
import { sql } from "kysely";

import type { Reader } from "#storage/index.ts";

import type { Currency } from "../rules/types.ts";
import { bookLimits } from "./limits.ts";
import { entryColumns, showEntry, showHold, showTime } from "./shown.ts";

/**
 * Explains an operation. Its holds and uses bear its id, or its id, a colon and the number of an attempt; uses by interval its
 * id, a slash and the number of the interval. Throws `not_found`.
 */
export async function explainOperation(
  reader: Reader,
  operationId: string,
): Promise<OperationCost> {
  // The ids are compared by their bytes, so that `;`, which follows `:`, ends the range of attempts; `0` follows `/`.
  const range = [`${operationId}:`, `${operationId};`] as const;
  const intervals = [`${operationId}/`, `${operationId}0`] as const;
  const uses = await readUsesOf(reader, operationId, [range, intervals]);
  const holdIds = [...new Set([operationId, ...uses.map((use) => use.hold_id)])];
  const holds = await reader
    .selectFrom("ledger_hold")
    .select("record")
    .where("kind", "=", "hold")
    .where((where) =>
      where.or([
        where("id", "in", holdIds),
        where.and([where("id", ">=", range[0]), where("id", "<", range[1])]),
      ]),
    )
    .limit(bookLimits.operationPartCountMax)
    .execute();
  if (uses.length === 0 && holds.length === 0) {
    throw new PlatformError("not_found", `The ledger knows no operation '${operationId}'.`, {
      hint: "`faultline ledger hold` lists open holds, `faultline ledger entries` what moved.",
    });
  }
  const shownHolds = holds.map(({ record }) => showHold(record));
  return {
    operationId,
    charged: sumsOf(uses),
    holds: shownHolds,
    uses: uses.map((use) => ({
      usageId: use.id,
      holdId: use.hold_id,
      at: showTime(use.at_ms),
      currency: use.currency,
      amountMicros: use.amount_micros,
      // Written from details that the schema had checked.
      ...(use.details === null ? {} : { details: use.details as UseDetails }),
    })),
    entries: await readEntriesOf(reader, {
      commandIds: [...shownHolds.map(({ id }) => id), ...uses.map((use) => use.command_id)],
      holdIds: shownHolds.map(({ id }) => id),
      usageIds: uses.map(({ id }) => id),
    }),
  };
}

interface UseRow {
  readonly id: string;
  readonly hold_id: string;
  readonly command_id: string;
  readonly at_ms: string;
  readonly amount_micros: string;
  readonly details: unknown;
  readonly currency: Currency;
}

type IdRange = readonly [first: string, behind: string];

/** A use is of the currency of its hold; one without a hold was none of ours, and counts in dollars. */
async function readUsesOf(
  reader: Reader,
  operationId: string,
  [attempts, intervals]: readonly [IdRange, IdRange],
): Promise<readonly UseRow[]> {
  const { rows } = await sql<UseRow>`
    select use.id, use.hold_id, use.command_id, use.at_ms, use.amount_micros, use.details,
      coalesce(hold.record ->> 'currency', 'USD') as currency
    from ledger_use use left join ledger_hold hold on hold.id = use.hold_id
    where use.id = ${operationId} or (use.id >= ${attempts[0]} and use.id < ${attempts[1]})
      or (use.id >= ${intervals[0]} and use.id < ${intervals[1]})
    order by use.at_ms limit ${bookLimits.operationPartCountMax}`.execute(reader.executor);
  return rows;
}

function sumsOf(uses: readonly UseRow[]): OperationCost["charged"] {
  const sums = new Map<Currency, bigint>();
  for (const { currency, amount_micros: micros } of uses)
    sums.set(currency, (sums.get(currency) ?? 0n) + BigInt(micros));
  return [...sums].map(([currency, micros]) => ({ currency, amountMicros: String(micros) }));
}

interface OperationParts {
  readonly commandIds: readonly string[];
  readonly holdIds: readonly string[];
  readonly usageIds: readonly string[];
}

/** Entries between the first and the last command that are of the holds or the uses. */
async function readEntriesOf(reader: Reader, parts: OperationParts) {
  const { commandIds, holdIds, usageIds } = parts;
  const commands = await reader
    .selectFrom("ledger_command")
    .select(["first_sequence", "transfer_count"])
    .where("id", "in", commandIds)
    .execute();
  const ranges = commands.filter((command) => command.transfer_count > 0);
  if (ranges.length === 0) return [];
  const rows = await reader
    .selectFrom("ledger_transfer")
    .select([...entryColumns])
    .where((where) =>
      where.or(
        ranges.map((command) => {
          const first = BigInt(command.first_sequence);
          const next = String(first + BigInt(command.transfer_count));
          return where.and([
            where(
              "batch_first",
              "=",
              sql<string>`(select ledger_batch_of(${command.first_sequence}))`,
            ),
            where("sequence", ">=", command.first_sequence),
            where("sequence", "<", next),
          ]);
        }),
      ),
    )
    .where((where) =>
      where.or([
        ...(holdIds.length > 0 ? [where("hold_id", "in", holdIds)] : []),
        ...(usageIds.length > 0 ? [where("usage_id", "in", usageIds)] : []),
      ]),
    )
    .orderBy("sequence")
    .limit(bookLimits.entryCountMax)
    .execute();
  return rows.map((row) => showEntry(row));
}
