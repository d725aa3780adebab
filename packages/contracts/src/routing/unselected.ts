/** A selector that fits no pod of its namespace: what it almost fits, and whether that is sure. */

import type { FindingParts } from "../model/make-finding.ts";
import { describeSelector, pairsSelector } from "../kubernetes/label-selector.ts";
import { referenceTo } from "../kubernetes/objects.ts";
import type { KnownPod } from "../kubernetes/pods.ts";
import { plural } from "../text/plural.ts";
import type { ServiceEndpoints } from "./endpoints.ts";
import {
  correctedSelector,
  describeCorrection,
  describeMissed,
  hasPairs,
  isSelected,
  type NearMiss,
  nearMisses,
  quoteLabels,
} from "./near-miss.ts";
import type { Service } from "./service.ts";
import { isMeant } from "./meant-pod.ts";
import { missingPodsOf, otherManifestsOf } from "./whole-picture.ts";

interface Unselected {
  readonly service: Service;
  /** The pods of the service's namespace, and those of all. */
  readonly pods: readonly KnownPod[];
  readonly all: readonly KnownPod[];
  readonly services: readonly Service[];
  /** Objects of the namespace that may make pods which are not in the evidence. */
  readonly makers: readonly string[];
  readonly endpoints: ServiceEndpoints | undefined;
  readonly countMax: number;
}

/** The finding about a service whose selector fits none of the pods that the evidence shows. */
export function judgeUnselected(item: Unselected): FindingParts {
  const { service, pods, endpoints } = item;
  const misses = nearMisses(service.selector, pods, item.countMax);
  const isEmptyByRecord = endpoints !== undefined && endpoints.endpoints.length === 0;
  const elsewhere = item.all.filter(
    (pod) =>
      pod.namespace !== service.namespace &&
      pod.state.kind !== "over" &&
      isSelected(pod, service.selector),
  );
  const missing = missingOf(item);
  // Addresses are there because the selector found pods: then it is the evidence that lacks them.
  if (service.isLive && endpoints?.endpoints.some(({ isReady }) => isReady) === true) {
    return unknown(item, "the pods behind the recorded endpoints of the service", elsewhere);
  }
  const meant =
    roleOf(service, pods) === undefined ? misses.find((miss) => isMeant(miss, item)) : undefined;
  if (meant !== undefined) {
    return missed(item, [meant, ...misses.filter((miss) => miss !== meant)]);
  }
  // A table of one namespace does not print which; what stands in it may be what stands elsewhere with its namespace.
  const isStated = service.isNamespaceStated && elsewhere.every((pod) => pod.isNamespaceStated);
  if (elsewhere.length > 0 && isStated) {
    return inOtherNamespace(item, elsewhere);
  }
  if (isEmptyByRecord && pods.length === 0) return recordedEmpty(item);
  if (missing === undefined || isEmptyByRecord) return missed(item, misses);
  return unknown(item, missing, elsewhere);
}

function missingOf({ service, pods, services, makers }: Unselected): string | undefined {
  const missing = missingPodsOf(service.namespace, pods, services);
  if (missing !== undefined) return missing;
  const role = roleOf(service, pods);
  if (role !== undefined) {
    return `the labels of the running pods: ${role} is often set while they run, by what elects a leader`;
  }
  if (makers.length === 0) return otherManifestsOf(service.namespace, pods);
  return `the pods that ${makers.slice(0, 3).join(", ")} may have made`;
}

/** The endpoints are known and the pods are not: the service leads nowhere, for one of two reasons. */
function recordedEmpty(item: Unselected): FindingParts {
  const { service } = item;
  const selector = describeSelector(pairsSelector(service.selector));
  return {
    ...about(item, []),
    verdict: "violated",
    title: `Service ${service.subject.name} leads nowhere: its endpoints are recorded as empty, so that no pod of ${service.namespace} with ${selector} is ready, or none has these labels.`,
    actual: "No address is recorded for the service.",
    causeKind: "configuration",
    measures: { podCount: 0, readyAddressCount: 0 },
    missing: [`the pods of the namespace ${service.namespace} with their labels`],
    nextChecks: [
      `kubectl get pods -n ${service.namespace} --show-labels: whether a pod has ${selector}, and whether it is ready`,
    ],
  };
}

/** The key of a role that all else of the selector leaves open, and that no template carries. */
function roleOf(service: Service, pods: readonly KnownPod[]): string | undefined {
  const role = [...service.selector.keys()].find((key) =>
    /(?:^|[-./])(?:role|instanceRole|leader|primary|master)$/i.test(key),
  );
  if (role === undefined) return undefined;
  const rest = new Map([...service.selector].filter(([key]) => key !== role));
  const isOpen = pods.some(
    (pod) => pod.isTemplate && pod.labels?.has(role) === false && isSelected(pod, rest),
  );
  return rest.size > 0 && isOpen ? role : undefined;
}

