/** Ids of proposed entries. */

import { hashOf } from "./invoice.ts";

/** The same difference, found again, proposes the same entry, which takes effect once. */
export function proposalId(
  kind: "hold" | "work" | "journal" | "found",
  parts: readonly (string | number | bigint)[],
): string {
  return `reconcile-${kind}-${hashOf(parts)}`;
}
