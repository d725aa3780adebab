/** Which regions share accounts, as the configuration says it. */

import type { TenantId } from "@faultline/protocol";

/** Another region. */
export interface RegionPeer {
  readonly name: string;
  /** Where it is reached; absent where it only asks. */
  readonly url: string | undefined;
  /** Known to the two alone. */
  readonly key: string;
}

/** What holds where accounts are in one region alone. */
export const oneRegion: RegionTerms = {
  name: "only",
  peers: [],
  homes: new Map(),
  keepMicros: 1n,
  intervalMs: 60_000,
};

/** The regions that share accounts, as one of them knows them. */
export interface RegionTerms {
  /** Of this region. */
  readonly name: string;
  readonly peers: readonly RegionPeer[];
  /** Tenants whose accounts are shared, and the region that writes the ledger of each. */
  readonly homes: ReadonlyMap<TenantId, string>;
  /** How much credit a region keeps of each account that it is not the home of. */
  readonly keepMicros: bigint;
  /** How often it speaks with the home. */
  readonly intervalMs: number;
}
