/** Compares the recorded addresses of a service with its pods and its ports. */

import type { FindingParts } from "../model/make-finding.ts";
import { listAt, textAt, textsAt } from "../kubernetes/fields.ts";
import { type Objects, referenceTo } from "../kubernetes/objects.ts";
import { type KnownPod, podsByNamespace } from "../kubernetes/pods.ts";
import { plural } from "../text/plural.ts";
import type { Endpoint, ServiceEndpoints } from "./endpoints.ts";
import { podReference, selectedPods, selectorReference } from "./selection.ts";
import { describePort, type Service } from "./service.ts";

/** Addresses that one finding lists. */
const addressesListedMax = 10;

interface Case {
  readonly service: Service;
  readonly known: ServiceEndpoints;
  readonly objects: Objects;
  readonly ready: readonly Endpoint[];
  /** Pods of the evidence that the service selects. */
  readonly selected: readonly KnownPod[];
}

/** The finding about a service whose endpoints are in the evidence. */
export function judgeEndpoints(
  service: Service,
  known: ServiceEndpoints,
  objects: Objects,
): FindingParts {
  const pods = podsByNamespace(objects).get(service.namespace) ?? [];
  const item: Case = {
    service,
    known,
    objects,
    ready: known.endpoints.filter((endpoint) => endpoint.isReady),
    selected: service.selector.size === 0 ? [] : selectedPods(service, pods),
  };
  if (known.endpoints.length === 0) return emptyFinding(item);
  if (item.ready.length === 0) return notReadyFinding(item);
  return staleFinding(item, pods) ?? portsFinding(item) ?? localFinding(item) ?? holdsFinding(item);
}

function emptyFinding(item: Case): FindingParts {
  const { service, known, selected } = item;
  const ready = selected.filter((pod) => pod.state.kind === "ready");
  const why =
    ready.length > 0
      ? ` although ${plural(ready.length, "ready pod")} in the evidence fit its selector`
      : selected.length > 0
        ? `; ${plural(selected.length, "pod")} fit its selector, none ready`
        : "";
  return {
    ...about(item),
    verdict: "violated",
    title: `Service ${service.subject.name} has ${known.isComplete ? "no address at all" : "no ready address"}${why}.`,
    actual: `No endpoints${why}.`,
    causeKind: selected.length > 0 ? "dependency" : "configuration",
    nextChecks: nextChecks(service),
  };
}

function notReadyFinding(item: Case): FindingParts {
  const { service, known, selected } = item;
  const reasons = selected.flatMap((pod) =>
    "reason" in pod.state ? [`${pod.subject.name}: ${pod.state.reason}`] : [],
  );
  const why = reasons.length === 0 ? "" : ` (${reasons.slice(0, 3).join("; ")})`;
  return {
    ...about(item),
    verdict: service.publishesNotReady ? "holds" : "violated",
    title: service.publishesNotReady
      ? `Service ${service.subject.name} publishes ${known.endpoints.length} addresses that are not ready, as it asks for.`
      : `Service ${service.subject.name} has ${known.endpoints.length} addresses, none ready${why}.`,
    actual: `0 of ${known.endpoints.length} addresses are ready${why}.`,
    ...(service.publishesNotReady ? {} : { causeKind: "dependency" as const }),
    nextChecks: [
      ...known.endpoints
        .slice(0, 1)
        .map(
          ({ podName = "POD" }) =>
            `kubectl describe pod -n ${service.namespace} ${podName}: its readiness probe and events`,
        ),
      ...nextChecks(service),
    ],
  };
}

/** Addresses of pods that are gone. Sure only when no ready address belongs to a pod that exists. */
function staleFinding(item: Case, pods: readonly KnownPod[]): FindingParts | undefined {
  const { service, ready } = item;
  const addresses = new Set(pods.flatMap(addressesOf));
  const names = new Set(
    pods.flatMap((pod) => (pod.isTemplate || pod.state.kind === "over" ? [] : [nameOf(pod)])),
  );
  if (service.selector.size === 0 || addresses.size === 0) return undefined;
  const stale = ready.filter(
    ({ podName, address }) =>
      !addresses.has(address) && (podName === undefined || !names.has(podName)),
  );
  if (stale.length === 0) return undefined;
  const list = stale.slice(0, addressesListedMax).map(({ address }) => address);
  const isAll = stale.length === ready.length;
  return {
    ...about(item),
    verdict: isAll ? "violated" : "inconclusive",
    title: `${stale.length} of ${ready.length} addresses of Service ${service.subject.name} belong to no pod of ${service.namespace}: ${list.join(", ")}.`,
    actual: `Addresses without a pod: ${list.join(", ")}.`,
    ...(isAll ? { causeKind: "configuration" as const } : {}),
    missing: isAll ? [] : ["pods and endpoints of one moment: pods may have changed in between"],
    nextChecks: nextChecks(service),
  };
}

function addressesOf(pod: KnownPod): string[] {
  if (pod.state.kind === "over") return [];
  const { object } = pod.source;
  const address = textAt(object, "status", "podIP");
  return [
    ...(address === undefined ? [] : [address]),
    ...listAt(object, "status", "podIPs").flatMap((entry) => textAt(entry, "ip") ?? []),
  ];
}

function nameOf(pod: KnownPod): string {
  return pod.source.object.metadata.name;
}

