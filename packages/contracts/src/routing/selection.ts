/** Judges the selector of a service against the pods of its namespace. */

import type { EvidenceReference } from "../model/evidence.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { describeSelector, pairsSelector } from "../kubernetes/label-selector.ts";
import { type Objects, referenceTo } from "../kubernetes/objects.ts";
import { possibleMakers } from "../kubernetes/pod-makers.ts";
import { type KnownPod, podsByNamespace, podsOf } from "../kubernetes/pods.ts";
import { plural } from "../text/plural.ts";
import { endpointsOf } from "./endpoints.ts";
import { isSelected, quoteLabels } from "./near-miss.ts";
import { type Service, servicesOf } from "./service.ts";
import { judgeUnselected } from "./unselected.ts";

/** Pods that one finding quotes. */
const podsQuotedMax = 20;

/** The pods that a service selects, of those whose labels are known. */
export function selectedPods(service: Service, pods: readonly KnownPod[]): readonly KnownPod[] {
  const byPods = selectedByService.get(service) ?? new WeakMap<object, readonly KnownPod[]>();
  selectedByService.set(service, byPods);
  const selected = byPods.get(pods) ?? pods.filter((pod) => isSelected(pod, service.selector));
  byPods.set(pods, selected);
  return selected;
}

/** A memory and no state: the same service always selects the same of these pods. */
const selectedByService = new WeakMap<Service, WeakMap<object, readonly KnownPod[]>>();

/** What a service with a selector leads to. */
export function judgeSelection(
  service: Service,
  objects: Objects,
  nearMissCountMax: number,
): FindingParts {
  const pods = podsByNamespace(objects).get(service.namespace) ?? [];
  const selected = selectedPods(service, pods);
  if (selected.length > 0) return judgeSelected(service, selected);
  const ready = endpointsOf(objects, service.namespace, service.name)?.endpoints.filter(
    (endpoint) => endpoint.isReady,
  );
  if (ready !== undefined && ready.length > 0 && pods.length === 0) {
    return holds(service, [], `Its endpoints hold ${plural(ready.length, "ready pod")}.`);
  }
  return judgeUnselected({
    service,
    pods,
    all: podsOf(objects),
    services: servicesOf(objects),
    makers: possibleMakers(service.namespace, objects),
    endpoints: endpointsOf(objects, service.namespace, service.name),
    countMax: nearMissCountMax,
  });
}

function judgeSelected(service: Service, selected: readonly KnownPod[]): FindingParts {
  const { subject, publishesNotReady } = service;
  const of = (kind: KnownPod["state"]["kind"]): readonly KnownPod[] =>
    selected.filter((pod) => pod.state.kind === kind);
  const [ready, planned, waiting, unknown] = [
    of("ready"),
    of("planned"),
    of("waiting"),
    of("unknown"),
  ];
  if (ready.length > 0) {
    const [first] = ready;
    const others = ready.length === 1 ? "" : ` and ${ready.length - 1} more`;
    return mixed(
      service,
      selected,
      holds(service, selected, `${first?.subject.name ?? ""}${others} ready.`),
    );
  }
  if (planned.length > 0) {
    const names = planned.map((pod) => `${pod.subject.kind} ${pod.subject.name}`).join(", ");
    return mixed(service, selected, holds(service, selected, `The selector fits ${names}.`));
  }
  if (unknown.length > 0) {
    return {
      ...about(service, selected),
      verdict: "inconclusive",
      title: `Service ${subject.name} selects ${plural(selected.length, "pod")}; whether one is ready is not known.`,
      actual: `Selected: ${selected.map((pod) => pod.subject.name).join(", ")}.`,
      missing: [`the Ready condition of the pods: ${commandFor(service)}`],
      nextChecks: [commandFor(service)],
    };
  }
  if (waiting.length === 0 && of("over").length === 0) {
    return {
      ...about(service, selected),
      verdict: "inconclusive",
      title: `Service ${subject.name} selects ${selected[0]?.subject.kind ?? ""} ${selected[0]?.subject.name ?? ""}, which is scaled to no pods.`,
      actual: "The selector fits a workload with 0 replicas.",
      missing: ["whether no pods are meant to run"],
      fixes: selected.map((pod) => ({
        description: `Set spec.replicas of ${pod.subject.kind} ${pod.subject.name} from 0 to at least 1.`,
      })),
    };
  }
  if (publishesNotReady && waiting.length > 0) {
    return holds(
      service,
      selected,
      `It selects ${plural(waiting.length, "pod")}, none ready, and publishes them all the same (publishNotReadyAddresses).`,
    );
  }
  return notReady(service, selected);
}

