/** The contract routing/endpoints-ready: the recorded addresses of a service are those of pods that take traffic. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { Finding } from "../model/finding.ts";
import { objectsOf, type Objects } from "../kubernetes/objects.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { judgeEndpoints } from "./endpoint-findings.ts";
import { endpointsOf } from "./endpoints.ts";
import { serviceAt, servicesOf } from "./service.ts";
import { textAt } from "../kubernetes/fields.ts";

export const endpointsReady: Contract = defineContract({
  id: "routing/endpoints-ready",
  version: 2,
  boundary: "service-endpoints",
  promise: "Every service has a ready address, and its addresses and ports are those of its pods.",
  reads: ["kubernetes"],
  options: {},
  check(snapshot, _options, found): Finding[] {
    const objects = objectsOf(snapshot);
    const known = servicesOf(objects).flatMap((service): FindingParts[] => {
      const endpoints = endpointsOf(objects, service.namespace, service.name);
      if (endpoints === undefined || service.type === "ExternalName") return [];
      return [judgeEndpoints(service, endpoints, objects)];
    });
    return [...known, ...orphans(objects)].map(found);
  },
});

/** Addresses that were written for a service which the evidence shows not to exist, although it shows others. */
function orphans(objects: Objects): FindingParts[] {
  const namespaces = new Set(servicesOf(objects).map((service) => service.namespace));
  return objects.of("EndpointSlice").flatMap(({ object, evidenceId }): FindingParts[] => {
    const namespace = object.metadata.namespace ?? "default";
    const name = textAt(object, "metadata", "labels", "kubernetes.io/service-name");
    if (name === undefined || !namespaces.has(namespace)) return [];
    if (serviceAt(objects, namespace, name) !== undefined) return [];
    return [
      {
        verdict: "inconclusive",
        subject: { kind: "endpointslice", name: `${namespace}/${object.metadata.name}` },
        title: `EndpointSlice ${namespace}/${object.metadata.name} belongs to Service ${namespace}/${name}, which is not in the evidence.`,
        actual: `The label kubernetes.io/service-name is ${name}.`,
        evidence: [
          {
            evidenceId,
            locator: `EndpointSlice/${namespace}/${object.metadata.name}`,
            quote: `kubernetes.io/service-name: ${name}`,
          },
        ],
        missing: [`Service ${namespace}/${name}`],
        nextChecks: [`kubectl get service -n ${namespace} ${name} -o yaml`],
      },
    ];
  });
}
