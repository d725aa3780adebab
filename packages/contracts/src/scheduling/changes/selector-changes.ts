/** Changes for nodes that do not match the pod's nodeSelector, node affinity or node name. */

import type { Situation } from "../filters/filter.ts";
import type { Node } from "../node.ts";
import type { FailingExpression, Obstacle } from "../obstacle.ts";
import {
  actualOf,
  describeExpression,
  type Expression,
  isInteger,
  matchesExpression,
  type Term,
} from "../../kubernetes/selector.ts";
import { type Change, costs } from "./change.ts";
import type { Background, Surroundings } from "./surroundings.ts";

type SelectorObstacle = Extract<Obstacle, { kind: "selector" }>;
type AffinityObstacle = Extract<Obstacle, { kind: "affinity" }>;

/** For a pair of nodeSelector: take the node's value, drop the pair, or label the node. */
export function selectorChanges(
  { key, wanted }: SelectorObstacle,
  situation: Situation,
  { surroundings, original }: Background,
): Change[] {
  const actual = original.labels.get(key);
  const isFulfilled = surroundings.hasLabel(key, wanted);
  const changes: Change[] = [
    {
      key: `drop nodeSelector ${key}`,
      place: `nodeSelector ${key}`,
      cost: isFulfilled ? costs.dropFulfilledWish : costs.dropWish,
      description: `remove ${key}=${wanted} from the pod's nodeSelector`,
      touches: "pod",
      apply: (before) => withSelector(before, key, undefined),
    },
    addLabel({ key, value: wanted, nodeName: situation.node.name }, surroundings),
  ];
  if (actual !== undefined && actual !== wanted) {
    changes.push({
      key: `nodeSelector ${key}=${actual}`,
      place: `nodeSelector ${key}`,
      cost: isFulfilled ? costs.redirectValue : costs.correctValue,
      description: `change nodeSelector ${key} of the pod from ${wanted} to ${actual}`,
      touches: "pod",
      apply: (before) => withSelector(before, key, actual),
    });
  }
  return changes;
}

/**
 * For a node affinity without a matching term: repair the first failing expression of each term, which is where every
 * repair of that term may begin, or drop the requirement.
 */
export function affinityChanges(
  { failing }: AffinityObstacle,
  situation: Situation,
  background: Background,
): Change[] {
  const { surroundings } = background;
  const terms = situation.pod.affinity ?? [];
  const isFulfilled = terms.some((term) => surroundings.fulfilsTerm(term));
  const drop: Change = {
    key: "drop affinity",
    place: "affinity",
    cost: isFulfilled ? costs.dropFulfilledAffinity : costs.dropAffinity,
    description: "remove the pod's required node affinity",
    touches: "pod",
    apply: (before) => ({ ...before, pod: { ...before.pod, affinity: undefined } }),
  };
  const firsts = terms.flatMap((_term, index) => failing.find((item) => item.term === index) ?? []);
  return [drop, ...firsts.flatMap((first) => expressionChanges(first, situation, background))];
}

function expressionChanges(
  first: FailingExpression,
  situation: Situation,
  { surroundings, original }: Background,
): Change[] {
  const { expression } = first;
  const place = `affinity ${first.term} ${describeExpression(expression)}`;
  const isFulfilled = surroundings.fulfils(expression);
  const changes: Change[] = [];
  const repaired = repairedExpression(expression, actualOf(expression, original));
  if (repaired !== undefined) {
    changes.push({
      key: `${place} to ${describeExpression(repaired)}`,
      place,
      cost: isFulfilled ? costs.redirectValue : costs.correctValue,
      description: `change the pod's node affinity from "${describeExpression(expression)}" to "${describeExpression(repaired)}"`,
      touches: "pod",
      apply: (before) => withExpression(before, first, repaired),
    });
  }
  const remaining = situation.pod.affinity?.[first.term]?.length ?? 0;
  // A term without expressions matches nothing, so the last one goes only with the whole requirement.
  if (remaining > 1) {
    changes.push({
      key: `drop ${place}`,
      place,
      cost: isFulfilled ? costs.dropFulfilledWish : costs.dropWish,
      description: `remove "${describeExpression(expression)}" from the pod's node affinity`,
      touches: "pod",
      apply: (before) => withExpression(before, first, undefined),
    });
  }
  return [...changes, ...labelChanges(expression, situation, surroundings)];
}

/** The same expression with a value that the node has, where there is one. */
function repairedExpression(
  expression: Expression,
  actual: string | undefined,
): Expression | undefined {
  const { operator, values } = expression;
  switch (operator) {
    case "In":
      return actual === undefined || values.includes(actual)
        ? undefined
        : { ...expression, values: [actual] };
    case "NotIn": {
      const left = values.filter((value) => value !== actual);
      return left.length === 0 ? undefined : { ...expression, values: left };
    }
    case "Gt":
    case "Lt": {
      if (actual === undefined || !isInteger(actual)) return undefined;
      const bound = String(BigInt(actual) + (operator === "Gt" ? -1n : 1n));
      return isInteger(bound) ? { ...expression, values: [bound] } : undefined;
    }
    case "Exists":
    case "DoesNotExist":
    case "Invalid":
      return undefined;
  }
}

