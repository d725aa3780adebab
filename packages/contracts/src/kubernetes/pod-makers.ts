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
  const known = makersByObjects.get(objects) ?? gather(objects);
  makersByObjects.set(objects, known);
  return known.get(namespace) ?? [];
}

/** A memory and no state: the same objects always have the same makers. */
const makersByObjects = new WeakMap<Objects, ReadonlyMap<string, readonly string[]>>();

function gather(objects: Objects): ReadonlyMap<string, readonly string[]> {
  const makers = new Map<string, string[]>();
  for (const kind of objects.kinds()) {
    if (podlessKinds.has(kind)) continue;
    for (const { object } of objects.of(kind)) {
      if (podlessGroups.test(object.apiVersion)) continue;
      const namespace = object.metadata.namespace ?? "default";
      const list = makers.get(namespace) ?? [];
      makers.set(namespace, list);
      list.push(`${kind}/${object.metadata.name}`);
    }
  }
  return makers;
}
