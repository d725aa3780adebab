/** Whether the evidence shows all pods of a namespace, so that a pod which is not in it does not exist. */

import type { KnownPod } from "../kubernetes/pods.ts";
import { isPresentAt } from "../kubernetes/fields.ts";
import { readFrom } from "../kubernetes/text-mark.ts";
import { isSelected } from "./near-miss.ts";
import type { Service } from "./service.ts";

/** From this many services without pods on, and more of them than of others, pods seem to be left out. */
const strandedServiceCountMin = 3;

/** What of a namespace's pods is not in the evidence, or nothing when it seems to be all of them. */
export function missingPodsOf(
  namespace: string,
  pods: readonly KnownPod[],
  services: readonly Service[],
): string | undefined {
  if (pods.length === 0) return `the pods or the workloads of the namespace ${namespace}`;
  const labelled = pods.filter((pod) => pod.labels !== undefined);
  if (labelled.length < pods.length) {
    return `the labels of the pods of ${namespace}, which this text does not print`;
  }
  if (pods.every((pod) => readFrom(pod.source.object)?.startsWith("kubectl describe") === true)) {
    return `all pods of ${namespace}: the text describes single ones`;
  }
  return isCut(namespace, labelled, services)
    ? `all pods of ${namespace}: most of its services select none of those in the evidence`
    : undefined;
}

/** What manifests alone leave open about a namespace, or nothing where a pod of it was seen in a cluster. */
export function otherManifestsOf(namespace: string, pods: readonly KnownPod[]): string | undefined {
  return pods.some(isRecorded)
    ? undefined
    : `whether more pods are applied to ${namespace} than these manifests make, as by a chart or another folder`;
}

/** Whether a pod or its workload was seen in a cluster: manifests of a namespace are seldom all that it holds. */
export function isRecorded({ source: { object } }: KnownPod): boolean {
  return (
    isPresentAt(object, "status") ||
    isPresentAt(object, "metadata", "uid") ||
    isPresentAt(object, "metadata", "creationTimestamp") ||
    readFrom(object) !== undefined
  );
}

/** A memory and no state: keyed by the services of a snapshot, which are read once. */
const cutByServices = new WeakMap<readonly Service[], Map<string, boolean>>();

/** Whether most services of a namespace lead to none of these pods, as when only some pods were recorded. */
function isCut(
  namespace: string,
  labelled: readonly KnownPod[],
  services: readonly Service[],
): boolean {
  const known = cutByServices.get(services) ?? new Map<string, boolean>();
  cutByServices.set(services, known);
  const answer = known.get(namespace);
  if (answer !== undefined) return answer;
  const selecting = services.filter(
    (service) => service.namespace === namespace && service.selector.size > 0,
  );
  const stranded = selecting.filter(
    ({ selector }) => !labelled.some((pod) => isSelected(pod, selector)),
  ).length;
  const cut = stranded >= strandedServiceCountMin && stranded > selecting.length - stranded;
  known.set(namespace, cut);
  return cut;
}
