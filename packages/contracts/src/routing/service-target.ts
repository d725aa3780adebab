/** Where a port of a service leads in one of its pods. */

import type { KnownPod } from "../kubernetes/pods.ts";
import { containerPortsOf } from "./container-port.ts";
import type { TargetPort } from "./policy-match.ts";
import type { Service, ServicePort } from "./service.ts";

/** The number and protocol in a pod, or nothing when the pod has no port of that name. */
export function targetOf(port: ServicePort, pod: KnownPod): TargetPort | undefined {
  const { targetPort, protocol } = port;
  if (typeof targetPort === "number") return { port: targetPort, protocol };
  const named = containerPortsOf(pod).find(
    (item) => item.name === targetPort && item.protocol === protocol,
  );
  return named === undefined ? undefined : { port: named.port, protocol };
}

/** The ports of a service that a client may mean: the one that it names, or all. */
export function portsMeant(service: Service, port: number | undefined): readonly ServicePort[] {
  const named = service.ports.filter((item) => item.port === port);
  return port === undefined || named.length === 0 ? service.ports : named;
}
