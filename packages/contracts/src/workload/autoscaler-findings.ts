/** Judges one horizontal autoscaler. */

import type { EvidenceReference } from "../model/evidence.ts";
import type { CauseKind } from "../model/finding.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { integerAt, isPresentAt, isTrueAt, listAt, textAt } from "../kubernetes/fields.ts";
import { eventsInOrder } from "../kubernetes/event-order.ts";
import { type Objects, referenceTo, type Source } from "../kubernetes/objects.ts";
import { unknownFields } from "../kubernetes/text-mark.ts";
import { nearestName } from "../text/nearest-name.ts";
import type { Autoscaler, ScalingMetric } from "./autoscaler-target.ts";

interface Surroundings {
  readonly autoscalers: readonly Autoscaler[];
  readonly objects: Objects;
}

interface Fault {
  readonly what: string;
  readonly causeKind?: CauseKind;
  readonly fixes?: readonly string[];
  readonly evidence?: readonly EvidenceReference[];
  readonly nextChecks?: readonly string[];
}

/** What no autoscaler can be blamed for or praised with, as nothing was measured. */
const loadIsUnknown =
  "the load of the pods: a metric that cannot be read says nothing about it, neither that there is none";

/** The finding about an autoscaler. */
export function judgeAutoscaler(item: Autoscaler, around: Surroundings): FindingParts {
  const target = targetOf(item, around.objects);
  const faults = [
    ...boundFaults(item),
    ...rivalFaults(item, around.autoscalers),
    ...targetFaults(item, target, around.objects),
    ...(target === undefined ? [] : requestFaults(item, target)),
    ...recordedFaults(item, around.objects),
  ];
  const [first] = faults;
  if (first !== undefined) return violatedFinding(item, faults);
  return (
    alternativeFinding(item, around.autoscalers) ??
    inconclusiveFinding(item, target) ??
    holdsFinding(item, target)
  );
}

function alternativeFinding(
  item: Autoscaler,
  all: readonly Autoscaler[],
): FindingParts | undefined {
  const rivals = rivalsOf(item, all);
  if (rivals.length === 0) return undefined;
  const names = rivals.map((rival) => rival.subject.name).join(", ");
  return {
    verdict: "inconclusive",
    subject: item.subject,
    title: `Autoscaler ${item.subject.name} and ${names} scale the same ${item.targetKind} ${item.targetName}: applied together, each undoes what the other did.`,
    actual: "Manifests of several autoscalers name one target.",
    evidence: [item, ...rivals].map((one) => referenceTo(one.source, targetWords(one))),
    missing: ["whether they are applied together or are alternatives"],
    fixes: [{ description: "Keep one autoscaler and give it the metrics of all." }],
  };
}

function boundFaults({ min, max, subject, source }: Autoscaler): Fault[] {
  const isKnown = !unknownFields(source.object).includes("spec.maxReplicas");
  if (max === undefined) {
    return isKnown &&
      isPresentAt(source.object, "spec") &&
      source.object["faultlineText"] === undefined
      ? [{ what: "it has no maxReplicas, which the API demands" }]
      : [];
  }
  if (min <= max) return [];
  return [
    {
      what: `minReplicas ${min} is above maxReplicas ${max}`,
      fixes: [`Set spec.maxReplicas of ${subject.name} from ${max} to at least ${min}.`],
    },
  ];
}

function rivalsOf(item: Autoscaler, all: readonly Autoscaler[]): Autoscaler[] {
  return all.filter(
    (other) =>
      other !== item &&
      item.targetName !== "" &&
      other.namespace === item.namespace &&
      other.targetKind === item.targetKind &&
      other.targetName === item.targetName,
  );
}

