/** Gateways and the routes that hang on them, as the Gateway API has them. */

import type { FindingParts } from "../model/make-finding.ts";
import { listAt, textAt } from "../kubernetes/fields.ts";
import { nameOf, type Objects, referenceTo, type Source } from "../kubernetes/objects.ts";
import { nearestName } from "../text/nearest-name.ts";
import { backendFaults } from "./backend-fault.ts";
import { certificateFaults } from "./certificate.ts";
import { type EntryFault, entryFinding } from "./entry-fault.ts";
import { parentFaults } from "./gateway-parent.ts";
import { isGranted } from "./reference-grant.ts";

const group = "gateway.networking.k8s.io";
const routeKinds = ["GRPCRoute", "HTTPRoute", "TCPRoute", "TLSRoute", "UDPRoute"] as const;

/** A finding for each Gateway and for each route. */
export function gatewayFindings(objects: Objects): FindingParts[] {
  return [
    ...ofGroup(objects, "Gateway").map((source) => gatewayFinding(source, objects)),
    ...routeKinds.flatMap((kind) =>
      ofGroup(objects, kind).map((source) => routeFinding(source, objects)),
    ),
  ];
}

function ofGroup(objects: Objects, kind: string): readonly Source[] {
  return objects.of(kind).filter(({ object }) => object.apiVersion.startsWith(`${group}/`));
}

function gatewayFinding(source: Source, objects: Objects): FindingParts {
  const { object } = source;
  const name = nameOf(object);
  const className = textAt(object, "spec", "gatewayClassName") ?? "";
  const classes = ofGroup(objects, "GatewayClass").map((item) => item.object.metadata.name);
  const listeners = listAt(object, "spec", "listeners");
  const near = nearestName(className, classes) ?? (classes.length === 1 ? classes[0] : undefined);
  const faults: EntryFault[] = [];
  if (classes.length > 0 && !classes.includes(className)) {
    faults.push({
      isSure: true,
      what: `its class ${className} does not exist; there are ${classes.join(", ")}`,
      fixes:
        near === undefined
          ? []
          : [
              {
                description: `Set spec.gatewayClassName of ${name} from ${className} to ${near}.`,
                cost: 2,
              },
            ],
    });
  } else if (classes.length === 0 && listAt(object, "status", "addresses").length === 0) {
    faults.push({
      isSure: false,
      what: `whether its class ${className} exists is not known`,
      missing: [`the GatewayClasses of the cluster: whether one is named ${className}`],
      nextChecks: ["kubectl get gatewayclass"],
    });
  }
  return entryFinding(
    {
      subject: { kind: "gateway", name },
      words: `Gateway ${name}`,
      reference: referenceTo(source, `class ${className}, ${listeners.length} listeners`),
      good: `has its class ${className}, and its listeners ${listeners.map((item) => textAt(item, "name") ?? "").join(", ")}`,
      measures: { listenerCount: listeners.length },
    },
    [
      ...faults,
      ...listeners.flatMap((listener) => listenerFaults(listener, source, objects)),
      ...conditionFaults(source, listAt(object, "status", "conditions")),
    ],
  );
}

function listenerFaults(listener: unknown, source: Source, objects: Objects): EntryFault[] {
  const namespace = source.object.metadata.namespace ?? "default";
  return listAt(listener, "tls", "certificateRefs").flatMap((reference) => {
    const secretName = textAt(reference, "name");
    if (secretName === undefined || (textAt(reference, "kind") ?? "Secret") !== "Secret") return [];
    return certificateFaults(
      {
        namespace: textAt(reference, "namespace") ?? namespace,
        secretName,
        annotations: new Map(
          Object.entries(source.object.metadata["annotations"] ?? {}).flatMap(
            ([name, value]): [string, string][] =>
              typeof value === "string" ? [[name, value]] : [],
          ),
        ),
        words: `listener ${textAt(listener, "name") ?? ""}`,
      },
      objects,
    );
  });
}

