/** What the home of accounts has written down of escrows that it wants back. */

import type { Reader, Store, TenantScope } from "#storage/index.ts";

import { readDoneCommands } from "../books/done-commands.ts";
import type { EscrowRecall } from "./escrow-recall.ts";

/** Of the reader's tenant, by region. */
export async function readRecalls(reader: Reader): Promise<Map<string, EscrowRecall>> {
  const rows = await reader
    .selectFrom("region_recall")
    .select(["region", "recalled_at", "until_at"])
    .execute();
  return new Map(
    rows.map((row) => [
      row.region,
      { recalledAtMs: row.recalled_at.getTime(), untilMs: row.until_at.getTime() },
    ]),
  );
}

export class RecallStore {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async recalls(scope: TenantScope): Promise<Map<string, EscrowRecall>> {
    return this.#store.read(scope, readRecalls);
  }

  /** In the place of an earlier one. */
  async save(scope: TenantScope, region: string, recall: EscrowRecall): Promise<void> {
    const times = {
      recalled_at: new Date(recall.recalledAtMs),
      until_at: new Date(recall.untilMs),
    };
    await this.#store.transact(scope, async (writer) => {
      await writer
        .insertInto("region_recall")
        .values({ tenant_id: scope.tenantId, region, ...times })
        .onConflict((conflict) => conflict.columns(["tenant_id", "region"]).doUpdateSet(times))
        .execute();
    });
  }

  /** Removes that of a region, or with `recall` only if it is still this one; whether it was there. */
  async remove(scope: TenantScope, region: string, recall?: EscrowRecall): Promise<boolean> {
    return this.#store.transact(scope, async (writer) => {
      const any = writer.deleteFrom("region_recall").where("region", "=", region);
      const deletion =
        recall === undefined ? any : any.where("until_at", "=", new Date(recall.untilMs));
      const { numDeletedRows } = await deletion.executeTakeFirst();
      return numDeletedRows > 0n;
    });
  }

  /** Which of these steps took effect already: whoever repeats one must hear so. */
  async doneSteps(scope: TenantScope, ids: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#store.read(scope, (reader) => readDoneCommands(reader, ids));
  }
}
