/** Refuses nodes with a taint that repels pods and that the pod does not tolerate. */

import type { Node, Taint } from "../node.ts";
import type { Pod, Toleration } from "../pod.ts";
import { type Filter, nothing } from "./filter.ts";

export const taintToleration: Filter = {
  plugin: "TaintToleration",
  judge({ pod, node }) {
    if (node.taints.length === 0) return nothing;
    return node.taints
      .filter((taint) => repels(taint) && !isTolerated(taint, pod.tolerations))
      .map((taint) => ({ kind: "taint", taint }));
  },
  unknown({ pod, node }) {
    if (!node.unknown.has("taints") || toleratesAll(pod.tolerations)) return nothing;
    return [`the taints of node ${node.name}`];
  },
};

/** The first taint that keeps a pod from a node. */
export function repellingTaint({ tolerations }: Pod, { taints }: Node): Taint | undefined {
  return taints.find((taint) => repels(taint) && !isTolerated(taint, tolerations));
}

/** PreferNoSchedule only makes a node less liked. */
function repels(taint: Taint): boolean {
  return taint.effect === "NoSchedule" || taint.effect === "NoExecute";
}

/** Whether one of the tolerations covers a taint. */
export function isTolerated(taint: Taint, tolerations: readonly Toleration[]): boolean {
  return tolerations.some((toleration) => tolerates(toleration, taint));
}

function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect !== "" && toleration.effect !== taint.effect) return false;
  // An empty key matches all keys, and the API allows it with Exists alone.
  if (toleration.key === "") return toleration.operator === "Exists";
  if (toleration.key !== taint.key) return false;
  switch (toleration.operator) {
    case "Exists":
      return true;
    case "Equal":
      return toleration.value === taint.value;
    case "Gt":
    case "Lt":
      return compares(toleration, taint);
    default:
      return false;
  }
}

/** Gt and Lt compare the taint's value with the toleration's as whole numbers. */
function compares(toleration: Toleration, taint: Taint): boolean {
  if (![toleration.value, taint.value].every((text) => /^-?\d{1,18}$/.test(text))) return false;
  const [wanted, actual] = [BigInt(toleration.value), BigInt(taint.value)];
  return toleration.operator === "Gt" ? actual > wanted : actual < wanted;
}

function toleratesAll(tolerations: readonly Toleration[]): boolean {
  return tolerations.some(
    ({ key, operator, effect }) => key === "" && operator === "Exists" && effect === "",
  );
}
