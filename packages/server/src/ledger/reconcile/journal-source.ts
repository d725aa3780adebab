/** The journals of those who admit out of lent credit, as they lie on disk, for who compares them with the books. */

import type { TenantId } from "@faultline/protocol";

import type { UsageRecord } from "../worker/journal-charges.ts";

/** What journals told in all. */
export interface ReadJournals {
  /**
   * What the ids of reserves begin with whose journals were not read whole: what they do not tell of says nothing. Of the rest
   * all was read that was there when the reading began.
   */
  readonly partialPrefixes: readonly string[];
}

/** Reads and changes nothing; whoever writes the journals may go on. */
export interface JournalSource {
  /** What the ids of all reserves begin with whose use stands in these journals. */
  readonly reservePrefix: string;
  /** What they tell of a tenant, in parts of a bounded size, in the order in which each was written. */
  read(
    tenantId: TenantId,
    signal: AbortSignal,
  ): AsyncGenerator<readonly UsageRecord[], ReadJournals>;
}
