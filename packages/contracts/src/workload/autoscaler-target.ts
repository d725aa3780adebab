/** Horizontal autoscalers as all versions of the API write them. */

import type { Subject } from "../model/finding.ts";
import { integerAt, isPresentAt, listAt, textAt } from "../kubernetes/fields.ts";
import { nameOf, type Source } from "../kubernetes/objects.ts";
import { unknownFields } from "../kubernetes/text-mark.ts";

/** A metric that the autoscaler looks at. */
export interface ScalingMetric {
  /** Resource, ContainerResource, Pods, Object or External. */
  readonly type: string;
  readonly name: string;
  /** The container, for a metric of one. */
  readonly container: string | undefined;
  /** Relative to the request of the pods, so that they must have one. */
  readonly isUtilization: boolean;
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

export interface Autoscaler {
  readonly source: Source;
  readonly subject: Subject;
  readonly namespace: string;
  readonly targetKind: string;
  readonly targetName: string;
  readonly min: number;
  readonly max: number | undefined;
  readonly metrics: readonly ScalingMetric[];
  readonly areMetricsKnown: boolean;
  readonly conditions: readonly Condition[];
  /** What a table or a description prints: `cpu: <unknown>/50%`. */
  readonly shownTargets: string | undefined;
  readonly hasStatus: boolean;
}

/** Reads an autoscaler. Without any metric it looks at the cpu, as the API fills in. */
export function readAutoscaler(source: Source): Autoscaler {
  const { object } = source;
  const areMetricsKnown = !unknownFields(object).includes("spec.metrics");
  return {
    source,
    subject: { kind: "horizontalpodautoscaler", name: nameOf(object) },
    namespace: object.metadata.namespace ?? "default",
    targetKind: textAt(object, "spec", "scaleTargetRef", "kind") ?? "",
    targetName: textAt(object, "spec", "scaleTargetRef", "name") ?? "",
    min: integerAt(object, "spec", "minReplicas") ?? 1,
    max: integerAt(object, "spec", "maxReplicas"),
    metrics: areMetricsKnown ? metricsOf(source) : [],
    areMetricsKnown,
    conditions: listAt(object, "status", "conditions").map((item) => ({
      type: textAt(item, "type") ?? "",
      status: textAt(item, "status") ?? "",
      reason: textAt(item, "reason") ?? "",
      message: textAt(item, "message") ?? "",
    })),
    shownTargets: textAt(object, "status", "shown", "targets"),
    hasStatus: isPresentAt(object, "status"),
  };
}

function metricsOf({ object }: Source): ScalingMetric[] {
  const percentage = integerAt(object, "spec", "targetCPUUtilizationPercentage");
  const metrics = listAt(object, "spec", "metrics").map(readMetric);
  if (metrics.length > 0) return metrics;
  // autoscaling/v1 names the cpu by a field of its own, and an empty list means 80 % of it.
  return percentage !== undefined || !isPresentAt(object, "spec", "metrics")
    ? [{ type: "Resource", name: "cpu", container: undefined, isUtilization: true }]
    : [];
}

function readMetric(item: unknown): ScalingMetric {
  const type = textAt(item, "type") ?? "";
  const field = type === "" ? "" : `${type[0]?.toLowerCase() ?? ""}${type.slice(1)}`;
  const name =
    textAt(item, field, "name") ??
    textAt(item, field, "metric", "name") ??
    textAt(item, field, "metricName") ??
    "";
  return {
    type,
    name,
    container: textAt(item, field, "container"),
    isUtilization:
      (type === "Resource" || type === "ContainerResource") &&
      (isPresentAt(item, field, "target", "averageUtilization") ||
        isPresentAt(item, field, "targetAverageUtilization")),
  };
}
