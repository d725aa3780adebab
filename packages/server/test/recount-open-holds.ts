/** For tests that set holds behind the ledger's back: has what is open counted as if the ledger had done it. */

import type { TestDatabase } from "@faultline/testkit";

/** Counts the open holds of the test's tenant anew. */
export async function recountOpenHolds(database: TestDatabase): Promise<void> {
  const { tenantId } = database;
  await database.sql("delete from ledger_open_group where tenant_id = $1", [tenantId]);
  await database.sql(
    `insert into ledger_open_group (tenant_id, number, hold_count, ends_from_ms)
     select tenant_id, open_group, count(*), min(ends_at_ms) from ledger_hold
     where tenant_id = $1 and state = 'open' group by tenant_id, open_group`,
    [tenantId],
  );
}
