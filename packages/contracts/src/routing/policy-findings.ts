/** Judges each network policy for itself: it selects pods, and its peers exist. */

import type { FindingParts } from "../model/make-finding.ts";
import {
  describeSelector,
  type LabelSelector,
  matchesLabels,
} from "../kubernetes/label-selector.ts";
import { referenceTo } from "../kubernetes/objects.ts";
import { possibleMakers } from "../kubernetes/pod-makers.ts";
import type { KnownPod } from "../kubernetes/pods.ts";
import { plural } from "../text/plural.ts";
import {
  describeCorrection,
  describeMissed,
  type NearMiss,
  nearMisses,
  quoteLabels,
} from "./near-miss.ts";
import { type PolicyContext, policyReference } from "./policy-connections.ts";
import type { Direction, Policy } from "./policy.ts";
import { servicesOf } from "./service.ts";
import { isTypo } from "../text/typo.ts";
import { isRecorded, missingPodsOf, otherManifestsOf } from "./whole-picture.ts";

/** A finding for each policy. */
export function policyFindings(context: PolicyContext): FindingParts[] {
  return context.policies.map((policy) => {
    const pods = context.byNamespace.get(policy.namespace) ?? [];
    return (
      selectionFinding(policy, pods, context) ?? peerFinding(policy, pods) ?? good(policy, pods)
    );
  });
}

function selectionFinding(
  policy: Policy,
  pods: readonly KnownPod[],
  { objects }: PolicyContext,
): FindingParts | undefined {
  if (policy.selector.length === 0 || selects(policy.selector, pods)) return undefined;
  const missing =
    missingPodsOf(policy.namespace, pods, servicesOf(objects)) ??
    possibleMakers(policy.namespace, objects)[0] ??
    otherManifestsOf(policy.namespace, pods);
  const selector = describeSelector(policy.selector);
  const [miss] = nearMisses(pairsOf(policy.selector), pods, 1);
  const base = {
    subject: policy.subject,
    evidence: [
      policyReference(policy),
      ...(miss === undefined ? [] : [referenceTo(miss.pod.source, quoteLabels(miss.pod))]),
    ],
    measures: { selectedPodCount: 0, podCount: pods.length },
    nextChecks: [`kubectl get pods -n ${policy.namespace} --show-labels`],
  };
  if (missing !== undefined && !isSure(miss, pods)) {
    return {
      ...base,
      verdict: "inconclusive",
      title: `Whether NetworkPolicy ${policy.subject.name} selects a pod is not known: none in the evidence matches ${selector}.`,
      actual: `${plural(pods.length, "pod")} of ${policy.namespace} in the evidence.`,
      missing: [missing],
    };
  }
  return {
    ...base,
    verdict: "violated",
    title: `NetworkPolicy ${policy.subject.name} selects no pod: nothing in ${policy.namespace} has ${selector}${miss === undefined ? "" : `; nearest is ${miss.pod.subject.name}: ${describeMissed(miss.missed)}`}.`,
    actual: `podSelector ${selector} matches 0 of ${pods.length}.`,
    causeKind: "configuration",
    fixes:
      miss === undefined
        ? []
        : [
            {
              description: `In NetworkPolicy ${policy.subject.name}, change spec.podSelector: ${describeCorrection(miss)}.`,
              cost: 2,
              verified: true,
            },
          ],
  };
}

/** Manifests need not be all of a namespace: what resembles one of several workloads may be meant for another. */
function isSure(miss: NearMiss | undefined, pods: readonly KnownPod[]): boolean {
  if (miss?.isSlip !== true) return false;
  const isAlone = new Set(pods.map(({ workload }) => workload)).size === 1;
  if (isAlone || pods.some(isRecorded)) return true;
  return miss.missed.every(
    ({ wanted, actual, otherKey }) =>
      otherKey !== undefined || (actual !== undefined && isTypo(wanted, actual)),
  );
}

/** A peer in the policy's own namespace that is one slip away from a pod. Other peers may not have come yet. */
function peerFinding(policy: Policy, pods: readonly KnownPod[]): FindingParts | undefined {
  for (const direction of policy.directions) {
    for (const { peers = [] } of policy.rules[direction]) {
      for (const { podSelector, namespaceSelector } of peers) {
        if (podSelector === undefined || podSelector.length === 0) continue;
        if (namespaceSelector !== undefined || selects(podSelector, pods)) continue;
        const [miss] = nearMisses(pairsOf(podSelector), pods, 1);
        if (miss?.isSlip !== true || miss.missed.length !== 1) continue;
        const [pair] = miss.missed;
        if (pair?.actual === undefined || !isTypo(pair.wanted, pair.actual)) continue;
        return slipFinding(policy, direction, { podSelector, miss });
      }
    }
  }
  return undefined;
}

function slipFinding(
  policy: Policy,
  direction: Direction,
  { podSelector, miss }: { podSelector: LabelSelector; miss: NearMiss },
): FindingParts {
  return {
    verdict: "violated",
    subject: policy.subject,
    title: `NetworkPolicy ${policy.subject.name} lets ${direction === "ingress" ? "in" : "out to"} pods with ${describeSelector(podSelector)}, which none of ${policy.namespace} has; nearest is ${miss.pod.subject.name}: ${describeMissed(miss.missed)}.`,
    actual: `The ${direction} peer ${describeSelector(podSelector)} matches no pod.`,
    causeKind: "configuration",
    evidence: [policyReference(policy), referenceTo(miss.pod.source, quoteLabels(miss.pod))],
    measures: { direction },
    fixes: [
      {
        description: `In spec.${direction} of NetworkPolicy ${policy.subject.name}, change the podSelector: ${describeCorrection(miss)}.`,
        cost: 2,
        verified: true,
      },
    ],
  };
}

function good(policy: Policy, pods: readonly KnownPod[]): FindingParts {
  const count = pods.filter(
    (pod) => pod.labels !== undefined && matchesLabels(policy.selector, pod.labels),
  ).length;
  const isEmpty = pods.length === 0;
  return {
    verdict: isEmpty ? "inconclusive" : "holds",
    subject: policy.subject,
    title: isEmpty
      ? `NetworkPolicy ${policy.subject.name} selects all pods of ${policy.namespace}, of which none is in the evidence.`
      : `NetworkPolicy ${policy.subject.name} selects ${plural(count, "pod")} of ${policy.namespace}.`,
    actual: `podSelector: ${describeSelector(policy.selector)}.`,
    evidence: [policyReference(policy)],
    measures: { selectedPodCount: count, podCount: pods.length },
    missing: isEmpty ? [`the pods or the workloads of the namespace ${policy.namespace}`] : [],
  };
}

function selects(selector: LabelSelector, pods: readonly KnownPod[]): boolean {
  return pods.some((pod) => pod.labels !== undefined && matchesLabels(selector, pod.labels));
}

/** The plain pairs of a selector, for which near misses can be named. */
function pairsOf(selector: LabelSelector): ReadonlyMap<string, string> {
  return new Map(
    selector.flatMap(({ key, operator, values }): [string, string][] => {
      const [value] = values;
      return operator === "In" && values.length === 1 && value !== undefined ? [[key, value]] : [];
    }),
  );
}
