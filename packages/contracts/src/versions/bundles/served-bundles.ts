/** Which bundles calls of models were served under, as their spans tell. */

import type { Snapshot } from "../../model/snapshot.ts";
import { valueText } from "../canary/components.ts";
import { type Unit, unitSourceOf } from "../canary/units.ts";

/** The calls under one hash. */
export interface ServedBundle {
  readonly hash: string;
  /** `support@3`, as the gateway names it; empty where spans do not say. */
  readonly name: string;
  readonly units: readonly Unit[];
  /** The processes that served it, and the keys that asked for it. */
  readonly instances: ReadonlySet<string>;
  readonly keys: ReadonlySet<string>;
}

const bundleCountMax = 1_000;
const instanceKeys = ["service.instance.id", "k8s.pod.name", "host.name"] as const;

/** Bundles by hash and name, in the order in which they are first seen. */
export function servedBundlesOf(snapshot: Snapshot): readonly ServedBundle[] {
  const byKey = new Map<string, Unit[]>();
  for (const { of, units } of unitSourceOf(snapshot).sample) {
    if (of !== "call") continue;
    for (const unit of units) {
      const { attributes } = unit.lead;
      const hash = attributes["faultline.bundle.hash"];
      if (typeof hash !== "string") continue;
      const key = `${valueText(attributes["faultline.bundle.name"]) ?? ""}\n${hash}`;
      const known = byKey.get(key);
      if (known !== undefined) known.push(unit);
      else if (byKey.size < bundleCountMax) byKey.set(key, [unit]);
    }
  }
  return [...byKey].map(([key, units]) => {
    const [name = "", hash = ""] = key.split("\n");
    return {
      hash,
      name,
      units,
      instances: valuesAt(units, instanceKeys),
      keys: valuesAt(units, ["faultline.key.id"]),
    };
  });
}

function valuesAt(units: readonly Unit[], keys: readonly string[]): ReadonlySet<string> {
  const values = new Set<string>();
  for (const { lead } of units) {
    for (const key of keys) {
      const value = valueText(lead.resource[key]) ?? valueText(lead.attributes[key]);
      if (value === undefined) continue;
      values.add(value);
      break;
    }
  }
  return values;
}
