/** Label selectors in words, and what they are compared with: labels of pods and of namespaces. */

import { type Expression, matchesExpression } from "./selector.ts";

/** Expressions that must all match. One without any matches everything. */
export type LabelSelector = readonly Expression[];

/** The selector of plain pairs, as Services and ReplicationControllers have it. */
export function pairsSelector(pairs: ReadonlyMap<string, string>): LabelSelector {
  return [...pairs].map(([key, value]) => ({
    on: "label",
    key,
    operator: "In",
    values: [value],
  }));
}

/** Whether labels fulfil every expression of a selector. */
export function matchesLabels(
  selector: LabelSelector,
  labels: ReadonlyMap<string, string>,
): boolean {
  return selector.every((expression) => matchesExpression(expression, { name: "", labels }));
}

/** A selector as kubectl takes it: `app=web,tier in (a,b),!debug`. */
export function describeSelector(selector: LabelSelector): string {
  if (selector.length === 0) return "everything";
  return selector.map(describeRequirement).join(",");
}

function describeRequirement({ key, operator, values }: Expression): string {
  switch (operator) {
    case "In":
      return values.length === 1 ? `${key}=${values[0] ?? ""}` : `${key} in (${values.join(",")})`;
    case "NotIn":
      return `${key} notin (${values.join(",")})`;
    case "Exists":
      return key;
    case "DoesNotExist":
      return `!${key}`;
    case "Gt":
    case "Lt":
    case "Invalid":
      return `${key} with an operator that label selectors do not have`;
  }
}

/** Labels as kubectl prints them: `app=web,tier=front`. */
export function describeLabels(labels: ReadonlyMap<string, string>): string {
  if (labels.size === 0) return "no labels";
  return [...labels].map(([key, value]) => `${key}=${value}`).join(",");
}
