/** Whether the service that an entry leads to exists, with the port that the entry names. */

import { type Objects, referenceTo } from "../kubernetes/objects.ts";
import { compareText } from "../text/compare-text.ts";
import { nearestName } from "../text/nearest-name.ts";
import { isTypo } from "../text/typo.ts";
import type { EntryFault } from "./entry-fault.ts";
import { describePort, type Service, serviceAt, servicesOf } from "./service.ts";

/** A service and a port that an entry names. */
export interface BackendReference {
  readonly namespace: string;
  readonly service: string;
  readonly port: number | string | undefined;
  /** The field that names the service, for the words of a fix. */
  readonly field: string;
  /** Where it stands, for example `app.example.com/ of Ingress shop/web`. */
  readonly place: string;
  /** The entry says in which namespace it lies. */
  readonly isNamespaceStated: boolean;
}

/** What stands between an entry and its backend. */
export function backendFaults(backend: BackendReference, objects: Objects): EntryFault[] {
  const service = serviceAt(objects, backend.namespace, backend.service);
  return service === undefined ? [missingService(backend, objects)] : portFaults(backend, service);
}

function missingService(backend: BackendReference, objects: Objects): EntryFault {
  const { namespace, service: name, field, place } = backend;
  const services = servicesOf(objects);
  const here = services.filter((service) => service.namespace === namespace);
  const elsewhere = services
    .filter((service) => service.name === name && service.isNamespaceStated)
    .sort((left, right) => compareText(left.namespace, right.namespace))[0];
  const near = nearestName(
    name,
    here.map((service) => service.name),
  );
  const what = `Service ${namespace}/${name}, the backend of ${place}, does not exist`;
  if (near === undefined && elsewhere !== undefined && backend.isNamespaceStated) {
    return {
      isSure: true,
      what: `${what}; a service of that name lies in the namespace ${elsewhere.namespace}, out of its reach`,
      evidence: [referenceTo(elsewhere.source)],
      fixes: [
        {
          description: `Move the entry to the namespace ${elsewhere.namespace}, or create in ${namespace} a Service ${name} of type ExternalName for ${name}.${elsewhere.namespace}.svc.cluster.local.`,
        },
      ],
    };
  }
  if (here.length === 0) {
    return {
      isSure: false,
      what: `whether Service ${namespace}/${name}, the backend of ${place}, exists is not known`,
      missing: [`the services of the namespace ${namespace}`],
      nextChecks: [`kubectl get service -n ${namespace} ${name} -o yaml`],
    };
  }
  // A name that is a slip of one that is there was meant by it, whoever makes others.
  const isSlip = near !== undefined && isTypo(name, near);
  const maker = isSlip ? undefined : operatorKindOf(namespace, here, objects);
  if (maker !== undefined) {
    return {
      isSure: false,
      what: `whether Service ${namespace}/${name}, the backend of ${place}, exists is not known`,
      missing: [
        `the services that a cluster has: what answers to ${maker} may make some of its own`,
      ],
      nextChecks: [`kubectl get service -n ${namespace} ${name} -o yaml`],
    };
  }
  return {
    isSure: true,
    what: near === undefined ? what : `${what}; ${near} does`,
    evidence: here.slice(0, 10).map((service) => referenceTo(service.source)),
    fixes:
      near === undefined
        ? [
            {
              description: `Create Service ${namespace}/${name}, or name one that exists in ${field}.`,
            },
          ]
        : [{ description: `Set ${field} of ${place} from ${name} to ${near}.`, cost: 2 }],
    nextChecks: [`kubectl get services -n ${namespace}`],
  };
}

/** Groups of the API whose objects make no services. */
const plainGroup =
  /^\w+(?:\/|$)|\.k8s\.io\/|^(?:cert-manager|acme\.cert-manager|external-secrets|\w+\.istio)\.io\/|^monitoring\.coreos\.com\/|^traefik\./;

/**
 * A kind of custom resource in the namespace of manifests: its operator makes services that no manifest has. What a
 * cluster was seen to hold is all there is.
 */
function operatorKindOf(
  namespace: string,
  services: readonly Service[],
  objects: Objects,
): string | undefined {
  if (services.some((service) => service.isLive)) return undefined;
  return objects
    .all()
    .find(
      ({ object }) =>
        object.metadata.namespace === namespace && !plainGroup.test(object.apiVersion),
    )?.object.kind;
}

function portFaults(backend: BackendReference, service: Service): EntryFault[] {
  const { port, place, field } = backend;
  // A name for a host outside has the ports of that host.
  if (port === undefined || service.type === "ExternalName") return [];
  const known = service.ports.filter((item) => item.port !== undefined);
  if (known.length === 0) return [];
  if (typeof port === "string" && service.ports.every((item) => item.name === undefined)) {
    if (service.source.object["faultlineText"] !== undefined) return [];
  }
  const isThere = known.some((item) =>
    typeof port === "number" ? item.port === port : item.name === port,
  );
  if (isThere) return [];
  const target = known.find((item) => item.targetPort === port);
  const near =
    typeof port === "string"
      ? nearestName(
          port,
          known.flatMap(({ name }) => name ?? []),
        )
      : undefined;
  const [only] = known.length === 1 ? known : [];
  const right = target?.port ?? near ?? only?.port;
  const why =
    target === undefined
      ? `it has ${known.map(describePort).join(", ")}`
      : `${port} is the targetPort behind its port ${target.port ?? ""}`;
  return [
    {
      isSure: true,
      what: `Service ${service.subject.name}, the backend of ${place}, has no port ${port}: ${why}`,
      evidence: [referenceTo(service.source, `ports: ${known.map(describePort).join(", ")}`)],
      fixes:
        right === undefined
          ? []
          : [
              {
                description: `Set the port beside ${field} of ${place} from ${port} to ${right}.`,
                cost: 2,
                verified: true,
              },
            ],
    },
  ];
}
