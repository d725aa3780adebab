/** Which commands took effect. */

import type { Reader } from "#storage/index.ts";

/** Those of these ids. */
export async function readDoneCommands(
  reader: Reader,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await reader
    .selectFrom("ledger_command")
    .select("id")
    .where("id", "in", [...ids])
    .execute();
  return new Set(rows.map(({ id }) => id));
}