/** Two autoscalers on one target undo what the other did. Among manifests they may be alternatives. */
function rivalFaults(item: Autoscaler, all: readonly Autoscaler[]): Fault[] {
  const rivals = rivalsOf(item, all).filter((other) => item.hasStatus && other.hasStatus);
  if (rivals.length === 0) return [];
  const names = rivals.map((rival) => rival.subject.name).join(", ");
  return [
    {
      what: `${names} scales ${item.targetKind} ${item.targetName}, too`,
      fixes: [`Keep one autoscaler and give it the metrics of all: delete ${names}.`],
      evidence: rivals.map((rival) => referenceTo(rival.source, targetWords(rival))),
    },
  ];
}

function targetWords({ targetKind, targetName }: Autoscaler): string {
  return `scaleTargetRef: ${targetKind}/${targetName}`;
}

function targetOf(item: Autoscaler, objects: Objects): Source | undefined {
  return objects.get(item.targetKind, item.namespace, item.targetName);
}

function targetFaults(item: Autoscaler, target: Source | undefined, objects: Objects): Fault[] {
  const { targetKind, targetName, namespace, subject } = item;
  if (target !== undefined) {
    if (targetKind !== "DaemonSet" && targetKind !== "Pod" && targetKind !== "Job") return [];
    return [{ what: `its target is a ${targetKind}, which cannot be scaled` }];
  }
  const inNamespace = objects
    .of(targetKind)
    .filter(({ object }) => (object.metadata.namespace ?? "default") === namespace)
    .map(({ object }) => object.metadata.name);
  const elsewhere = objects
    .of(targetKind)
    .find(({ object }) => object.metadata.name === targetName);
  const otherKind = ["Deployment", "StatefulSet", "ReplicaSet"].find(
    (kind) => kind !== targetKind && objects.get(kind, namespace, targetName) !== undefined,
  );
  const near = nearestName(targetName, inNamespace);
  // A live autoscaler reports by its conditions when its target is gone; the evidence may hold only some targets.
  if (item.hasStatus && near === undefined) return [];
  if (otherKind !== undefined) {
    return [
      {
        what: `its target ${targetKind} ${targetName} does not exist; ${targetName} is a ${otherKind}`,
        fixes: [
          `Set spec.scaleTargetRef.kind of ${subject.name} from ${targetKind} to ${otherKind}.`,
        ],
      },
    ];
  }
  if (inNamespace.length > 0) {
    const [first] = near === undefined && inNamespace.length > 1 ? [] : [near ?? inNamespace[0]];
    return [
      {
        what: `its target ${targetKind} ${targetName} does not exist in ${namespace}`,
        fixes:
          first === undefined
            ? []
            : [`Set spec.scaleTargetRef.name of ${subject.name} from ${targetName} to ${first}.`],
      },
    ];
  }
  if (elsewhere === undefined || elsewhere.object.metadata.namespace === undefined) return [];
  if (item.source.object.metadata.namespace === undefined) return [];
  const other = elsewhere.object.metadata.namespace;
  return [
    {
      what: `its target ${targetKind} ${targetName} lies in the namespace ${other}, not in ${namespace}`,
      fixes: [`Set metadata.namespace of ${subject.name} from ${namespace} to ${other}.`],
    },
  ];
}

/** A share of the request cannot be computed for a pod of which a container has no request. */
function requestFaults(item: Autoscaler, target: Source): Fault[] {
  const { object } = target;
  const unknown = unknownFields(object);
  if (
    unknown.some(
      (field) =>
        field === "spec" || field.startsWith("spec.template.spec") || field === "spec.template",
    )
  ) {
    return [];
  }
  const containers = listAt(object, "spec", "template", "spec", "containers");
  return item.metrics
    .filter((metric) => metric.isUtilization)
    .flatMap((metric): Fault[] => {
      const lacking = containers
        .filter((container) => isMeasured(metric, container) && !hasRequest(container, metric.name))
        .map((container) => textAt(container, "name") ?? "");
      const [first] = lacking;
      if (first === undefined) return [];
      return [
        {
          what: `it scales by the share of the ${metric.name} request, and container ${lacking.join(", ")} of ${item.targetKind} ${item.targetName} requests no ${metric.name}`,
          fixes: lacking.map(
            (name) =>
              `Set resources.requests.${metric.name} of container ${name} in ${item.targetKind} ${item.targetName}.`,
          ),
          evidence: [
            referenceTo(
              target,
              `containers without resources.requests.${metric.name}: ${lacking.join(", ")}`,
            ),
          ],
        },
      ];
    });
}

