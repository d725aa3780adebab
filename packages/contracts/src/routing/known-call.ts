/** Calls between workloads that the evidence tells of. */

import type { EvidenceReference } from "../model/evidence.ts";
import type { Objects } from "../kubernetes/objects.ts";
import { referenceTo } from "../kubernetes/objects.ts";
import type { KnownPod } from "../kubernetes/pods.ts";
import { ingressesOf } from "./ingress.ts";
import { referencesOf, serviceOf } from "./name-reference.ts";
import { type Service, serviceAt } from "./service.ts";

/** The pods of one workload are alike but for its revisions; these many tell what it calls. */
const podsPerWorkloadMax = 5;

/** A workload that calls a service. */
export interface KnownCall {
  /** A pod of the workload, which stands for all. */
  readonly client: KnownPod;
  readonly service: Service;
  /** The port of the service; nothing where the evidence does not tell. */
  readonly port: number | undefined;
  readonly evidence: readonly EvidenceReference[];
}

/** Each call once: by names in variables, arguments and config maps, and by the controllers of Ingresses. */
export function knownCalls(objects: Objects, pods: readonly KnownPod[]): KnownCall[] {
  const calls = new Map<string, KnownCall>();
  const add = (call: KnownCall): void => {
    const { client, service, port } = call;
    const key = `${client.namespace}/${client.workload} ${service.subject.name} ${port ?? ""}`;
    if (!calls.has(key)) calls.set(key, call);
  };
  const seen = new Map<string, number>();
  for (const client of pods) {
    const workload = `${client.namespace}/${client.workload}`;
    const count = seen.get(workload) ?? 0;
    if (count >= podsPerWorkloadMax) continue;
    seen.set(workload, count + 1);
    for (const reference of referencesOf(client, objects)) {
      const service = serviceOf(reference, objects);
      if (service === undefined || service.selector.size === 0) continue;
      const port = reference.port ?? reference.usualPort;
      add({ client, service, port, evidence: [reference.evidence] });
    }
  }
  for (const call of controllerCalls(objects, pods)) add(call);
  return [...calls.values()];
}

const controllerNames =
  /^(?:ingress-nginx|nginx-ingress|traefik|haproxy-ingress|kubernetes-ingress|contour|kong|ambassador|emissary-ingress)$/;

/** Controllers of Ingresses that run in the cluster call every service that an Ingress leads to. */
function controllerCalls(objects: Objects, pods: readonly KnownPod[]): KnownCall[] {
  const controllers = pods.filter(
    (pod) =>
      controllerNames.test(pod.labels?.get("app.kubernetes.io/name") ?? "") ||
      controllerNames.test(pod.labels?.get("app") ?? ""),
  );
  const [client] = controllers.filter(
    (pod) => (pod.labels?.get("app.kubernetes.io/component") ?? "controller") === "controller",
  );
  if (client === undefined) return [];
  return ingressesOf(objects).flatMap((ingress) =>
    ingress.paths.flatMap((path): KnownCall[] => {
      const service =
        path.serviceName === undefined
          ? undefined
          : serviceAt(objects, ingress.namespace, path.serviceName);
      if (service === undefined || service.selector.size === 0) return [];
      const port =
        typeof path.port === "number"
          ? path.port
          : service.ports.find((item) => item.name === path.port)?.port;
      return [{ client, service, port, evidence: [referenceTo(ingress.source)] }];
    }),
  );
}
