/** Keywords about the fields of an object. */

import { type Fields, isFields } from "../../model/fields.ts";
import { below, type Step } from "./step.ts";

/** properties, patternProperties, additionalProperties, propertyNames. */
export function evaluateObject(step: Step, value: Fields): void {
  const { schema, outcome, place, walk } = step;
  const properties = isFields(schema["properties"]) ? schema["properties"] : {};
  const patterns = isFields(schema["patternProperties"])
    ? Object.entries(schema["patternProperties"])
    : [];
  const { additionalProperties, propertyNames } = schema;
  declare(step);
  for (const [name, field] of Object.entries(value)) {
    walk.spend(1);
    let isNamed = false;
    if (Object.hasOwn(properties, name)) {
      isNamed = true;
      outcome.require(walk.evaluate(properties[name], field, below(place, name)));
    }
    for (const [pattern, part] of patterns) {
      const matches = walk.patterns.matches(pattern, name);
      if (typeof matches === "string") outcome.doubt(matches);
      if (matches === false) continue;
      isNamed = true;
      if (matches === true) outcome.require(walk.evaluate(part, field, below(place, name)));
    }
    if (isNamed) outcome.properties.add(name);
    else if (additionalProperties !== undefined) {
      outcome.properties.add(name);
      evaluateExtra(step, {
        name,
        field,
        part: additionalProperties,
        keyword: "additionalProperties",
      });
    }
    if (propertyNames !== undefined) {
      outcome.require(walk.evaluate(propertyNames, name, below(place, name)));
    }
  }
}

/** unevaluatedProperties, once all else about the object is judged. */
export function evaluateUnevaluatedProperties(step: Step, value: Fields): void {
  const { schema, outcome } = step;
  const part = schema["unevaluatedProperties"];
  if (part === undefined) return;
  for (const [name, field] of Object.entries(value)) {
    if (outcome.properties.has(name)) continue;
    outcome.properties.add(name);
    evaluateExtra(step, { name, field, part, keyword: "unevaluatedProperties" });
  }
}

function evaluateExtra(
  { outcome, place, walk }: Step,
  { name, field, part, keyword }: { name: string; field: unknown; part: unknown; keyword: string },
): void {
  if (part === false) {
    outcome.fail({
      keyword,
      pointer: place.pointer,
      expected: "no field that the schema does not name",
      actual: `the field ${name.slice(0, 80)}`,
      field: name,
    });
    return;
  }
  outcome.require(walk.evaluate(part, field, below(place, name)));
}

function declare({ schema, outcome, place }: Step): void {
  const { properties, patternProperties, additionalProperties, unevaluatedProperties } = schema;
  const isOpen =
    patternProperties !== undefined ||
    additionalProperties !== undefined ||
    unevaluatedProperties !== undefined;
  if (!isFields(properties) && !isOpen) return;
  const names = isFields(properties) ? Object.keys(properties) : [];
  outcome.declare([{ pointer: place.pointer, names, isOpen }]);
}
