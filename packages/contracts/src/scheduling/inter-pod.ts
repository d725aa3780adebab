/** Anti-affinity of running pods against a pod that asks for a node. */

import { fieldsAt, listAt, textListAt, textsAt } from "../kubernetes/fields.ts";
import type { Pod } from "./pod.ts";
import { matchesTerm, readExpressions } from "../kubernetes/selector.ts";

/**
 * Constraints of running pods that concern a pod: a required anti-affinity keeps others away from the pod's
 * neighbourhood, whoever came first.
 */
export function repelledBy(pod: Pod, bound: readonly Pod[]): string[] {
  const repelling = bound.find((other) =>
    antiAffinityTerms(other).some((term) => concerns(term, other, pod)),
  );
  return repelling === undefined
    ? []
    : [`the anti-affinity of the running pod ${repelling.namespace}/${repelling.name}`];
}

function antiAffinityTerms(pod: Pod): readonly unknown[] {
  return listAt(
    pod.source.object,
    "spec",
    "affinity",
    "podAntiAffinity",
    "requiredDuringSchedulingIgnoredDuringExecution",
  );
}

function concerns(term: unknown, owner: Pod, pod: Pod): boolean {
  const namespaces = textListAt(term, "namespaces");
  const isElsewhere = Object.hasOwn(fieldsAt(term), "namespaceSelector");
  const named = namespaces.length === 0 ? [owner.namespace] : namespaces;
  if (!isElsewhere && !named.includes(pod.namespace)) return false;
  const selector = fieldsAt(term, "labelSelector");
  for (const [key, value] of textsAt(selector, "matchLabels")) {
    if (pod.labels.get(key) !== value) return false;
  }
  const expressions = readExpressions(listAt(selector, "matchExpressions"), "label");
  return expressions.length === 0 || matchesTerm(expressions, pod);
}
