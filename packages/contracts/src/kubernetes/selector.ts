/** Node selectors: expressions over the labels and the name of a node. */

import { type Fields, isFields } from "../model/fields.ts";
import { listAt, textAt, textListAt, textsAt, fieldsAt } from "./fields.ts";

export type SelectorOperator = "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" | "Invalid";

/** One requirement on a node. `field` says whether `key` names a label or a field such as metadata.name. */
export interface Expression {
  readonly on: "label" | "field";
  readonly key: string;
  readonly operator: SelectorOperator;
  readonly values: readonly string[];
}

/** Expressions that must all match. A term without any matches no node. */
export type Term = readonly Expression[];

/** What of a node selectors look at. */
export interface Selectable {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
}

/** The terms of a node selector, of which one must match. */
export function readTerms(selector: Fields): Term[] {
  return listAt(selector, "nodeSelectorTerms").map((term) => [
    ...readExpressions(listAt(term, "matchExpressions"), "label"),
    ...readExpressions(listAt(term, "matchFields"), "field"),
  ]);
}

const operators: readonly string[] = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"];

/** The expressions of one list. */
export function readExpressions(list: readonly unknown[], on: Expression["on"]): Expression[] {
  return list.map((item) => {
    const fields = fieldsAt(item);
    const operator = textAt(fields, "operator") ?? "";
    return {
      on,
      key: textAt(fields, "key") ?? "",
      // Membership in the list is what the type says.
      operator: (operators.includes(operator) ? operator : "Invalid") as SelectorOperator,
      values: textListAt(fields, "values"),
    };
  });
}

/**
 * The expressions of a label selector, all of which must match. A selector that is not there selects nothing, which is
 * `undefined`; an empty one selects everything.
 */
export function readLabelSelector(selector: unknown): readonly Expression[] | undefined {
  if (!isFields(selector)) return undefined;
  const pairs = [...textsAt(selector, "matchLabels")].map(([key, value]): Expression => ({
    on: "label",
    key,
    operator: "In",
    values: [value],
  }));
  return [...pairs, ...readExpressions(listAt(selector, "matchExpressions"), "label")];
}

/** Whether labels are selected by the expressions of a label selector. */
export function selects(
  expressions: readonly Expression[] | undefined,
  labelled: Selectable,
): boolean {
  return expressions?.every((expression) => matchesExpression(expression, labelled)) ?? false;
}

/** Whether a node matches a term. */
export function matchesTerm(term: Term, node: Selectable): boolean {
  return term.length > 0 && term.every((expression) => matchesExpression(expression, node));
}

/** Whether a node matches one expression. */
export function matchesExpression(expression: Expression, node: Selectable): boolean {
  const actual = actualOf(expression, node);
  switch (expression.operator) {
    case "In":
      return actual !== undefined && expression.values.includes(actual);
    case "NotIn":
      return (
        (actual === undefined || !expression.values.includes(actual)) &&
        // An expression whose values cannot be those of labels matches nothing, not even by not being equal.
        (expression.on === "field" || expression.values.every(isLabelValue))
      );
    case "Exists":
      return actual !== undefined;
    case "DoesNotExist":
      return actual === undefined;
    case "Gt":
    case "Lt":
      return matchesOrder(expression, actual);
    case "Invalid":
      return false;
  }
}

/** Whether a text may be the value of a label. */
function isLabelValue(text: string): boolean {
  return text.length <= 63 && /^(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?)?$/.test(text);
}

/** The value that a node has for an expression. */
export function actualOf(expression: Expression, node: Selectable): string | undefined {
  if (expression.on === "label") return node.labels.get(expression.key);
  return expression.key === "metadata.name" ? node.name : undefined;
}

/** Gt and Lt compare whole numbers; anything else on either side does not match. */
function matchesOrder({ operator, values }: Expression, actual: string | undefined): boolean {
  const [bound] = values;
  if (actual === undefined || bound === undefined || values.length !== 1) return false;
  if (!isInteger(actual) || !isInteger(bound)) return false;
  // The scheduler reads the bound as the value of a label, which cannot begin with a sign: such a term matches nothing.
  if (!/^\d/.test(bound)) return false;
  return operator === "Gt" ? BigInt(actual) > BigInt(bound) : BigInt(actual) < BigInt(bound);
}

/** Whether a text is a whole number within 64 bits, which is what Gt and Lt compare. */
export function isInteger(text: string): boolean {
  if (!/^[+-]?\d{1,19}$/.test(text)) return false;
  const number = BigInt(text.replace("+", ""));
  return number <= 2n ** 63n - 1n && number >= -(2n ** 63n);
}

/** An expression as a person would say it. */
export function describeExpression({ on, key, operator, values }: Expression): string {
  const subject = on === "field" ? `field ${key}` : key;
  switch (operator) {
    case "In":
    case "NotIn":
      return `${subject} ${operator} [${values.join(", ")}]`;
    case "Exists":
    case "DoesNotExist":
      return `${subject} ${operator}`;
    case "Gt":
    case "Lt":
      return `${subject} ${operator} ${values.join(", ")}`;
    case "Invalid":
      return `${subject} with an unknown operator`;
  }
}
