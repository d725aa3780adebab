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

/** A schema, looked through once, for any number of values. */
export class SchemaChecker {
  readonly #schema: unknown;
  readonly #registry = new SchemaRegistry();
  readonly #stepCountMax: number;

  constructor(schema: unknown, options: SchemaCheckOptions = {}) {
    this.#schema = schema;
    this.#stepCountMax = options.stepCountMax ?? schemaLimits.stepCountMax;
    for (const [uri, document] of Object.entries(options.documents ?? {}))
      this.#registry.add(uri, document);
    this.#registry.add(defaultBase, schema);
  }

  /** Holds a value against the schema. Never throws, whatever the schema. */
  check(value: unknown): SchemaCheck {
    const outcome = new Evaluator(this.#registry, this.#stepCountMax).run(this.#schema, value);
    const { verdict, problems, doubts, declarations } = outcome;
    return { verdict, problems: verdict === "invalid" ? problems : [], doubts, declarations };
  }
}

/** Holds one value against a schema. */
export function checkValue(
  schema: unknown,
  value: unknown,
  options: SchemaCheckOptions = {},
): SchemaCheck {
  return new SchemaChecker(schema, options).check(value);
}
