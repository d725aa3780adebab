/** What else differs between two versions that are compared: then nobody can tell which of it makes a difference. */

import { chanceOfShares } from "../../statistics/fisher-exact.ts";
import type { Arms } from "./choose-arms.ts";
import { type Column, valueOf } from "./columns.ts";
import type { ComponentName } from "./components.ts";
import type { Unit } from "./units.ts";

/** A component whose values go together with the version. */
export interface Companion {
  readonly component: ComponentName;
  readonly key: string;
  /** The most frequent value of each side. */
  readonly baseline: string;
  readonly canary: string;
}

/** Shares of a value that differ by less are a mix that chance or traffic makes. */
const shareDifferenceMin = 0.1;
/** Where a version only happens to serve elsewhere too, nearly all of it must. */
const placeDifferenceMin = 0.9;
const chanceMax = 1e-4;

/** What a bundle is made of: of these, one may differ, and is what the bundle changes. */
const partsOfBundle: ReadonlySet<ComponentName> = new Set([
  "prompt",
  "model",
  "provider",
  "tokenizer",
  "tools",
  "parameters",
  "engine",
]);

/** What differs beside the version. */
export interface Companions {
  /** With these the version cannot be told from something else. */
  readonly confounding: readonly Companion[];
  /** These are the version under another name, or what it is known to change. */
  readonly alongside: readonly Companion[];
}

/** Components other than that of the two versions which differ between them, each once. */
export function companionsOf(arms: Arms, columns: readonly Column[]): Companions {
  const found = new Map<ComponentName, Companion>();
  for (const { key } of columns) {
    const { component } = key;
    // Of one flag another is a companion; a release under another name is the same release.
    const isOwn =
      component === "flag" ? key.key === arms.key.key : component === arms.key.component;
    if (isOwn || found.has(component)) continue;
    const companion = differenceIn(
      arms,
      key.key,
      component === "place" ? placeDifferenceMin : shareDifferenceMin,
    );
    if (companion !== undefined) found.set(component, { component, key: key.key, ...companion });
  }
  const companions = [...found.values()];
  const isAlongside = alongsideOf(arms.key.component, companions);
  return {
    confounding: companions.filter((companion) => !isAlongside(companion)),
    alongside: companions.filter(isAlongside),
  };
}

function alongsideOf(
  component: ComponentName,
  companions: readonly Companion[],
): (companion: Companion) => boolean {
  // A label only says which units were chosen, and is nothing that could make a difference.
  const others = companions.filter((companion) => companion.component !== "label");
  if (component === "label") return () => others.length === 1;
  const parts = others.filter((companion) => partsOfBundle.has(companion.component));
  const isOnePart = component === "bundle" && parts.length === 1;
  return (companion) =>
    companion.component === "label" ||
    // A release of a model runs on an engine of its own, as its fingerprint says.
    (component === "model" && companion.component === "engine") ||
    (isOnePart && partsOfBundle.has(companion.component));
}

function differenceIn(
  { baseline, canary }: Arms,
  key: string,
  differenceMin: number,
): { readonly baseline: string; readonly canary: string } | undefined {
  // What has no value says nothing: a call that failed has no model that answered.
  const [own, all] = countsOf(baseline.units, key);
  const [others, otherAll] = countsOf(canary.units, key);
  if (Math.min(all, otherAll) < presentCountMin) return undefined;
  for (const value of new Set([...own.keys(), ...others.keys()])) {
    const marked = own.get(value) ?? 0;
    const otherMarked = others.get(value) ?? 0;
    if (Math.abs(marked / all - otherMarked / otherAll) < differenceMin) continue;
    if (chanceOfShares({ marked, all, otherMarked, otherAll }) > chanceMax) continue;
    return { baseline: mostFrequent(own), canary: mostFrequent(others) };
  }
  return undefined;
}

/** Units with a value that make its mix known. */
const presentCountMin = 8;

function countsOf(units: readonly Unit[], key: string): [Map<string, number>, number] {
  const counts = new Map<string, number>();
  let all = 0;
  for (const unit of units) {
    const value = valueOf(unit, key);
    if (value === undefined) continue;
    all += 1;
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [counts, all];
}

function mostFrequent(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].sort(
    ([left, count], [right, otherCount]) => otherCount - count || (left < right ? -1 : 1),
  );
  return sorted[0]?.[0] ?? "";
}
