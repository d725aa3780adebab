/** How a group of spend is called and coloured. */

import type { SpendGroup, SpendGrouping } from "@faultline/protocol";

const seriesCount = 8;
/** Enough of a hash or an id to tell it from others. */
const idLengthShown = 12;

export function groupName(
  by: SpendGrouping,
  group: Pick<SpendGroup, "kind" | "name">,
  keyNames: ReadonlyMap<string, string>,
): string {
  if (group.kind === "others") return "all others";
  if (group.kind === "unnamed") return `no ${by}`;
  if (by === "key") return keyNames.get(group.name) ?? group.name;
  return by === "bundle" ? shortHash(group.name) : group.name;
}

/** `sha256:0123456789ab…` */
export function shortHash(hash: string): string {
  const [algorithm, digits] = hash.split(":");
  return digits === undefined ? hash : `${algorithm}:${digits.slice(0, idLengthShown)}…`;
}

/** Groups have colours by their place, the nameless ones are grey. */
export function groupColor(group: Pick<SpendGroup, "kind">, index: number): string {
  return group.kind === "named" ? `var(--series-${index % seriesCount})` : "var(--ink-3)";
}
