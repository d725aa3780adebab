/** Judges one disruption budget. */

import type { EvidenceReference } from "../model/evidence.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { textAt } from "../kubernetes/fields.ts";
import { describeLabels, describeSelector, matchesLabels } from "../kubernetes/label-selector.ts";
import { eventsInOrder } from "../kubernetes/event-order.ts";
import { type Objects, referenceTo } from "../kubernetes/objects.ts";
import { possibleMakers } from "../kubernetes/pod-makers.ts";
import { type KnownPod, replicasOf } from "../kubernetes/pods.ts";
import { plural } from "../text/plural.ts";
import { readAutoscaler } from "./autoscaler-target.ts";
import { allowedDisruptions, type Budget, describeBound } from "./budget.ts";

const podsQuotedMax = 10;

interface Surroundings {
  /** The budgets and the pods of the namespace. */
  readonly budgets: readonly Budget[];
  readonly pods: readonly KnownPod[];
  readonly objects: Objects;
}

/** A budget with the pods that it guards. */
interface Case extends Surroundings {
  readonly budget: Budget;
  readonly guarded: readonly KnownPod[];
  /** How many pods that makes, with the replicas of workloads; nothing where it is not known. */
  readonly podCount: number | undefined;
}

/** The finding about a budget. */
export function judgeBudget(budget: Budget, around: Surroundings): FindingParts {
  const guarded = around.pods.filter((pod) => isGuarded(budget, pod));
  const counts = guarded.map((pod) => countOf(pod, around.objects));
  const podCount = counts.some((count) => count === undefined)
    ? undefined
    : counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  const item: Case = { ...around, budget, guarded, podCount };
  return (
    boundsFinding(item) ??
    sharedFinding(item) ??
    emptyFinding(item) ??
    blockedFinding(item) ??
    plannedFinding(item)
  );
}

/** What an autoscaler drives has at least its minimum, whatever the manifest of the workload says. */
function countOf(pod: KnownPod, objects: Objects): number | undefined {
  const stated = replicasOf(pod);
  if (!pod.isTemplate || stated === undefined) return stated;
  const least = objects
    .of("HorizontalPodAutoscaler")
    .map(readAutoscaler)
    .find(
      (item) =>
        item.namespace === pod.namespace &&
        `${item.targetKind}/${item.targetName}` === pod.workload,
    )?.min;
  return Math.max(stated, least ?? 0);
}

/** Pods that are over cannot be disrupted. */
function isGuarded({ selector, isSelectorKnown }: Budget, pod: KnownPod): boolean {
  if (!isSelectorKnown || selector === undefined || pod.labels === undefined) return false;
  return pod.state.kind !== "over" && matchesLabels(selector, pod.labels);
}

function boundsFinding(item: Case): FindingParts | undefined {
  const { budget } = item;
  const { minAvailable, maxUnavailable } = budget;
  const isText = budget.source.object["faultlineText"] !== undefined;
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    return violated(item, {
      what: "it sets both minAvailable and maxUnavailable, of which the API takes one",
      fixes: [`Drop spec.minAvailable of ${budget.subject.name} and keep maxUnavailable.`],
    });
  }
  if (minAvailable === undefined && maxUnavailable === undefined && !isText) {
    return violated(item, {
      what: "it sets neither minAvailable nor maxUnavailable and guards nothing",
      fixes: [`Set spec.maxUnavailable of ${budget.subject.name} to 1.`],
    });
  }
  return undefined;
}

/** The eviction API refuses a pod that several budgets select. */
function sharedFinding(item: Case): FindingParts | undefined {
  const { budget, guarded, budgets } = item;
  for (const pod of guarded) {
    const others = budgets.filter((other) => other !== budget && isGuarded(other, pod));
    const [other] = others;
    if (other === undefined) continue;
    return violated(item, {
      what: `${other.subject.name} selects ${pod.subject.kind} ${pod.subject.name}, too; a pod with several budgets cannot be evicted`,
      fixes: [
        `Narrow spec.selector of ${budget.subject.name} or of ${other.subject.name} so that each pod has one budget.`,
      ],
      evidence: [referenceTo(other.source, selectorWords(other)), quotePod(pod)],
    });
  }
  return undefined;
}

