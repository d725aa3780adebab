/** Which values the components of units have, and how often. */

import type { Attributes } from "../../model/span.ts";
import {
  cohortKeys,
  type ComponentKey,
  componentKeys,
  flagPrefix,
  namedKey,
  valueText,
} from "./components.ts";
import type { Unit } from "./units.ts";

/** The value of an attribute for one unit: its own, that of its resource, or that of the first call made for it. */
export function valueOf({ lead, models, flags }: Unit, key: string): string | undefined {
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

/** Attributes of components that have more than one value among some units. `named` is looked at whatever it is. */
export function columnsOf(units: readonly Unit[], named: string): Column[] {
  const seen = new SeenValues(units);
  const keys =
    named === ""
      ? componentKeys
      : [...componentKeys.filter(({ key }) => key !== named), namedKey(named)];
  const flags = seen.flagKeys().filter((key) => key !== named);
  return [...keys, ...flags.map(namedKey)].flatMap((key) => {
    const values = seen.valuesOf(key.key);
    return values.length < 2 ? [] : [{ key, values }];
  });
}

/** Attributes of who sent the requests, where they have several values. */
export function cohortsOf(units: readonly Unit[]): readonly string[] {
  const seen = new SeenValues(units);
  return cohortKeys.filter((key) => seen.valuesOf(key).length > 1);
}

/** Looks through units: most attributes have one value, which is seen without making a text of each. */
class SeenValues {
  readonly #units: readonly Unit[];
  readonly #resources: readonly Attributes[];

  constructor(units: readonly Unit[]) {
    this.#units = units;
    this.#resources = [...new Set(units.map(({ lead }) => lead.resource))];
  }

  /** The values of an attribute; none where there are more than can be versions. */
  valuesOf(key: string): readonly string[] {
    if (!this.#isMixed(key)) return [];
    const values = new Set<string>();
    for (const unit of this.#units) {
      const value = valueOf(unit, key);
      if (value !== undefined) values.add(value);
      if (values.size > valueCountMax) return [];
    }
    return [...values];
  }

  #isMixed(key: string): boolean {
    let first: unknown;
    const isOther = (value: unknown): boolean => {
      if (value === undefined) return false;
      first ??= value;
      // Lists are compared as texts, later.
      return value !== first || typeof value === "object";
    };
    for (const resource of this.#resources) if (isOther(resource[key])) return true;
    for (const { lead, models, flags } of this.#units) {
      const model = models[0];
      if (isOther(lead.attributes[key]) || isOther(flags?.get(key))) return true;
      if (model !== undefined && model !== lead && isOther(model.attributes[key])) return true;
    }
    return false;
  }

  flagKeys(): string[] {
    const keys = new Set<string>();
    for (const { lead, flags } of this.#units) {
      for (const key in lead.attributes) if (isFlagKey(key)) keys.add(key);
      for (const key of flags?.keys() ?? []) keys.add(key);
    }
    return [...keys].sort();
  }
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
