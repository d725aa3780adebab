/** The service that gives the pods of a StatefulSet names of their own. */

import type { FindingParts } from "../model/make-finding.ts";
import { textAt } from "../kubernetes/fields.ts";
import { nameOf, type Objects, referenceTo, type Source } from "../kubernetes/objects.ts";
import { unknownFields } from "../kubernetes/text-mark.ts";
import { nearestName } from "../text/nearest-name.ts";
import { serviceAt, servicesOf } from "./service.ts";
import { isSameThing } from "../text/typo.ts";

const expected = "The serviceName of a StatefulSet is that of a headless service in its namespace.";

/** A finding for each StatefulSet whose governing service is missing or cannot give names. */
export function governingFindings(objects: Objects): FindingParts[] {
  return objects.of("StatefulSet").flatMap((source) => {
    const { object } = source;
    const name = textAt(object, "spec", "serviceName");
    if (name === undefined || name === "") return [];
    if (unknownFields(object).includes("spec.serviceName")) return [];
    return judge(source, name, objects);
  });
}

function judge(source: Source, name: string, objects: Objects): FindingParts[] {
  const namespace = source.object.metadata.namespace ?? "default";
  const subject = { kind: "statefulset", name: nameOf(source.object) };
  const base = { subject, expected, evidence: [referenceTo(source, `serviceName: ${name}`)] };
  const service = serviceAt(objects, namespace, name);
  if (service === undefined) {
    const here = servicesOf(objects).filter((item) => item.namespace === namespace);
    if (here.length === 0) return [];
    const near = nearestName(
      name,
      here.map((item) => item.name),
    );
    // The pods run all the same: only those who call single pods of the set by name miss the service.
    const isSlip = near !== undefined && isSameThing(name, near);
    return [
      {
        ...base,
        verdict: isSlip ? "violated" : "inconclusive",
        title: `StatefulSet ${subject.name} names Service ${name} as its own, which does not exist in ${namespace}${near === undefined ? "" : `; ${near} does`}.`,
        actual: `Services of ${namespace}: ${here.map((item) => item.name).join(", ")}.`,
        ...(isSlip ? { causeKind: "configuration" as const } : {}),
        missing: isSlip ? [] : ["whether anything calls single pods of the set by name"],
        fixes: [
          near === undefined
            ? { description: `Create a headless Service ${namespace}/${name} for its pods.` }
            : { description: `Make StatefulSet ${subject.name} anew with serviceName ${near}.` },
        ],
      },
    ];
  }
  if (service.isHeadless) return [];
  return [
    {
      ...base,
      verdict: "inconclusive",
      title: `Service ${service.subject.name}, the own service of StatefulSet ${subject.name}, is not headless, so that its pods have no names of their own.`,
      actual: "spec.clusterIP of the service is not None.",
      evidence: [...base.evidence, referenceTo(service.source)],
      missing: ["whether anything calls single pods of the set by name"],
      fixes: [
        { description: `Make Service ${service.subject.name} anew with spec.clusterIP: None.` },
      ],
    },
  ];
}