function emptyFinding(item: Case): FindingParts | undefined {
  const { budget, guarded, pods } = item;
  if (!budget.isSelectorKnown || guarded.length > 0) return undefined;
  const labelled = pods.filter((pod) => pod.labels !== undefined && pod.state.kind !== "over");
  const selector = selectorWords(budget);
  if (budget.selector === undefined) {
    return violated(item, {
      what: "it has no selector and guards no pod",
      fixes: [`Set spec.selector of ${budget.subject.name} to the labels of the pods.`],
    });
  }
  if (budget.expectedPods === 0) {
    return violated(item, { what: `it selects no pod (${selector}, expectedPods: 0)` });
  }
  if (labelled.length === 0 || labelled.length < pods.length || budget.expectedPods !== undefined) {
    return undefined;
  }
  // An operator may make the pods that the budget guards.
  if (possibleMakers(budget.namespace, item.objects).length > 0) return undefined;
  return violated(item, {
    what: `its selector ${selector} fits none of ${plural(labelled.length, "pod")} or workloads of ${budget.namespace}`,
    evidence: labelled.slice(0, podsQuotedMax).map(quotePod),
  });
}

/** What the controller counted, and what was refused because of it. */
function blockedFinding(item: Case): FindingParts | undefined {
  const { budget } = item;
  if (budget.disruptionsAllowed === undefined) return undefined;
  if (budget.disruptionsAllowed > 0) {
    return holds(
      item,
      `${plural(budget.disruptionsAllowed, "pod")} may be evicted now`,
      budget.disruptionsAllowed,
    );
  }
  const total = budget.expectedPods ?? item.podCount;
  const atBest = total === undefined ? undefined : allowedDisruptions(budget, total);
  const healthy = `${budget.currentHealthy ?? "?"} of ${budget.desiredHealthy ?? "?"} pods that it asks for are healthy`;
  if (atBest === 0 && total !== 0) return deadlock(item, total ?? 0);
  const blocked = evictionsRefused(item);
  const ill =
    budget.currentHealthy !== undefined &&
    budget.desiredHealthy !== undefined &&
    budget.currentHealthy < budget.desiredHealthy;
  if (ill || blocked.length > 0) {
    return violated(item, {
      what: `it allows no eviction now: ${healthy}`,
      causeKind: "dependency",
      evidence: blocked,
      nextChecks: [
        `kubectl get pods -n ${budget.namespace} -l ${selectorWords(budget)}: why not all are ready`,
      ],
    });
  }
  return {
    ...about(item),
    verdict: "inconclusive",
    title: `Budget ${budget.subject.name} allows no eviction now (${describeBound(budget)}); whether it ever does is not known.`,
    actual: `disruptionsAllowed: 0, ${healthy}.`,
    missing: ["how many pods it guards: its status and its pods"],
    nextChecks: [`kubectl get pdb -n ${budget.namespace} -o yaml`],
  };
}

/** A manifest, or a budget without a status: what it would allow when every pod is healthy. */
function plannedFinding(item: Case): FindingParts {
  const { budget, podCount, guarded } = item;
  // These bounds leave no pod to evict, however many there are.
  if (
    budget.maxUnavailable === "0" ||
    budget.maxUnavailable === "0%" ||
    budget.minAvailable === "100%"
  ) {
    return deadlock(item, podCount ?? guarded.length);
  }
  if (podCount === undefined || guarded.length === 0) {
    return {
      ...about(item),
      verdict: "inconclusive",
      title: `Whether Budget ${budget.subject.name} lets a pod be evicted is not known: how many it guards is not in the evidence.`,
      actual: `${describeBound(budget)}, ${selectorWords(budget)}.`,
      missing: [`the workloads or pods of ${budget.namespace} that the budget selects`],
      nextChecks: [`kubectl get pdb,pods -n ${budget.namespace} -o yaml`],
    };
  }
  if (podCount === 0) {
    return {
      ...about(item),
      verdict: "inconclusive",
      title: `Budget ${budget.subject.name} guards a workload that is scaled to no pods.`,
      actual: `${describeBound(budget)}, 0 pods.`,
      missing: ["how many pods are meant to run"],
    };
  }
  const allowed = allowedDisruptions(budget, podCount);
  if (allowed === undefined) {
    return violated(item, {
      what: `its bound ${describeBound(budget)} is neither a count nor a share`,
    });
  }
  if (allowed === 0 && isByHand(item) && budget.minAvailable === String(podCount)) {
    return {
      ...about(item),
      verdict: "inconclusive",
      title: `Budget ${budget.subject.name} asks for as many pods as the evidence shows (${podCount}), all made by hand: whether there are more is not known.`,
      actual: `${describeBound(budget)}, ${plural(podCount, "pod")}.`,
      missing: ["all pods that the budget selects; with these alone none can be evicted"],
    };
  }
  if (allowed === 0) return deadlock(item, podCount);
  return holds(item, `${allowed} of ${plural(podCount, "pod")} may be evicted`, allowed);
}

/** Pods without a workload have no replicas that say how many there will be. */
function isByHand({ guarded }: Case): boolean {
  return guarded.every((pod) => pod.workload.startsWith("Pod/") && pod.state.kind === "planned");
}

