/** Keywords about the items of an array. */

import { below, type Step } from "./step.ts";
import type { Outcome } from "./outcome.ts";

/** prefixItems, items, contains; an array of schemas under items is what prefixItems was called before 2020-12. */
export function evaluateArray(step: Step, value: readonly unknown[]): void {
  const { schema, outcome } = step;
  const isOld = Array.isArray(schema["items"]);
  const prefix = isOld ? schema["items"] : schema["prefixItems"];
  const rest = isOld ? schema["additionalItems"] : schema["items"];
  const prefixLength = Array.isArray(prefix) ? Math.min(prefix.length, value.length) : 0;
  for (let index = 0; index < value.length; index += 1) {
    const part: unknown = Array.isArray(prefix) && index < prefixLength ? prefix[index] : rest;
    if (part === undefined) continue;
    outcome.items.add(index);
    outcome.require(evaluateItem(step, { part, item: value[index], index }));
  }
  if (schema["contains"] !== undefined) evaluateContains(step, value);
}

/** unevaluatedItems, once all else about the array is judged. */
export function evaluateUnevaluatedItems(step: Step, value: readonly unknown[]): void {
  const { schema, outcome } = step;
  const part = schema["unevaluatedItems"];
  if (part === undefined) return;
  for (const [index, item] of value.entries()) {
    if (outcome.items.has(index)) continue;
    outcome.items.add(index);
    outcome.require(evaluateItem(step, { part, item, index }));
  }
}

function evaluateItem(
  { walk, place }: Step,
  { part, item, index }: { part: unknown; item: unknown; index: number },
): Outcome {
  return walk.evaluate(part, item, below(place, index));
}

function evaluateContains(step: Step, value: readonly unknown[]): void {
  const { schema, outcome, place } = step;
  const least = typeof schema["minContains"] === "number" ? schema["minContains"] : 1;
  const most =
    typeof schema["maxContains"] === "number" ? schema["maxContains"] : Number.POSITIVE_INFINITY;
  let count = 0;
  let unknownCount = 0;
  for (const [index, item] of value.entries()) {
    const { verdict } = evaluateItem(step, { part: schema["contains"], item, index });
    if (verdict === "unknown") unknownCount += 1;
    if (verdict !== "valid") continue;
    count += 1;
    outcome.items.add(index);
  }
  if (count + unknownCount < least || count > most) {
    const bounds = most === Number.POSITIVE_INFINITY ? `at least ${least}` : `${least} to ${most}`;
    outcome.fail({
      keyword: "contains",
      pointer: place.pointer,
      expected: `${bounds} items that fit the schema under contains`,
      actual: `${count} of ${value.length} items fit`,
    });
  } else if (count < least || count + unknownCount > most) {
    outcome.doubt("items under contains cannot be judged");
  }
}
