/** The contract routing/ingress-backend: entries to the cluster are served, and lead to services that exist. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { Finding } from "../model/finding.ts";
import { objectsOf } from "../kubernetes/objects.ts";
import { referenceTo } from "../kubernetes/objects.ts";
import { entryFinding } from "./entry-fault.ts";
import { gatewayFindings } from "./gateway-routes.ts";
import { ingressFaults } from "./ingress-faults.ts";
import { describePath, type Ingress, ingressesOf } from "./ingress.ts";
import { loadBalancerFindings } from "./load-balancer.ts";

export const ingressBackend: Contract = defineContract({
  id: "routing/ingress-backend",
  version: 3,
  boundary: "service-endpoints",
  promise:
    "Every Ingress, route and load balancer is served by somebody and leads to services and ports that exist.",
  reads: ["kubernetes"],
  options: {
    pendingMinutesMax: {
      default: 10,
      description: "How many minutes a load balancer may wait for its address.",
    },
  },
  check(snapshot, options, found): Finding[] {
    const objects = objectsOf(snapshot);
    const ingresses = ingressesOf(objects);
    return [
      ...ingresses.map((ingress) =>
        entryFinding(entryOf(ingress), ingressFaults(ingress, ingresses, objects)),
      ),
      ...gatewayFindings(objects),
      ...loadBalancerFindings(objects, options.pendingMinutesMax),
    ].map(found);
  },
});

function entryOf(ingress: Ingress): Parameters<typeof entryFinding>[0] {
  const { paths, defaultBackend, className, annotatedClass, subject, source } = ingress;
  const all = [...paths, ...(defaultBackend === undefined ? [] : [defaultBackend])];
  const leads = all
    .map((item) => `${describePath(item)} to ${item.serviceName ?? "?"}:${item.port ?? "?"}`)
    .join(", ");
  return {
    subject,
    words: `Ingress ${subject.name}`,
    reference: referenceTo(
      source,
      `class: ${className ?? annotatedClass ?? "none"}; ${leads === "" ? "no rules" : leads}`,
    ),
    good: leads === "" ? "has no rules" : `leads ${leads}`,
    measures: { pathCount: all.length },
  };
}
