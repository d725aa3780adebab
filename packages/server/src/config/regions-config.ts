/** What the configuration says of regions that share accounts. */

import type { TenantId } from "@faultline/protocol";

export interface RegionsConfig {
  readonly name: string;
  readonly peers: readonly {
    readonly name: string;
    readonly url: string | undefined;
    readonly key: string;
  }[];
  /** Tenants whose accounts are shared, and the region that writes the ledger of each. */
  readonly homes: ReadonlyMap<TenantId, string>;
  readonly keepMicros: bigint;
  readonly intervalMs: number;
}
