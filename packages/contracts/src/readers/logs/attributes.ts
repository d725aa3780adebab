/** Attributes of a structured log: what its record says beside the usual fields, within bounds. */

import { isFields, type Fields } from "../../model/fields.ts";
import type { Attributes, AttributeValue } from "../../model/span.ts";
import { cutText } from "../../text/cut-text.ts";
import { logLimits } from "./limits.ts";

/** The fields that were not used for anything else. */
export function attributesOf(fields: Fields, used: ReadonlySet<string | undefined>): Attributes {
  const entries = Object.entries(fields).filter(([name]) => !used.has(name));
  return mapOf(entries, logLimits.attributeCountMax, 0);
}

function mapOf(entries: readonly [string, unknown][], countMax: number, depth: number): Attributes {
  // `fromEntries` makes own fields of every name, whatever it is.
  return Object.fromEntries(
    entries
      .slice(0, countMax)
      .map(([name, value]) => [cutText(name.toWellFormed(), 1_024), valueOf(value, depth + 1)]),
  );
}

function valueOf(value: unknown, depth: number): AttributeValue {
  switch (typeof value) {
    case "string":
      return cutText(value.toWellFormed(), logLimits.attributeTextLengthMax);
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "boolean":
      return value;
    default:
      return depth < logLimits.attributeDepthMax ? nested(value, depth) : null;
  }
}

function nested(value: unknown, depth: number): AttributeValue {
  const countMax = logLimits.attributeEntryCountMax;
  if (Array.isArray(value)) {
    return value.slice(0, countMax).map((item) => valueOf(item, depth + 1));
  }
  return isFields(value) ? mapOf(Object.entries(value), countMax, depth) : null;
}
