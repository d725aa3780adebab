/** Who knows from elsewhere what the ledger should say. */

import type { LedgerDifference } from "@faultline/protocol";

import type { TenantScope } from "#storage/index.ts";

import type { LedgerRequest } from "../service/ledger-request.ts";

/** Somebody above the ledger who compares what it says with what was done. */
export interface DifferenceSource {
  /** What does not agree now. Each proposed entry has an id that says the same again for the same difference. */
  differences(scope: TenantScope): Promise<readonly SourcedDifference[]>;
}

/** A difference, and how its entry is made where that is no adjustment: by a command of the id that is proposed. */
export interface SourcedDifference extends LedgerDifference {
  readonly request?: LedgerRequest;
}