/**
 * Labels that make the node match an expression. Besides the value that the expression itself asks for, the values
 * count that the pod names elsewhere for the same key: one label may fulfil several wishes.
 */
function labelChanges(
  expression: Expression,
  { pod, node }: Situation,
  surroundings: Surroundings,
): Change[] {
  const { on, key } = expression;
  if (on === "field") return [];
  const named = [...(pod.affinity ?? []).flat(), expression].filter(
    (other) => other.key === key && other.on === "label",
  );
  const values = new Set([pod.nodeSelector.get(key), ...named.map(labelValueOf)]);
  const changes = [...values].flatMap((value) => {
    if (value === undefined || !matchesExpression(expression, withLabels(node, key, value)))
      return [];
    return [addLabel({ key, value, nodeName: node.name }, surroundings)];
  });
  const isUnwanted = named.some((other) => other.operator === "DoesNotExist");
  if (!isUnwanted || !matchesExpression(expression, withLabels(node, key, undefined)))
    return changes;
  return [...changes, removeLabel(key, node.name)];
}

/** The value that a label gets for the sake of an expression. */
function labelValueOf({ operator, values }: Expression): string | undefined {
  if (operator === "Exists") return "true";
  return operator === "In" ? values[0] : undefined;
}

function removeLabel(key: string, nodeName: string): Change {
  return {
    key: `unlabel ${nodeName} ${key}`,
    place: `label ${nodeName} ${key}`,
    cost: costs.removeLabel,
    description: `remove the label ${key} from node ${nodeName}`,
    touches: "node",
    apply: (before) => withLabel(before, key, undefined),
  };
}

/** Labels the node. */
export function addLabel(
  { key, value, nodeName }: { key: string; value: string; nodeName: string },
  surroundings: Surroundings,
): Change {
  const isFulfilled = surroundings.hasLabel(key, value);
  const cost = isFulfilled ? costs.addFulfilledLabel : costs.addLabel;
  return {
    key: `label ${nodeName} ${key}=${value}`,
    place: `label ${nodeName} ${key}`,
    cost: isReserved(key) ? costs.addReservedLabel : cost,
    description: `label node ${nodeName} with ${key}=${value}`,
    touches: "node",
    apply: (before) => withLabel(before, key, value),
  };
}

/** Labels of these domains are written by the cluster and its provider. */
function isReserved(key: string): boolean {
  return (
    /(^|\.)(kubernetes\.io|k8s\.io)\//.test(key) && !key.startsWith("node-role.kubernetes.io/")
  );
}

/** For a pod that names its node: name this one, or leave the choice to the scheduler. */
export function nodeNameChanges(wanted: string, situation: Situation): Change[] {
  const { name } = situation.node;
  return [
    {
      key: `nodeName ${name}`,
      place: "nodeName",
      cost: costs.changeNodeName,
      description: `change spec.nodeName of the pod from ${wanted} to ${name}`,
      touches: "pod",
      apply: (before) => ({ ...before, pod: { ...before.pod, nodeName: name } }),
    },
    {
      key: "drop nodeName",
      place: "nodeName",
      cost: costs.dropNodeName,
      description: `remove spec.nodeName ${wanted} from the pod`,
      touches: "pod",
      apply: (before) => ({ ...before, pod: { ...before.pod, nodeName: undefined } }),
    },
  ];
}

function withSelector(situation: Situation, key: string, value: string | undefined): Situation {
  const nodeSelector = new Map(situation.pod.nodeSelector);
  if (value === undefined) nodeSelector.delete(key);
  else nodeSelector.set(key, value);
  return { ...situation, pod: { ...situation.pod, nodeSelector } };
}

/** Expressions are found by what they say, because removing one moves those behind it. */
function withExpression(
  situation: Situation,
  { term, expression }: FailingExpression,
  replacement: Expression | undefined,
): Situation {
  const said = JSON.stringify(expression);
  const affinity = situation.pod.affinity?.map((other: Term, index) =>
    index !== term
      ? other
      : other.flatMap((item) => {
          if (JSON.stringify(item) !== said) return [item];
          return replacement === undefined ? [] : [replacement];
        }),
  );
  return { ...situation, pod: { ...situation.pod, affinity } };
}

function withLabel(situation: Situation, key: string, value: string | undefined): Situation {
  return { ...situation, node: withLabels(situation.node, key, value) };
}

function withLabels(node: Node, key: string, value: string | undefined): Node {
  const labels = new Map(node.labels);
  if (value === undefined) labels.delete(key);
  else labels.set(key, value);
  return { ...node, labels };
}