/** Each port of the service has one of its name and protocol among the endpoints, with the number it leads to. */
function portsFinding(item: Case): FindingParts | undefined {
  const { service, known } = item;
  if (service.selector.size === 0 || service.ports.length === 0) return undefined;
  // Text prints numbers alone, so that names cannot be compared.
  if (!service.isTargetKnown || !known.isComplete || known.ports.length === 0) return undefined;
  const lost = service.ports.filter(
    (port) =>
      !known.ports.some(
        (other) => other.name === (port.name ?? "") && other.protocol === port.protocol,
      ),
  );
  const moved = service.ports.filter((port) => {
    const other = known.ports.find(
      ({ name, protocol }) => name === (port.name ?? "") && protocol === port.protocol,
    );
    return (
      typeof port.targetPort === "number" &&
      other?.port !== undefined &&
      other.port !== port.targetPort
    );
  });
  const wrong = [...lost, ...moved];
  const [first] = wrong;
  if (first === undefined) return undefined;
  const recorded = known.ports
    .map(({ name, port, protocol }) => `${name} ${port ?? "?"}/${protocol}`.trim())
    .join(", ");
  return {
    ...about(item),
    verdict: "violated",
    title: `Port ${describePort(first)} of Service ${service.subject.name} has no endpoint of its own: recorded are ${recorded}.`,
    actual: `Ports without endpoints: ${wrong.map(describePort).join(", ")}; recorded: ${recorded}.`,
    causeKind: "configuration",
    fixes:
      typeof first.targetPort === "string"
        ? [
            {
              description: `Give the container port that port ${describePort(first)} leads to the name ${first.targetPort}, or set targetPort to its number.`,
            },
          ]
        : [],
    nextChecks: nextChecks(service),
  };
}

/** With traffic kept to the node, clients on a node without a pod of the service get no answer. */
function localFinding(item: Case): FindingParts | undefined {
  const { service, ready, objects } = item;
  const spec = service.source.object["spec"];
  const isLocal = textAt(spec, "internalTrafficPolicy") === "Local";
  const nodes = objects.of("Node").map(({ object }) => object.metadata.name);
  const held = new Set(ready.flatMap(({ nodeName }) => nodeName ?? []));
  if (isLocal && nodes.length > 0 && held.size > 0) {
    const bare = nodes.filter((name) => !held.has(name));
    if (bare.length === 0) return undefined;
    return {
      ...about(item),
      verdict: "inconclusive",
      title: `Service ${service.subject.name} keeps traffic on the node (internalTrafficPolicy: Local), and ${bare.length} of ${nodes.length} nodes have no ready pod of it: ${bare.slice(0, 5).join(", ")}.`,
      actual: `Nodes without a ready address: ${bare.join(", ")}.`,
      missing: ["whether clients of the service run on these nodes"],
      fixes: [
        {
          description: `Set spec.internalTrafficPolicy of Service ${service.subject.name} from Local to Cluster.`,
        },
      ],
    };
  }
  return hintsFinding(item);
}

/** Hints keep traffic in a zone; a zone that has nodes and no endpoint kept for it gets none. */
function hintsFinding(item: Case): FindingParts | undefined {
  const { service, ready, objects } = item;
  if (ready.some((endpoint) => endpoint.hintZones === undefined)) return undefined;
  const hinted = new Set(ready.flatMap((endpoint) => endpoint.hintZones ?? []));
  const zones = new Set(
    objects
      .of("Node")
      .flatMap(
        ({ object }) =>
          textsAt(object, "metadata", "labels").get("topology.kubernetes.io/zone") ?? [],
      ),
  );
  const bare = [...zones].filter((zone) => !hinted.has(zone)).sort();
  if (bare.length === 0) return undefined;
  return {
    ...about(item),
    verdict: "inconclusive",
    title: `No endpoint of Service ${service.subject.name} is kept for the zone ${bare.join(", ")}, which has nodes.`,
    actual: `Hints name ${[...hinted].sort().join(", ")}.`,
    missing: [
      "whether kube-proxy falls back to all zones, as it does where a zone has no hint, or the hints are stale",
    ],
    nextChecks: nextChecks(service),
  };
}

function holdsFinding(item: Case): FindingParts {
  const { service, ready, known } = item;
  const list = ready.slice(0, addressesListedMax).map(({ address }) => address);
  return {
    ...about(item),
    verdict: "holds",
    title: `Service ${service.subject.name} has ${ready.length} ready of ${known.endpoints.length} addresses.`,
    actual: `Ready: ${list.join(", ")}.`,
  };
}

function about(item: Case): Pick<FindingParts, "subject" | "measures" | "evidence"> {
  const { service, known, ready, selected } = item;
  return {
    subject: service.subject,
    measures: {
      addressCount: known.endpoints.length,
      readyAddressCount: ready.length,
      selectedPodCount: selected.length,
    },
    evidence: [
      ...known.sources.map((source) =>
        referenceTo(
          source,
          `${known.endpoints.filter((endpoint) => endpoint.source === source).length} addresses`,
        ),
      ),
      selectorReference(service),
      ...selected.slice(0, addressesListedMax).map(podReference),
    ],
  };
}

function nextChecks({ namespace, name }: Service): string[] {
  return [
    `kubectl get endpointslices -n ${namespace} -l kubernetes.io/service-name=${name} -o yaml`,
    `kubectl get pods -n ${namespace} --show-labels -o wide`,
  ];
}
