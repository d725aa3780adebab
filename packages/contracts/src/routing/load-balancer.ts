/** Services of type LoadBalancer that wait for an address. */

import type { FindingParts } from "../model/make-finding.ts";
import { isPresentAt, listAt, textAt } from "../kubernetes/fields.ts";
import { eventsInOrder } from "../kubernetes/event-order.ts";
import { type Objects, referenceTo, type Source } from "../kubernetes/objects.ts";
import { entryFinding, type EntryFault } from "./entry-fault.ts";
import { type Service, servicesOf } from "./service.ts";

const millisPerMinute = 60_000;

/** A finding for each load balancer that exists in a cluster; manifests have no address yet. */
export function loadBalancerFindings(objects: Objects, pendingMinutesMax: number): FindingParts[] {
  const now = newestTime(objects);
  return servicesOf(objects).flatMap((service): FindingParts[] => {
    const { object } = service.source;
    if (service.type !== "LoadBalancer" || !service.isLive || !isPresentAt(object, "status")) {
      return [];
    }
    const addresses = listAt(object, "status", "loadBalancer", "ingress").map(
      (item) => textAt(item, "ip") ?? textAt(item, "hostname") ?? "?",
    );
    const faults =
      addresses.length > 0 ? [] : [pendingFault(service, objects, { now, pendingMinutesMax })];
    return [
      entryFinding(
        {
          subject: service.subject,
          words: `Service ${service.subject.name}`,
          reference: referenceTo(
            service.source,
            `type: LoadBalancer, address: ${addresses.join(", ") || "<pending>"}`,
          ),
          good: `has the address ${addresses.join(", ")}`,
        },
        faults,
      ),
    ];
  });
}

function pendingFault(
  service: Service,
  objects: Objects,
  { now, pendingMinutesMax }: { now: number | undefined; pendingMinutesMax: number },
): EntryFault {
  const warning = eventsInOrder(objects).find((event) => isAbout(event, service));
  const message = warning === undefined ? "" : (textAt(warning.object, "message") ?? "");
  const nextChecks = [
    `kubectl describe service -n ${service.namespace} ${service.name}`,
    "kubectl get nodes -o jsonpath={.items[*].spec.providerID}: whether a cloud stands behind the nodes",
  ];
  const fixes = [
    {
      description: `Run a provider of load balancers (a cloud's controller, MetalLB, kube-vip), or set spec.type of ${service.subject.name} from LoadBalancer to NodePort.`,
    },
  ];
  if (warning !== undefined) {
    return {
      isSure: true,
      what: `it gets no address: ${message}`,
      causeKind: "dependency",
      evidence: [referenceTo(warning, message)],
      nextChecks,
    };
  }
  const created = timeOf(textAt(service.source.object, "metadata", "creationTimestamp"));
  const minutes =
    created === undefined || now === undefined ? undefined : (now - created) / millisPerMinute;
  if (minutes !== undefined && minutes > pendingMinutesMax) {
    return {
      isSure: true,
      what: `it has waited ${Math.floor(minutes)} minutes for an address, and nobody reports to work on it: the cluster has no provider of load balancers`,
      causeKind: "dependency",
      fixes,
      nextChecks,
    };
  }
  return {
    isSure: false,
    what: "it waits for an address, and whether somebody will give it one is not known",
    missing: [
      "the events of the service, and whether the cluster has a provider of load balancers",
    ],
    fixes,
    nextChecks,
  };
}

function isAbout({ object }: Source, { namespace, name }: Service): boolean {
  return (
    /^(?:SyncLoadBalancerFailed|CreatingLoadBalancerFailed|AllocationFailed|UnAvailableLoadBalancer)$/.test(
      textAt(object, "reason") ?? "",
    ) &&
    textAt(object, "involvedObject", "name") === name &&
    (textAt(object, "involvedObject", "namespace") ?? object.metadata.namespace ?? "default") ===
      namespace
  );
}

/** The latest moment that the evidence tells of, in milliseconds: when it was taken, or somewhat before. */
function newestTime(objects: Objects): number | undefined {
  let newest: number | undefined;
  const look = (text: string | undefined): void => {
    const time = timeOf(text);
    if (time !== undefined && (newest === undefined || time > newest)) newest = time;
  };
  for (const { object } of eventsInOrder(objects)) {
    for (const field of ["lastTimestamp", "eventTime", "firstTimestamp"])
      look(textAt(object, field));
  }
  for (const kind of ["Pod", "Node", "Service", "Deployment"]) {
    for (const { object } of objects.of(kind)) {
      look(textAt(object, "metadata", "creationTimestamp"));
      for (const condition of listAt(object, "status", "conditions")) {
        for (const field of ["lastHeartbeatTime", "lastTransitionTime", "lastUpdateTime"]) {
          look(textAt(condition, field));
        }
      }
    }
  }
  return newest;
}

function timeOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{4}-\d\d-\d\dT/.test(text)) return undefined;
  const time = Date.parse(text);
  return Number.isFinite(time) ? time : undefined;
}