/** The selector is right and the pods are not: the cause lies with them. */
function notReady(service: Service, selected: readonly KnownPod[]): FindingParts {
  const reasons = selected.map((pod) => `${pod.subject.name}: ${reasonOf(pod)}`);
  const [first = ""] = reasons;
  const more = reasons.length === 1 ? "" : `, and ${reasons.length - 1} more`;
  return {
    ...about(service, selected),
    verdict: "violated",
    title: `Service ${service.subject.name} selects ${plural(selected.length, "pod")}, none ready: ${first}${more}.`,
    actual: `${reasons.join("; ")}.`,
    causeKind: "dependency",
    nextChecks: [
      `kubectl describe pod -n ${service.namespace} ${selected[0]?.subject.name.split("/")[1] ?? ""}: why it is not ready`,
    ],
  };
}

function reasonOf({ state }: KnownPod): string {
  return "reason" in state ? state.reason : state.kind;
}

/**
 * Pods of several workloads behind one service are right for a canary and wrong for an application and its database.
 * What tells them apart is the program that runs in them.
 */
function mixed(
  service: Service,
  selected: readonly KnownPod[],
  otherwise: FindingParts,
): FindingParts {
  const programs = new Map<string, string>();
  for (const pod of selected) {
    if (pod.state.kind === "over") continue;
    const program = programOf(pod);
    if (program !== "") programs.set(program, pod.workload);
  }
  if (programs.size < 2) return otherwise;
  const names = [...programs]
    .map(([program, workload]) => `${workload} (${program})`)
    .sort()
    .join(" and ");
  return {
    ...about(service, selected),
    verdict: "inconclusive",
    title: `Service ${service.subject.name} selects pods of different programs: ${names}.`,
    actual: `${otherwise.actual} Requests go to any of them.`,
    missing: [
      "whether all of them are meant to answer: a canary is, another component of the application is not",
    ],
    fixes: [
      {
        description: `If one is meant, add a label to spec.selector of Service ${service.subject.name} that only its pods have.`,
      },
    ],
  };
}

/** The images of a pod without registry, tag and digest: what it runs, whatever the release. */
function programOf({ spec, isSpecKnown }: KnownPod): string {
  if (!isSpecKnown) return "";
  return imagesOf(spec)
    .map((image) =>
      image
        .replace(/@.*$/, "")
        .replace(/:[^/]*$/, "")
        .replace(/^.*\//, ""),
    )
    .sort()
    .join("+");
}

function imagesOf(spec: KnownPod["spec"]): string[] {
  const containers = spec["containers"];
  return (Array.isArray(containers) ? containers : []).flatMap((container: unknown) => {
    const image =
      typeof container === "object" && container !== null && "image" in container
        ? container.image
        : undefined;
    return typeof image === "string" ? [image] : [];
  });
}

function holds(service: Service, selected: readonly KnownPod[], what: string): FindingParts {
  const { subject } = service;
  return {
    ...about(service, selected),
    verdict: "holds",
    title:
      selected.length === 0
        ? `Service ${subject.name} has ready endpoints.`
        : `Service ${subject.name} selects ${plural(selected.length, "pod")}: ${what}`,
    actual: what,
  };
}

function about(
  service: Service,
  selected: readonly KnownPod[],
): Pick<FindingParts, "subject" | "measures" | "evidence"> {
  return {
    subject: service.subject,
    measures: {
      selectedPodCount: selected.length,
      readyPodCount: selected.filter((pod) => pod.state.kind === "ready").length,
    },
    evidence: [selectorReference(service), ...selected.slice(0, podsQuotedMax).map(podReference)],
  };
}

/** The selector of a service as evidence. */
export function selectorReference(service: Service): EvidenceReference {
  return referenceTo(
    service.source,
    `selector: ${describeSelector(pairsSelector(service.selector))}`,
  );
}

/** A pod, its labels and its state as evidence. */
export function podReference(pod: KnownPod): EvidenceReference {
  const state = "reason" in pod.state ? `; ${pod.state.reason}` : "";
  return referenceTo(pod.source, `${quoteLabels(pod)}${state}`);
}

function commandFor({ namespace, selector }: Service): string {
  return `kubectl get pods -n ${namespace} -l ${describeSelector(pairsSelector(selector))} -o yaml`;
}
