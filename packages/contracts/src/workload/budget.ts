/** Disruption budgets, and how many pods they let go. */

import type { Subject } from "../model/finding.ts";
import { fieldsAt, integerAt, isPresentAt, textAt } from "../kubernetes/fields.ts";
import type { LabelSelector } from "../kubernetes/label-selector.ts";
import { nameOf, type Source } from "../kubernetes/objects.ts";
import { readLabelSelector } from "../kubernetes/selector.ts";
import { unknownFields } from "../kubernetes/text-mark.ts";

export interface Budget {
  readonly source: Source;
  readonly subject: Subject;
  readonly namespace: string;
  readonly selector: LabelSelector | undefined;
  readonly isSelectorKnown: boolean;
  readonly minAvailable: string | undefined;
  readonly maxUnavailable: string | undefined;
  /** What the controller counted; nothing for a manifest. */
  readonly disruptionsAllowed: number | undefined;
  readonly currentHealthy: number | undefined;
  readonly desiredHealthy: number | undefined;
  readonly expectedPods: number | undefined;
}

/** Reads a budget. */
export function readBudget(source: Source): Budget {
  const { object } = source;
  const status = fieldsAt(object, "status");
  return {
    source,
    subject: { kind: "poddisruptionbudget", name: nameOf(object) },
    namespace: object.metadata.namespace ?? "default",
    selector: isPresentAt(object, "spec", "selector")
      ? readLabelSelector(fieldsAt(object, "spec", "selector"))
      : undefined,
    isSelectorKnown: !unknownFields(object).includes("spec.selector"),
    minAvailable: textAt(object, "spec", "minAvailable"),
    maxUnavailable: textAt(object, "spec", "maxUnavailable"),
    disruptionsAllowed: integerAt(status, "disruptionsAllowed"),
    currentHealthy: integerAt(status, "currentHealthy"),
    desiredHealthy: integerAt(status, "desiredHealthy"),
    expectedPods: integerAt(status, "expectedPods"),
  };
}

/** How many of so many pods, all of them healthy, may be evicted; nothing where the bound cannot be read. */
export function allowedDisruptions(budget: Budget, podCount: number): number | undefined {
  const { minAvailable, maxUnavailable } = budget;
  if (maxUnavailable !== undefined) {
    const most = amountOf(maxUnavailable, podCount);
    return most === undefined ? undefined : Math.min(most, podCount);
  }
  if (minAvailable === undefined) return undefined;
  const least = amountOf(minAvailable, podCount);
  return least === undefined ? undefined : Math.max(0, podCount - least);
}

/** A count, or a share of the pods, which the controller rounds up in both fields. */
function amountOf(text: string, podCount: number): number | undefined {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  const share = /^(\d{1,3})%$/.exec(text)?.[1];
  return share === undefined ? undefined : Math.ceil((Number(share) * podCount) / 100);
}

/** The bound as it stands in the object: `minAvailable: 2`. */
export function describeBound({ minAvailable, maxUnavailable }: Budget): string {
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    return `minAvailable: ${minAvailable}, maxUnavailable: ${maxUnavailable}`;
  }
  if (minAvailable !== undefined) return `minAvailable: ${minAvailable}`;
  return maxUnavailable === undefined ? "no bound" : `maxUnavailable: ${maxUnavailable}`;
}
