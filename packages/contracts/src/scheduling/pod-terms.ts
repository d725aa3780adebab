/** What a pod asks about other pods: topology spread constraints, affinity and anti-affinity terms. */

import type { Fields } from "../model/fields.ts";
import {
  fieldsAt,
  integerAt,
  isPresentAt,
  listAt,
  textAt,
  textListAt,
} from "../kubernetes/fields.ts";
import { type Expression, readLabelSelector } from "../kubernetes/selector.ts";

/** A topology spread constraint that is enforced. */
export interface SpreadConstraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  /** Which pods of the pod's own namespace are counted; `undefined` counts none. */
  readonly selector: readonly Expression[] | undefined;
  /** Whether only nodes count that the pod's node selector and affinity allow. */
  readonly honorsAffinity: boolean;
  /** Whether only nodes count whose taints the pod tolerates. */
  readonly honorsTaints: boolean;
}

/** A required term of pod affinity or anti-affinity. */
export interface PodTerm {
  readonly topologyKey: string;
  /** Which pods are meant; `undefined` means none. */
  readonly selector: readonly Expression[] | undefined;
  /** Namespaces by name. */
  readonly namespaces: readonly string[];
  /** Namespaces by their labels, besides those by name; `undefined` means none, an empty list all. */
  readonly namespaceSelector: readonly Expression[] | undefined;
}

/** The topology spread constraints that keep a pod from nodes; preferences are left out. */
export function readSpread(
  spec: Fields,
  labels: ReadonlyMap<string, string>,
): readonly SpreadConstraint[] {
  return listAt(spec, "topologySpreadConstraints")
    .filter((item) => textAt(item, "whenUnsatisfiable") !== "ScheduleAnyway")
    .map((item) => ({
      topologyKey: textAt(item, "topologyKey") ?? "",
      maxSkew: integerAt(item, "maxSkew") ?? 1,
      minDomains: integerAt(item, "minDomains") ?? 1,
      selector: withKeys(item, labels),
      honorsAffinity: textAt(item, "nodeAffinityPolicy") !== "Ignore",
      honorsTaints: textAt(item, "nodeTaintsPolicy") === "Honor",
    }));
}

/** The required terms of `podAffinity` or `podAntiAffinity`. */
export function readPodTerms(
  spec: Fields,
  kind: "podAffinity" | "podAntiAffinity",
  pod: { readonly namespace: string; readonly labels: ReadonlyMap<string, string> },
): readonly PodTerm[] {
  const required = "requiredDuringSchedulingIgnoredDuringExecution";
  return listAt(spec, "affinity", kind, required).map((item) => {
    const named = textListAt(item, "namespaces");
    const hasSelector = isPresentAt(item, "namespaceSelector");
    return {
      topologyKey: textAt(item, "topologyKey") ?? "",
      selector: withKeys(item, pod.labels),
      // Terms that say nothing about namespaces mean the pod's own.
      namespaces: named.length === 0 && !hasSelector ? [pod.namespace] : [...new Set(named)],
      namespaceSelector: hasSelector
        ? readLabelSelector(fieldsAt(item, "namespaceSelector"))
        : undefined,
    };
  });
}

/** The selector with the pod's own values of `matchLabelKeys` and without those of `mismatchLabelKeys`. */
function withKeys(
  item: unknown,
  labels: ReadonlyMap<string, string>,
): readonly Expression[] | undefined {
  const selector = readLabelSelector(fieldsAt(item)["labelSelector"]);
  const own = (key: string, operator: "In" | "NotIn"): Expression[] => {
    const value = labels.get(key);
    return value === undefined ? [] : [{ on: "label", key, operator, values: [value] }];
  };
  const added = [
    ...textListAt(item, "matchLabelKeys").flatMap((key) => own(key, "In")),
    ...textListAt(item, "mismatchLabelKeys").flatMap((key) => own(key, "NotIn")),
  ];
  // The API server writes the keys into the selector as well, where they are found again.
  return selector === undefined && added.length === 0 ? undefined : [...(selector ?? []), ...added];
}

/** A label selector as a person would write it. */
export function describeSelector(selector: readonly Expression[] | undefined): string {
  if (selector === undefined) return "that no selector names";
  if (selector.length === 0) return "of any labels";
  return selector
    .map(({ key, operator, values }) => {
      const [first = ""] = values;
      if (operator === "In" && values.length === 1) return `${key}=${first}`;
      return `${key} ${operator}${values.length === 0 ? "" : ` [${values.join(", ")}]`}`;
    })
    .join(",");
}
