/** What processes without a database know of bundles: plain data, so that it can cross to a worker. */

import type { AliasState, BundleDocument, KillKind, TenantId } from "@faultline/protocol";

/** A version to which an alias, or the name of its bundle, leads. */
export interface SnapshotBundle {
  readonly tenantId: TenantId;
  readonly name: string;
  readonly version: number;
  readonly hash: string;
  /** Whether `bundle/NAME` leads here. */
  readonly isNewest: boolean;
  readonly document: BundleDocument;
}

export interface SnapshotAlias {
  readonly tenantId: TenantId;
  readonly name: string;
  readonly state: AliasState;
}

/** A kill switch that holds. */
export interface SnapshotKill {
  readonly tenantId: TenantId;
  readonly kind: KillKind;
  readonly name: string;
  readonly reason: string;
  readonly killedAt: string;
  readonly killedBy: string;
}

export interface BundleSnapshot {
  readonly bundles: readonly SnapshotBundle[];
  readonly aliases: readonly SnapshotAlias[];
  readonly kills: readonly SnapshotKill[];
}

/** Of an installation that has none. */
export const noBundles: BundleSnapshot = { bundles: [], aliases: [], kills: [] };
