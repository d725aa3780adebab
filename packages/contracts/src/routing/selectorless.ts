/** Services without a selector: somebody else has to write down their addresses. */

import type { FindingParts } from "../model/make-finding.ts";
import { type Objects, referenceTo } from "../kubernetes/objects.ts";
import { endpointsOf, hasEndpoints } from "./endpoints.ts";
import type { Service } from "./service.ts";

const expected = "A service without a selector has an EndpointSlice or Endpoints of its own.";

/** The service of the API server keeps its own addresses, and nothing is to be said about it. */
export function judgeSelectorless(service: Service, objects: Objects): FindingParts | undefined {
  const { subject, source, namespace, name } = service;
  if (namespace === "default" && name === "kubernetes") return undefined;
  const known = endpointsOf(objects, namespace, name);
  const reference = referenceTo(source, "no spec.selector");
  const ready = known?.endpoints.filter((endpoint) => endpoint.isReady) ?? [];
  if (known !== undefined && ready.length > 0) {
    return {
      verdict: "holds",
      subject,
      expected,
      title: `Service ${subject.name} has no selector; its own endpoints hold ${ready.length} ready.`,
      actual: `${ready.length} ready addresses: ${ready.map(({ address }) => address).join(", ")}.`,
      measures: { readyAddressCount: ready.length },
      evidence: [reference, ...known.sources.map((item) => referenceTo(item))],
    };
  }
  const create = {
    description: `Give Service ${subject.name} a selector of its pods, or create an EndpointSlice with the label kubernetes.io/service-name: ${name}.`,
  };
  if (known !== undefined || hasEndpoints(objects, namespace)) {
    return {
      verdict: "violated",
      subject,
      expected,
      title: `Service ${subject.name} has no selector and no ready address: it leads nowhere.`,
      actual:
        known === undefined
          ? `No EndpointSlice and no Endpoints of ${namespace} belong to it.`
          : `${known.endpoints.length} addresses, none ready.`,
      causeKind: "configuration",
      measures: { readyAddressCount: 0 },
      evidence: [reference, ...(known?.sources.map((item) => referenceTo(item)) ?? [])],
      fixes: [create],
    };
  }
  return {
    verdict: "inconclusive",
    subject,
    expected,
    title: `Service ${subject.name} has no selector, and its endpoints are not in the evidence.`,
    actual: "The service has no selector.",
    evidence: [reference],
    missing: [`the EndpointSlices or Endpoints of the namespace ${namespace}`],
    fixes: [create],
    nextChecks: [`kubectl get endpointslices,endpoints -n ${namespace} -o yaml`],
  };
}
