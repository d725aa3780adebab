/** Whether the evidence shows all pods of a namespace, so that a pod which is not in it does not exist. */

import type { Objects } from "../kubernetes/objects.ts";
import type { KnownPod } from "../kubernetes/pods.ts";
import { readFrom } from "../kubernetes/text-mark.ts";
import { hasPairs } from "./near-miss.ts";
import type { Service } from "./service.ts";

/** From this many services without pods on, and more of them than of others, pods seem to be left out. */
const strandedServiceCountMin = 3;

/** Groups of the API whose objects make no pods of their own, besides those that are read as workloads. */
const podlessGroups =
  /^(?:v1$|(?:apps|batch|autoscaling|policy|extensions)\/|[a-z.]*\.k8s\.io\/|(?:cert-manager\.io|cilium\.io|external-secrets\.io|traefik\.io|crd\.projectcalico\.org|projectcalico\.org|[a-z]+\.istio\.io|apps\.openshift\.io)\/)/;
const podlessKinds: ReadonlySet<string> = new Set([
  "Application",
  "KubectlAnswer",
  "PodMonitor",
  "PrometheusRule",
  "Rollout",
  "Route",
  "ScaledObject",
  "ServiceMonitor",
]);

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
  const selecting = services.filter(
    (service) => service.namespace === namespace && service.selector.size > 0,
  );
  const stranded = selecting.filter(
    ({ selector }) => !labelled.some(({ labels }) => hasPairs(labels ?? new Map(), selector)),
  );
  if (
    stranded.length >= strandedServiceCountMin &&
    stranded.length > selecting.length - stranded.length
  ) {
    return `all pods of ${namespace}: most of its services select none of those in the evidence`;
  }
  return undefined;
}

/** Objects of the namespace that may make pods of their own, as those that an operator watches do. */
export function possibleMakers(namespace: string, objects: Objects): readonly string[] {
  return objects
    .kinds()
    .filter((kind) => !podlessKinds.has(kind))
    .flatMap((kind) => objects.of(kind))
    .filter(
      ({ object: { apiVersion, metadata } }) =>
        (metadata.namespace ?? "default") === namespace && !podlessGroups.test(apiVersion),
    )
    .map(({ object: { kind, metadata } }) => `${kind}/${metadata.name}`);
}