function missed(item: Unselected, misses: readonly NearMiss[]): FindingParts {
  const { service, pods } = item;
  const { subject } = service;
  const [best] = misses;
  const selector = describeSelector(pairsSelector(service.selector));
  const nearest =
    best === undefined
      ? ""
      : ` Nearest is ${best.pod.subject.kind} ${best.pod.subject.name}: ${describeMissed(best.missed)}.`;
  const first = best?.missed[0];
  return {
    ...about(item, misses),
    verdict: "violated",
    title: `Service ${subject.name} selects no pod: ${selector} fits none of ${plural(pods.length, "pod or workload").replace(/pod or workloads$/, "pods and workloads")} of ${service.namespace}.${nearest}`,
    actual:
      misses
        .map(({ pod, missed: pairs }) => `${pod.subject.name}: ${describeMissed(pairs)}`)
        .join("; ") || "No pod has any of these labels, and its endpoints are empty.",
    causeKind: "configuration",
    measures: {
      podCount: pods.length,
      selectedPodCount: 0,
      missedPairCount: best?.missed.length,
      missedKey: first?.key,
      wantedValue: first?.wanted,
      actualValue: first?.actual ?? (first === undefined ? undefined : "<absent>"),
    },
    fixes: misses
      .filter((miss) => miss === best || miss.isSlip === best?.isSlip)
      .flatMap((miss) => fixesOf(service, miss)),
    nextChecks: [
      `kubectl get pods -n ${service.namespace} --show-labels`,
      `kubectl get endpointslices -n ${service.namespace} -l kubernetes.io/service-name=${service.name}`,
    ],
  };
}

/** To change the selector is the smaller change: labels of pods are read by others, too. */
function fixesOf(service: Service, miss: NearMiss): NonNullable<FindingParts["fixes"]> {
  const { pod } = miss;
  const corrected = correctedSelector(service.selector, miss);
  const verified =
    corrected.size > 0 && pod.labels !== undefined && hasPairs(pod.labels, corrected);
  const isReady = pod.state.kind === "ready" || pod.state.kind === "planned";
  const place = pod.isTemplate ? "spec.template.metadata.labels" : "metadata.labels";
  const labels = miss.missed.map(({ key, wanted }) => `${key}=${wanted}`).join(",");
  return [
    {
      description: `In Service ${service.subject.name}, change spec.selector: ${describeCorrection(miss)}. Then it selects ${pod.subject.kind} ${pod.subject.name}.`,
      cost: 1 + miss.missed.length,
      verified: verified && isReady,
    },
    {
      description: `Or set ${labels} in ${place} of ${pod.subject.kind} ${pod.subject.name}.`,
      cost: 3 + miss.missed.length,
      verified: isReady,
    },
  ];
}

function inOtherNamespace(item: Unselected, elsewhere: readonly KnownPod[]): FindingParts {
  const { service } = item;
  const { subject, namespace } = service;
  const names = [...new Set(elsewhere.map((pod) => pod.namespace))].sort();
  const [other = ""] = names;
  const pods = elsewhere.filter((pod) => pod.namespace === other);
  return {
    ...about(item, []),
    verdict: "violated",
    title: `Service ${subject.name} selects no pod: the pods with its labels run in the namespace ${other}, and a service selects only pods of its own.`,
    actual: `${pods.map((pod) => pod.subject.name).join(", ")} match; none in ${namespace} does.`,
    causeKind: "configuration",
    measures: { podCount: item.pods.length, selectedPodCount: 0, otherNamespace: other },
    evidence: [
      ...(about(item, []).evidence ?? []),
      ...pods.slice(0, 5).map((pod) => referenceTo(pod.source, quoteLabels(pod))),
    ],
    fixes: [
      {
        description: `Set metadata.namespace of Service ${subject.name} from ${namespace} to ${other}.`,
        cost: 2,
        verified: pods.some(({ state }) => state.kind === "ready" || state.kind === "planned"),
      },
      {
        description: `Or keep it as a name of type ExternalName for ${service.name}.${other}.svc.cluster.local.`,
        cost: 4,
      },
    ],
    nextChecks: [`kubectl get pods -n ${namespace} --show-labels`],
  };
}

function unknown(item: Unselected, missing: string, elsewhere: readonly KnownPod[]): FindingParts {
  const { service } = item;
  const [pod] = elsewhere;
  const hint =
    pod === undefined
      ? ""
      : ` ${pod.subject.kind} ${pod.subject.name} of the namespace ${pod.namespace} would match.`;
  return {
    ...about(item, nearMisses(service.selector, item.pods, item.countMax)),
    verdict: "inconclusive",
    title: `Whether Service ${service.subject.name} selects a pod is not known: none in the evidence matches, and not all are in it.${hint}`,
    actual: `${plural(item.pods.length, "pod")} of ${service.namespace} in the evidence, none with ${describeSelector(pairsSelector(service.selector))}.`,
    measures: { podCount: item.pods.length, selectedPodCount: 0 },
    missing: [missing],
    nextChecks: [
      `kubectl get pods -n ${service.namespace} -l ${describeSelector(pairsSelector(service.selector))} -o yaml`,
    ],
  };
}

function about(
  { service, endpoints }: Unselected,
  misses: readonly NearMiss[],
): Pick<FindingParts, "subject" | "evidence"> {
  const selector = describeSelector(pairsSelector(service.selector));
  return {
    subject: service.subject,
    evidence: [
      referenceTo(service.source, `selector: ${selector}`),
      ...misses.map(({ pod }) => referenceTo(pod.source, quoteLabels(pod))),
      ...(endpoints?.endpoints.length === 0
        ? endpoints.sources.map((source) => referenceTo(source, "no addresses"))
        : []),
    ],
  };
}