function isMeasured(metric: ScalingMetric, container: unknown): boolean {
  return metric.container === undefined || textAt(container, "name") === metric.container;
}

/** A limit stands for the request that is not there. */
function hasRequest(container: unknown, resource: string): boolean {
  return ["requests", "limits"].some((kind) => isPresentAt(container, "resources", kind, resource));
}

const failedReasons =
  /^(?:FailedGet\w*|FailedComputeMetricsReplicas|FailedGetScale|FailedUpdateScale|FailedRescale|InvalidMetricSourceType|InvalidSelector|AmbiguousSelector|SelectorRequired)$/;

/** What the autoscaler itself says: conditions that are False, and warnings. */
function recordedFaults(item: Autoscaler, objects: Objects): Fault[] {
  const conditions = item.conditions.filter(
    ({ type, status, reason }) =>
      status === "False" &&
      /^(?:ScalingActive|AbleToScale)$/.test(type) &&
      failedReasons.test(reason),
  );
  const isActive = item.conditions.some(
    ({ type, status }) => type === "ScalingActive" && status === "True",
  );
  const warnings = isActive ? [] : warningsOf(item, objects);
  const texts = [
    ...conditions.map(({ reason, message }) => ({
      reason,
      message,
      reference: referenceTo(item.source, `${reason}: ${message}`),
    })),
    ...warnings,
  ];
  const [first] = texts;
  if (first === undefined) return [];
  return [
    {
      what: `it reports ${first.reason}: ${first.message || "no reason given"}`,
      causeKind: causeOf(first.message),
      evidence: texts.map(({ reference }) => reference),
      fixes: fixesFor(first.message, item),
      nextChecks: nextChecksFor(first.message),
    },
  ];
}

function warningsOf(
  item: Autoscaler,
  objects: Objects,
): { reason: string; message: string; reference: EvidenceReference }[] {
  return eventsInOrder(objects).flatMap((event) => {
    const { object } = event;
    const reason = textAt(object, "reason") ?? "";
    const isAbout =
      /^(?:HorizontalPodAutoscaler|hpa)$/i.test(textAt(object, "involvedObject", "kind") ?? "") &&
      `${textAt(object, "involvedObject", "namespace") ?? object.metadata.namespace ?? "default"}/${textAt(object, "involvedObject", "name") ?? ""}` ===
        item.subject.name;
    if (!isAbout || !failedReasons.test(reason)) return [];
    const message = textAt(object, "message") ?? "";
    return [{ reason, message, reference: referenceTo(event, `${reason}: ${message}`) }];
  });
}

function causeOf(message: string): CauseKind {
  return /missing request for/.test(message) ? "configuration" : "dependency";
}

function fixesFor(message: string, item: Autoscaler): string[] {
  const [, resource, container] =
    /missing request for (\w+)(?: in container (\S+))?/.exec(message) ?? [];
  if (resource !== undefined) {
    return [
      `Set resources.requests.${resource} of ${container === undefined ? "every container" : `container ${container}`} in ${item.targetKind} ${item.targetName}.`,
    ];
  }
  if (isServerAbsent(message)) {
    return ["Install metrics-server, or repair its APIService v1beta1.metrics.k8s.io."];
  }
  return [];
}

function isServerAbsent(message: string): boolean {
  return /could not find the requested resource|no metrics returned from resource metrics API|unable to fetch metrics from resource metrics API|the server is currently unable to handle the request/.test(
    message,
  );
}