function deadlock(item: Case, podCount: number): FindingParts {
  const { budget, guarded } = item;
  const name = budget.subject.name;
  const least = Number(budget.minAvailable ?? "");
  const isShare = budget.minAvailable?.endsWith("%") === true;
  const enough = podCount >= 2 ? podCount - 1 : undefined;
  const workload = guarded.find((pod) => !pod.workload.startsWith("Pod/"))?.workload;
  const bound = budget.minAvailable === undefined ? "maxUnavailable" : "minAvailable";
  const lowered = bound === "maxUnavailable" ? "1" : isShare ? "50%" : String(enough ?? 0);
  return violated(item, {
    what: `${describeBound(budget)} leaves none of ${plural(podCount, "pod")} to evict, so that a node which runs one can never be drained`,
    evidence: evictionsRefused(item),
    fixes: [
      ...(enough === undefined && bound === "minAvailable"
        ? []
        : [`Set spec.${bound} of ${name} from ${budget[bound] ?? ""} to ${lowered}.`]),
      ...(workload !== undefined && bound === "minAvailable" && !isShare && Number.isFinite(least)
        ? [`Raise spec.replicas of ${workload} from ${podCount} to ${least + 1}.`]
        : []),
      ...(bound === "minAvailable" && !isShare
        ? [`Or replace spec.minAvailable of ${name} by maxUnavailable: 1.`]
        : []),
    ],
    verified: true,
  });
}

function evictionsRefused({ objects, guarded }: Case): EvidenceReference[] {
  const names = new Set(guarded.map((pod) => pod.subject.name));
  return eventsInOrder(objects).flatMap((event) => {
    const message = textAt(event.object, "message") ?? "";
    if (!/violate the pod's disruption budget|disruption budget .* needs/.test(message)) return [];
    const namespace = textAt(event.object, "involvedObject", "namespace") ?? "default";
    const name = `${namespace}/${textAt(event.object, "involvedObject", "name") ?? ""}`;
    const isNamed = guarded.some((pod) => message.includes(pod.source.object.metadata.name));
    return names.has(name) || isNamed ? [referenceTo(event, message)] : [];
  });
}

interface Violation {
  readonly what: string;
  readonly fixes?: readonly string[];
  readonly verified?: boolean;
  readonly causeKind?: FindingParts["causeKind"];
  readonly evidence?: readonly EvidenceReference[];
  readonly nextChecks?: readonly string[];
}

function violated(item: Case, violation: Violation): FindingParts {
  const { budget } = item;
  return {
    ...about(item),
    verdict: "violated",
    title: `Budget ${budget.subject.name}: ${violation.what}.`,
    actual: `${describeBound(budget)}, ${selectorWords(budget)}: ${violation.what}.`,
    causeKind: violation.causeKind ?? "configuration",
    evidence: [...(about(item).evidence ?? []), ...(violation.evidence ?? [])],
    fixes: (violation.fixes ?? []).map((description) => ({
      description,
      verified: violation.verified ?? false,
    })),
    nextChecks: violation.nextChecks ?? [`kubectl describe pdb -n ${budget.namespace}`],
  };
}

function holds(item: Case, what: string, allowed: number): FindingParts {
  const { budget } = item;
  return {
    ...about(item),
    verdict: "holds",
    title: `Budget ${budget.subject.name}: ${what}.`,
    actual: `${describeBound(budget)}: ${what}.`,
    measures: { ...about(item).measures, allowedDisruptionCount: allowed },
  };
}

function about(item: Case): Pick<FindingParts, "subject" | "measures" | "evidence"> {
  const { budget, guarded, podCount } = item;
  return {
    subject: budget.subject,
    measures: {
      guardedPodCount: budget.expectedPods ?? podCount,
      disruptionsAllowedCount: budget.disruptionsAllowed,
    },
    evidence: [
      referenceTo(budget.source, `${describeBound(budget)}, selector: ${selectorWords(budget)}`),
      ...guarded.slice(0, podsQuotedMax).map(quotePod),
    ],
  };
}

function quotePod(pod: KnownPod): EvidenceReference {
  const count = replicasOf(pod);
  const labels = pod.labels === undefined ? "unknown" : describeLabels(pod.labels);
  return referenceTo(
    pod.source,
    `labels: ${labels}${pod.isTemplate ? `, replicas: ${count ?? "?"}` : ""}`,
  );
}

function selectorWords({ selector, isSelectorKnown }: Budget): string {
  if (!isSelectorKnown) return "selector unknown";
  return selector === undefined ? "no selector" : describeSelector(selector);
}
