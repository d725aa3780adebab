/** Whether some controller feels responsible for an Ingress. */

import { textAt } from "../kubernetes/fields.ts";
import { type Objects, referenceTo } from "../kubernetes/objects.ts";
import { nearestName } from "../text/nearest-name.ts";
import type { EntryFault } from "./entry-fault.ts";
import type { Ingress } from "./ingress.ts";

/** What is wrong with the class of an Ingress. */
export function classFaults(ingress: Ingress, objects: Objects): EntryFault[] {
  const { className, annotatedClass, hasAddress, isLive, subject } = ingress;
  const classes = objects.of("IngressClass");
  const names = classes.map(({ object }) => object.metadata.name);
  if (className !== undefined && annotatedClass !== undefined && !isLive) {
    return [
      {
        isSure: true,
        what: `it names its class twice, as ingressClassName ${className} and by the annotation kubernetes.io/ingress.class, which the API refuses`,
        fixes: [
          { description: `Drop the annotation kubernetes.io/ingress.class of ${subject.name}.` },
        ],
      },
    ];
  }
  if (className !== undefined) return named(ingress, className, objects);
  // An annotation is read by controllers, and needs no object.
  if (annotatedClass !== undefined || hasAddress) return [];
  const standard = classes.find(
    ({ object }) =>
      textAt(object, "metadata", "annotations", "ingressclass.kubernetes.io/is-default-class") ===
      "true",
  );
  if (standard !== undefined) return [];
  if (names.length === 0) {
    return [
      {
        isSure: false,
        what: "it names no class, and whether the cluster has a default class is not known",
        missing: ["the IngressClasses of the cluster"],
        fixes: [{ description: `Set spec.ingressClassName of ${subject.name}.` }],
        nextChecks: ["kubectl get ingressclass"],
      },
    ];
  }
  return [
    {
      isSure: true,
      what: `it names no class, and none of the classes ${names.join(", ")} is the default`,
      evidence: classes.map((source) => referenceTo(source)),
      fixes: names.slice(0, 3).map((name) => ({
        description: `Set spec.ingressClassName of ${subject.name} to ${name}.`,
        cost: 2,
        verified: true,
      })),
    },
  ];
}

function named(
  { subject, hasAddress }: Ingress,
  className: string,
  objects: Objects,
): EntryFault[] {
  const names = objects.of("IngressClass").map(({ object }) => object.metadata.name);
  if (names.includes(className)) return [];
  if (names.length > 0) {
    const near = nearestName(className, names) ?? (names.length === 1 ? names[0] : undefined);
    return [
      {
        isSure: true,
        what: `its class ${className} does not exist; there are ${names.join(", ")}`,
        evidence: objects.of("IngressClass").map((source) => referenceTo(source)),
        fixes:
          near === undefined
            ? []
            : [
                {
                  description: `Set spec.ingressClassName of ${subject.name} from ${className} to ${near}.`,
                  cost: 2,
                  verified: true,
                },
              ],
        nextChecks: ["kubectl get ingressclass"],
      },
    ];
  }
  if (hasAddress) return [];
  return [
    {
      isSure: false,
      what: `whether its class ${className} exists is not known`,
      missing: [`the IngressClasses of the cluster: whether one is named ${className}`],
      nextChecks: [`kubectl get ingressclass ${className}`],
    },
  ];
}