function routeFinding(source: Source, objects: Objects): FindingParts {
  const { object } = source;
  const name = nameOf(object);
  const backends = listAt(object, "spec", "rules").flatMap((rule) => listAt(rule, "backendRefs"));
  const leads = backends.map(
    (item) => `${textAt(item, "name") ?? "?"}:${textAt(item, "port") ?? "?"}`,
  );
  return entryFinding(
    {
      subject: { kind: object.kind.toLowerCase(), name },
      words: `${object.kind} ${name}`,
      reference: referenceTo(source, `leads to ${leads.join(", ") || "nothing"}`),
      good: `hangs on its gateway and leads to ${leads.join(", ") || "no backend of its own"}`,
      measures: { backendCount: backends.length },
    },
    [
      ...parentFaults(source, objects),
      ...backends.flatMap((backend) => backendReferenceFaults(backend, source, objects)),
      ...listAt(object, "status", "parents").flatMap((parent) =>
        conditionFaults(source, listAt(parent, "conditions")),
      ),
    ],
  );
}

function backendReferenceFaults(backend: unknown, source: Source, objects: Objects): EntryFault[] {
  const { object } = source;
  const own = object.metadata.namespace ?? "default";
  const service = textAt(backend, "name");
  const isService =
    (textAt(backend, "kind") ?? "Service") === "Service" && (textAt(backend, "group") ?? "") === "";
  if (service === undefined || !isService) return [];
  const namespace = textAt(backend, "namespace") ?? own;
  const port = textAt(backend, "port");
  const words = `${object.kind} ${nameOf(object)}`;
  const reference = {
    namespace,
    service,
    port: port === undefined ? undefined : Number(port),
    field: "backendRefs.name",
    place: words,
    isNamespaceStated: object.metadata.namespace !== undefined,
  };
  return [
    ...(port === undefined
      ? [
          {
            isSure: true,
            what: `it names no port of Service ${namespace}/${service}, which a backend of this kind needs`,
          },
        ]
      : []),
    ...(namespace !== own ? grantFaults({ source, namespace, service, own }, objects) : []),
    ...backendFaults(reference, objects),
  ];
}

/** A reference into another namespace needs the consent of that namespace. */
function grantFaults(
  use: { source: Source; namespace: string; service: string; own: string },
  objects: Objects,
): EntryFault[] {
  const { source, namespace, service, own } = use;
  const { kind } = source.object;
  if (isGranted({ kind, namespace: own }, { kind: "Service", namespace, name: service }, objects)) {
    return [];
  }
  // Where the evidence shows something of that namespace, a grant would be in it, too.
  const isShown = ["Service", "ReferenceGrant"].some((shown) =>
    objects.of(shown).some(({ object }) => object.metadata.namespace === namespace),
  );
  return [
    {
      isSure: isShown,
      what: `it refers to Service ${namespace}/${service}, and no ReferenceGrant of ${namespace} allows ${kind} of ${own} to`,
      missing: [`the ReferenceGrants of the namespace ${namespace}`],
      fixes: [
        {
          description: `Create in ${namespace} a ReferenceGrant from group ${group}, kind ${kind}, namespace ${own} to kind Service, name ${service}.`,
        },
      ],
      nextChecks: [`kubectl get referencegrants -n ${namespace} -o yaml`],
    },
  ];
}

/** What the controller itself says: Accepted, ResolvedRefs, Programmed that are False. */
function conditionFaults(source: Source, conditions: readonly unknown[]): EntryFault[] {
  return conditions.flatMap((condition): EntryFault[] => {
    const type = textAt(condition, "type") ?? "";
    const isBad =
      textAt(condition, "status") === "False" &&
      ["Accepted", "ResolvedRefs", "Programmed"].includes(type);
    if (!isBad) return [];
    const reason = textAt(condition, "reason") ?? "";
    const message = textAt(condition, "message") ?? "";
    if (reason === "Pending") return [];
    return [
      {
        isSure: true,
        what: `its controller reports ${type}: False, ${reason}${message === "" ? "" : `: ${message.replace(/\.$/, "")}`}`,
        causeKind: "dependency",
        evidence: [referenceTo(source, `${type}: False, ${reason}: ${message}`)],
      },
    ];
  });
}
