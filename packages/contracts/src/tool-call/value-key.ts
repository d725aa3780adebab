/** Values of JSON as texts that are equal for equal values. */

import { EvidenceError } from "../readers/evidence-error.ts";
import { canonicalJson } from "../snapshot/canonical-json.ts";

/** A text that is equal for equal values, whatever the order of their fields; nothing for what JSON cannot carry. */
export function keyOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  try {
    return canonicalJson(value);
  } catch (error) {
    if (error instanceof EvidenceError) return undefined;
    throw error;
  }
}
