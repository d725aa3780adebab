/** Walks a schema and a value together. */

import { isFields } from "../../model/fields.ts";
import { assertAll } from "./assertions.ts";
import { evaluateArray, evaluateUnevaluatedItems } from "./array-keywords.ts";
import { evaluateObject, evaluateUnevaluatedProperties } from "./object-keywords.ts";
import { Outcome, schemaLimits } from "./outcome.ts";
import { PatternCache } from "./pattern-cache.ts";
import { evaluateCombinations } from "./combination-keywords.ts";
import type { Place, Step, Walk } from "./step.ts";
import { defaultBase, type Resolved, type SchemaRegistry } from "./schema-registry.ts";

/** The work of one check is used up. */
class WorkUsedUp extends Error {
  override readonly name = "WorkUsedUp";
}

export class Evaluator implements Walk {
  readonly patterns: PatternCache;
  readonly #registry: SchemaRegistry;
  #stepsLeft: number;

  constructor(registry: SchemaRegistry, stepCountMax: number) {
    this.#registry = registry;
    this.#stepsLeft = stepCountMax;
    this.patterns = new PatternCache((steps) => {
      this.spend(steps);
    });
  }

  /** The outcome of a whole check. */
  run(schema: unknown, value: unknown): Outcome {
    try {
      return this.evaluate(schema, value, { pointer: "", base: defaultBase, scope: [], depth: 0 });
    } catch (error) {
      if (!(error instanceof WorkUsedUp)) throw error;
      const outcome = new Outcome();
      outcome.doubt("the check takes more steps than it may");
      return outcome;
    }
  }

  /** Counts work. */
  spend(steps: number): void {
    this.#stepsLeft -= steps;
    if (this.#stepsLeft < 0) throw new WorkUsedUp("the work of this check is used up");
  }

  /** Holds a value against a schema. */
  evaluate(schema: unknown, value: unknown, place: Place): Outcome {
    this.spend(1);
    const outcome = new Outcome();
    if (schema === true) return outcome;
    if (schema === false) {
      outcome.fail({
        keyword: "false",
        pointer: place.pointer,
        expected: "nothing",
        actual: "something",
      });
      return outcome;
    }
    if (!isFields(schema)) {
      outcome.doubt("a schema is neither an object nor a boolean");
      return outcome;
    }
    if (place.depth > schemaLimits.depthMax) {
      outcome.doubt("the schema refers to itself without end, or is nested too deeply");
      return outcome;
    }
    const base = this.#registry.baseOf(schema) ?? place.base;
    const scope = place.scope.at(-1) === base ? place.scope : [...place.scope, base];
    this.#evaluateObject({
      walk: this,
      schema,
      value,
      outcome,
      place: { ...place, base, scope },
    });
    return outcome;
  }

  #evaluateObject(step: Step): void {
    const { schema, value, outcome, place } = step;
    this.#evaluateReferences(step);
    evaluateCombinations(step);
    if (Array.isArray(value)) evaluateArray(step, value);
    else if (isFields(value)) evaluateObject(step, value);
    if (this.#registry.asserts(place.base)) {
      assertAll({ schema, value, pointer: place.pointer, outcome, patterns: this.patterns });
    }
    if (Array.isArray(value)) evaluateUnevaluatedItems(step, value);
    else if (isFields(value)) evaluateUnevaluatedProperties(step, value);
  }

  #evaluateReferences(step: Step): void {
    const { schema, place } = step;
    const { $ref, $dynamicRef } = schema;
    if (typeof $ref === "string") {
      this.#evaluateResolved(step, $ref, this.#registry.resolve($ref, place.base));
    }
    if (typeof $dynamicRef === "string") {
      this.#evaluateResolved(
        step,
        $dynamicRef,
        this.#registry.resolveDynamic($dynamicRef, place.base, place.scope),
      );
    }
  }

  #evaluateResolved(
    { value, place, outcome }: Step,
    reference: string,
    found: Resolved | undefined,
  ): void {
    if (found === undefined) {
      outcome.doubt(`the schema refers to ${reference.slice(0, 120)}, which is not there`);
      return;
    }
    const inner = this.evaluate(found.schema, value, {
      pointer: place.pointer,
      base: found.base,
      scope: place.scope.at(-1) === found.base ? place.scope : [...place.scope, found.base],
      depth: place.depth + 1,
    });
    outcome.requireInPlace(inner);
  }
}
