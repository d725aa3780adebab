/** The contract routing/service-ports: the ports of a service lead to ports on which its pods take traffic. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { Finding } from "../model/finding.ts";
import { objectsOf } from "../kubernetes/objects.ts";
import { podsByNamespace } from "../kubernetes/pods.ts";
import { judgeContainerPorts } from "./container-clash.ts";
import { judgePorts } from "./port-findings.ts";
import { selectedPods } from "./selection.ts";
import { servicesOf } from "./service.ts";

export const servicePorts: Contract = defineContract({
  id: "routing/service-ports",
  version: 2,
  boundary: "service-endpoints",
  promise:
    "Every port of a service leads to a port on which the pods that it selects take traffic.",
  reads: ["kubernetes"],
  options: {
    nodePortMin: {
      default: 30_000,
      description: "The lowest port of a node that a manifest may ask for.",
    },
    nodePortMax: {
      default: 32_767,
      description: "The highest port of a node that a manifest may ask for.",
    },
  },
  check(snapshot, options, found): Finding[] {
    const objects = objectsOf(snapshot);
    const byNamespace = podsByNamespace(objects);
    const services = servicesOf(objects);
    const context = { objects, services, ...options };
    return [
      ...services.flatMap((service) => {
        const pods = selectedPods(service, byNamespace.get(service.namespace) ?? []);
        const parts = judgePorts(service, service.selector.size === 0 ? [] : pods, context);
        return parts === undefined ? [] : [found(parts)];
      }),
      ...judgeContainerPorts(objects).map(found),
    ];
  },
});
