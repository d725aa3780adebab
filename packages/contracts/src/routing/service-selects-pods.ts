/** The contract routing/service-selects-pods: what a service leads to exists and takes traffic. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { Finding } from "../model/finding.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { objectsOf, type Objects } from "../kubernetes/objects.ts";
import { judgeExternalName } from "./external-name.ts";
import { governingFindings } from "./governing-service.ts";
import { judgeSelectorless } from "./selectorless.ts";
import { judgeSelection } from "./selection.ts";
import { type Service, servicesOf } from "./service.ts";

export const serviceSelectsPods: Contract = defineContract({
  id: "routing/service-selects-pods",
  version: 2,
  boundary: "service-endpoints",
  promise: "Every service selects at least one ready pod of its own namespace.",
  reads: ["kubernetes"],
  options: {
    nearMissCountMax: {
      default: 3,
      description: "How many workloads that a selector almost selects a finding names.",
    },
  },
  check(snapshot, options, found): Finding[] {
    const objects = objectsOf(snapshot);
    const judged = servicesOf(objects).flatMap(
      (service) => judge(service, objects, options.nearMissCountMax) ?? [],
    );
    return [...judged, ...governingFindings(objects)].map(found);
  },
});

function judge(
  service: Service,
  objects: Objects,
  nearMissCountMax: number,
): FindingParts | undefined {
  if (service.type === "ExternalName" || service.externalName !== undefined) {
    return judgeExternalName(service);
  }
  if (service.selector.size > 0) return judgeSelection(service, objects, nearMissCountMax);
  return service.isSelectorKnown ? judgeSelectorless(service, objects) : undefined;
}
