/** Which values the components of units have, and how often. */

import type { Attributes } from "../../model/span.ts";
import {
  cohortKeys,
  type ComponentKey,
  componentKeys,
  flagPrefix,
  namedKey,
  resourceOnlyKeys,
  valueText,
} from "./components.ts";
import type { Unit } from "./units.ts";

/** The value of an attribute for one unit: its own, that of its resource, or that of the first call made for it. */
export function valueOf({ lead, models, flags }: Unit, key: string): string | undefined {
  if (resourceOnlyKeys.has(key)) return valueText(lead.resource[key]);
  return (
    valueText(lead.attributes[key]) ??
    valueText(lead.resource[key]) ??
    valueText(models[0]?.attributes[key]) ??
    flags?.get(key)
  );
}

/** An attribute with several values. */
export interface Column {
  readonly key: ComponentKey;
  /** Its values, in no order. */
  readonly values: readonly string[];
}

/** Values of one attribute that are told apart: what has more is no version. */
const valueCountMax = 40;

/** What a look at some units tells: components and cohorts with several values. */
export interface MixedColumns {
  readonly components: readonly Column[];
  readonly cohorts: readonly string[];
}

/** Attributes that have more than one value among some units. `named` is looked at whatever it is. */
export function mixedColumnsOf(units: readonly Unit[], named: string): MixedColumns {
  const mixed = mixedKeysOf(units, named);
  if (mixed.size === 0) return { components: [], cohorts: [] };
  const keys = componentKeys.filter(({ key }) => key !== named);
  const flags = [...mixed].filter((key) => isFlagKey(key) && key !== named).sort();
  const known = [...keys, ...(named === "" ? [] : [namedKey(named)]), ...flags.map(namedKey)];
  const isMixed = (key: string): boolean => mixed.has(key) && valuesOf(units, key).length > 1;
  return {
    components: known.flatMap((key) => {
      const values = mixed.has(key.key) ? valuesOf(units, key.key) : [];
      return values.length < 2 ? [] : [{ key, values }];
    }),
    cohorts: cohortKeys.filter(isMixed),
  };
}

/** Values of an attribute; none where there are more than can be versions. */
function valuesOf(units: readonly Unit[], key: string): readonly string[] {
  const values = new Set<string>();
  for (const unit of units) {
    const value = valueOf(unit, key);
    if (value !== undefined) values.add(value);
    if (values.size > valueCountMax) return [];
  }
  return [...values];
}

const knownKeys = new Set([...componentKeys.map(({ key }) => key), ...cohortKeys]);

/** Attributes with a second value. Most have one, which is seen in one pass that makes no texts. */
function mixedKeysOf(units: readonly Unit[], named: string): Set<string> {
  const mixed = new Set<string>();
  const firsts = new Map<string, unknown>();
  const see = (key: string, value: unknown): void => {
    const first = firsts.get(key);
    if (first === undefined) {
      if (!knownKeys.has(key) && key !== named && !isFlagKey(key)) return;
      firsts.set(key, value);
      // Lists are compared as texts, later.
      if (typeof value === "object") mixed.add(key);
    } else if (first !== value) mixed.add(key);
  };
  const resources = new Set<Attributes>();
  for (const { lead, models, flags } of units) {
    const [model] = models;
    const { attributes, resource } = lead;
    if (!resources.has(resource)) {
      resources.add(resource);
      for (const key in resource) see(key, resource[key]);
    }
    for (const key in attributes) see(key, attributes[key]);
    if (model !== undefined && model !== lead) {
      for (const key in model.attributes) see(key, model.attributes[key]);
    }
    for (const [key, value] of flags ?? []) see(key, value);
  }
  return mixed;
}

/** Attributes that name a flag each, beside those that describe one evaluation. */
function isFlagKey(key: string): boolean {
  return (
    (key.startsWith(flagPrefix) && !evaluationKeys.has(key)) ||
    /^(?:feature_flags|flags)\./.test(key)
  );
}

const evaluationKeys = new Set(
  [
    "key",
    "variant",
    "provider_name",
    "provider.name",
    "result.variant",
    "result.value",
    "result.reason",
    "context.id",
    "set.id",
    "version",
    "evaluation.reason",
    "evaluation.error.message",
    "error.message",
  ].map((name) => `${flagPrefix}${name}`),
);
