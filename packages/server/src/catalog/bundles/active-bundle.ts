/** A version that is in use: its targets and conditions, ready to be asked. */

import type { BundleDocument, BundleTarget } from "@faultline/protocol";

import type { Catalog, Target } from "../catalog.ts";
import type { SnapshotBundle } from "./bundle-snapshot.ts";
import { compileCondition, type Condition } from "./condition.ts";

export interface ActiveTarget {
  /** What the weighted choice is drawn by. */
  readonly id: string;
  readonly weight: number;
  readonly order: number;
  readonly declared: BundleTarget;
  readonly condition: Condition | undefined;
  /** `undefined` while no configured provider serves the model. */
  readonly target: Target | undefined;
}

export interface ActiveBundle {
  readonly name: string;
  readonly version: number;
  readonly hash: string;
  readonly document: BundleDocument;
  /** In the order in which they are tried; those of one order in the order of the document. */
  readonly targets: readonly ActiveTarget[];
  readonly hasConditions: boolean;
}

/** Compiles a version and finds its targets. */
export function activate(
  { name, version, hash, document }: SnapshotBundle,
  catalog: Catalog,
): ActiveBundle {
  const targets = document.targets.map((declared, index): ActiveTarget => {
    const resolution = catalog.resolveModel(declared.model);
    return {
      id: `${hash}/${index}`,
      weight: declared.weight ?? 1,
      order: declared.order ?? 0,
      declared,
      condition: declared.when === undefined ? undefined : compileCondition(declared.when),
      target: resolution.kind === "found" ? resolution.target : undefined,
    };
  });
  return {
    name,
    version,
    hash,
    document,
    targets: targets.toSorted((one, other) => one.order - other.order),
    hasConditions: targets.some(({ condition }) => condition !== undefined),
  };
}
