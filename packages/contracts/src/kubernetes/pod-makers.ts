/** Objects that may make pods which the evidence does not show, as those that an operator watches do. */

import type { Objects } from "./objects.ts";

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

/** The objects of a namespace that may make pods of their own, as `Kind/name`. */
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
