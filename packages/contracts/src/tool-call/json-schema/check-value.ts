/** Checks values against JSON Schema 2020-12 by interpretation: no generated code, bounded work, linear-time patterns. */

import { Evaluator } from "./evaluator.ts";
import { type Declaration, type Problem, schemaLimits, type SchemaVerdict } from "./outcome.ts";
import { defaultBase, SchemaRegistry } from "./schema-registry.ts";

export interface SchemaCheck {
  readonly verdict: SchemaVerdict;
  /** Why the value does not fit; empty unless `invalid`. */
  readonly problems: readonly Problem[];
  /** Why it cannot be said; empty unless something could not be judged. */
  readonly doubts: readonly string[];
  /** Fields that schemas which apply name, for each object in the value. */
  readonly declarations: readonly Declaration[];
}

export interface SchemaCheckOptions {
  /** Further documents by their place, for references that leave the schema. */
  readonly documents?: Readonly<Record<string, unknown>>;
  readonly stepCountMax?: number;
}

/** Holds a value against a schema. Never throws, whatever the schema. */
export function checkValue(
  schema: unknown,
  value: unknown,
  options: SchemaCheckOptions = {},
): SchemaCheck {
  const registry = new SchemaRegistry();
  for (const [uri, document] of Object.entries(options.documents ?? {}))
    registry.add(uri, document);
  registry.add(defaultBase, schema);
  const evaluator = new Evaluator(registry, options.stepCountMax ?? schemaLimits.stepCountMax);
  const { verdict, problems, doubts, declarations } = evaluator.run(schema, value);
  return {
    verdict,
    problems: verdict === "invalid" ? problems : [],
    doubts,
    declarations,
  };
}