function nextChecksFor(message: string): string[] {
  return isServerAbsent(message)
    ? [
        "kubectl get apiservice v1beta1.metrics.k8s.io",
        "kubectl get pods -n kube-system -l k8s-app=metrics-server",
      ]
    : ["kubectl top pods"];
}

function violatedFinding(item: Autoscaler, faults: readonly Fault[]): FindingParts {
  const [first] = faults;
  return {
    ...about(item),
    verdict: "violated",
    title: `Autoscaler ${item.subject.name} cannot do its work: ${first?.what ?? ""}.`,
    actual: `${faults.map((fault) => fault.what).join("; ")}.`,
    causeKind: first?.causeKind ?? "configuration",
    evidence: [...(about(item).evidence ?? []), ...faults.flatMap((fault) => fault.evidence ?? [])],
    fixes: [...new Set(faults.flatMap((fault) => fault.fixes ?? []))].map((description) => ({
      description,
    })),
    nextChecks: [
      ...faults.flatMap((fault) => fault.nextChecks ?? []),
      `kubectl describe hpa -n ${item.namespace} ${item.subject.name.split("/")[1] ?? ""}`,
    ],
  };
}

function inconclusiveFinding(
  item: Autoscaler,
  target: Source | undefined,
): FindingParts | undefined {
  const server = {
    nextChecks: ["kubectl get apiservice v1beta1.metrics.k8s.io", "kubectl top pods"],
  };
  if (item.shownTargets?.includes("<unknown>") === true) {
    return {
      ...about(item),
      ...server,
      verdict: "inconclusive",
      title: `Autoscaler ${item.subject.name} reads no value of its metric (${item.shownTargets}), and why is not in the evidence.`,
      actual: `TARGETS: ${item.shownTargets}.`,
      missing: [
        "the conditions and events of the autoscaler: in its first minute this is usual, later it is a fault",
        loadIsUnknown,
      ],
    };
  }
  if (target !== undefined) return undefined;
  return {
    ...about(item),
    verdict: "inconclusive",
    title: `Whether Autoscaler ${item.subject.name} can scale ${item.targetKind} ${item.targetName} is not known: the target is not in the evidence.`,
    actual: targetWords(item),
    missing: [`${item.targetKind} ${item.namespace}/${item.targetName}`],
    nextChecks: [
      `kubectl get ${item.targetKind.toLowerCase()} -n ${item.namespace} ${item.targetName} -o yaml`,
    ],
  };
}

function holdsFinding(item: Autoscaler, target: Source | undefined): FindingParts {
  const isLimited = item.conditions.some(
    ({ type, status, reason }) =>
      type === "ScalingLimited" && status === "True" && reason === "TooManyReplicas",
  );
  const current = integerAt(item.source.object, "status", "currentReplicas");
  const isPaused = target !== undefined && isTrueAt(target.object, "spec", "paused");
  return {
    ...about(item),
    verdict: "holds",
    title: `Autoscaler ${item.subject.name} can scale ${item.targetKind} ${item.targetName} between ${item.min} and ${item.max ?? "?"}.`,
    actual: `${targetWords(item)}${current === undefined ? "" : `, ${current} replicas now`}${isLimited ? "; it wants more than maxReplicas allows" : ""}${isPaused ? "; the target is paused" : ""}.`,
    nextChecks: isLimited
      ? [`Whether maxReplicas ${item.max ?? ""} is enough: the autoscaler is at it.`]
      : [],
  };
}

function about(item: Autoscaler): Pick<FindingParts, "subject" | "measures" | "evidence"> {
  return {
    subject: item.subject,
    measures: {
      minReplicaCount: item.min,
      maxReplicaCount: item.max,
      currentReplicaCount: integerAt(item.source.object, "status", "currentReplicas"),
    },
    evidence: [
      referenceTo(
        item.source,
        item.shownTargets === undefined
          ? targetWords(item)
          : `${targetWords(item)}, targets: ${item.shownTargets}`,
      ),
    ],
  };
}
