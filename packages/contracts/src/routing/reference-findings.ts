/** Judges the names of services that one workload refers to. */

import type { EvidenceReference } from "../model/evidence.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { integerAt, isTrueAt, listAt, textAt } from "../kubernetes/fields.ts";
import { type Objects, referenceTo } from "../kubernetes/objects.ts";
import type { KnownPod } from "../kubernetes/pods.ts";
import { compareText } from "../text/compare-text.ts";
import { nearestName } from "../text/nearest-name.ts";
import { plural } from "../text/plural.ts";
import { type NameReference, referencesOf } from "./name-reference.ts";
import { describePort, type Service, serviceAt, servicesOf } from "./service.ts";
import { isSameThing } from "../text/typo.ts";

interface Surroundings {
  readonly objects: Objects;
  readonly clusterDomain: string;
}

interface NameFault {
  readonly isSure: boolean;
  readonly what: string;
  readonly fixes: NonNullable<FindingParts["fixes"]>;
  readonly missing: readonly string[];
  readonly evidence: readonly EvidenceReference[];
}

/** The finding about a workload; nothing when its pods name no service. */
export function judgeReferences(
  workload: string,
  pods: readonly KnownPod[],
  around: Surroundings,
): FindingParts | undefined {
  const byName = new Map<string, NameReference>();
  for (const pod of pods) {
    for (const reference of referencesOf(pod, around.objects)) {
      byName.set(`${reference.host}:${reference.port ?? ""}`, reference);
    }
  }
  const references = [...byName.values()];
  const [pod] = pods;
  if (pod === undefined || references.length === 0) return undefined;
  const faults = [
    ...references.flatMap((reference) => referenceFault(reference, pod, around) ?? []),
    ...resolverFaults(pod, references, around.objects),
  ];
  const sure = faults.filter((fault) => fault.isSure);
  const shown = sure.length > 0 ? sure : faults;
  const words = `${workload.slice(workload.indexOf("/") + 1).replace("/", " ")} of ${pod.namespace}`;
  const base = {
    subject: { kind: "workload", name: workload },
    measures: { nameCount: references.length, faultCount: sure.length },
    evidence:
      shown.length > 0
        ? shown.flatMap((fault) => fault.evidence)
        : references.map((item) => item.evidence),
  };
  const [first] = shown;
  if (first === undefined) {
    const services = references.map(({ host, port }) =>
      port === undefined ? host : `${host}:${port}`,
    );
    return {
      ...base,
      verdict: "holds",
      title: `${words} calls ${plural(references.length, "service")} by name, and each exists.`,
      actual: `${services.join(", ")}.`,
    };
  }
  const what = shown.map((fault) => fault.what).join("; ");
  const isViolated = sure.length > 0;
  return {
    ...base,
    verdict: isViolated ? "violated" : "inconclusive",
    title: `${words}: ${isViolated ? first.what : what}${isViolated && shown.length > 1 ? ` (and ${plural(shown.length - 1, "more fault")})` : ""}.`,
    actual: `${what}.`,
    ...(isViolated ? { causeKind: "configuration" as const } : {}),
    missing: isViolated ? [] : shown.flatMap((fault) => fault.missing),
    fixes: shown.flatMap((fault) => fault.fixes),
    nextChecks: [
      `kubectl get services -n ${pod.namespace}`,
      "nslookup NAME from a pod of the workload",
    ],
  };
}

function referenceFault(
  reference: NameReference,
  pod: KnownPod,
  around: Surroundings,
): NameFault | undefined {
  const domain = domainFault(reference, around);
  if (domain !== undefined) return domain;
  const { namespace, service: name } = reference;
  if (namespace === "default" && name === "kubernetes") return undefined;
  const service = serviceAt(around.objects, namespace, name);
  return service === undefined
    ? missingFault(reference, pod, around)
    : hasVariantWith(reference.port, service, around.objects)
      ? undefined
      : portFault(reference, service);
}

/**
 * Whether another manifest of the service has the port: which of a chart's or overlay's variants is applied is not known.
 * A service that was seen in a cluster has the ports that it has, whatever it had before.
 */
function hasVariantWith(
  port: number | undefined,
  { source, isLive }: Service,
  objects: Objects,
): boolean {
  return (
    port !== undefined &&
    !isLive &&
    objects
      .recordsOf(source.object)
      .some((record) =>
        listAt(record.object, "spec", "ports").some((item) => integerAt(item, "port") === port),
      )
  );
}

/** `svc.cluster.loca`: a slip in the domain of the cluster. Other domains may be the cluster's own. */
function domainFault(
  reference: NameReference,
  { clusterDomain }: Surroundings,
): NameFault | undefined {
  if (reference.form !== "cluster") return undefined;
  const domain = /\.svc\.(.+)$/.exec(reference.host)?.[1];
  if (domain === undefined || domain === clusterDomain) return undefined;
  if (nearestName(domain, [clusterDomain]) === undefined) return undefined;
  const right = reference.host.replace(/\.svc\..+$/, `.svc.${clusterDomain}`);
  return {
    isSure: true,
    what: `${reference.place} names ${reference.host}, whose domain ${domain} is not ${clusterDomain}`,
    fixes: [
      { description: `Change ${reference.place} from ${reference.host} to ${right}.`, cost: 2 },
    ],
    missing: [],
    evidence: [reference.evidence],
  };
}

function missingFault(
  reference: NameReference,
  pod: KnownPod,
  { objects }: Surroundings,
): NameFault {
  const { namespace, service: name, host, place, port } = reference;
  const services = servicesOf(objects);
  const here = services.filter((service) => service.namespace === namespace);
  const elsewhere = services
    .filter((service) => service.name === name && service.namespace !== namespace)
    .sort((left, right) => compareText(left.namespace, right.namespace))[0];
  const near = nearestName(
    name,
    here.map((service) => service.name),
  );
  const written = port === undefined ? host : `${host}:${port}`;
  const what = `${place} names ${written}, and there is no Service ${name} in ${namespace}`;
  const change = (to: string): NonNullable<FindingParts["fixes"]>[number] => ({
    description: `Change ${place} from ${host} to ${to}.`,
    cost: 2,
    verified: true,
  });
  const isStated = pod.isNamespaceStated || reference.isNamespaceNamed;
  if (elsewhere !== undefined && isStated && elsewhere.isNamespaceStated) {
    return {
      isSure: true,
      what: `${what}; a service of that name lies in the namespace ${elsewhere.namespace}`,
      fixes: [change(host.replace(/^([^.]+)(\.[^.]+)?/, `$1.${elsewhere.namespace}`))],
      missing: [],
      evidence: [reference.evidence, referenceTo(elsewhere.source)],
    };
  }
  const slip = near !== undefined && isSameThing(name, near) ? near : undefined;
  // Manifests are often applied beside others, as those of a chart, which bring services of their own: only what was
  // read from a cluster shows that one does not exist.
  const isWhole = here.some((service) => service.isLive);
  const isSure =
    here.length > 0 &&
    (slip !== undefined || (isWhole && reference.form !== "address")) &&
    !isOutsideName(reference);
  return {
    isSure,
    what: slip === undefined ? what : `${what}; ${slip} exists`,
    fixes: slip === undefined ? [] : [change(host.replace(name, slip))],
    missing: [
      here.length === 0
        ? `the services of the namespace ${namespace}: whether one is named ${name}`
        : `whether ${host} is the name of a service, or of a host that the cluster's DNS knows otherwise`,
    ],
    evidence: [
      reference.evidence,
      ...here.slice(0, 10).map((service) => referenceTo(service.source)),
    ],
  };
}

/** Two labels may be a name outside, although a namespace is called like its last. */
function isOutsideName({ form, host }: NameReference): boolean {
  return form !== "cluster" && host.includes(".");
}

function portFault(reference: NameReference, service: Service): NameFault | undefined {
  const { port, place, host } = reference;
  // The name of a headless service leads to the pods themselves, and an ExternalName to another host.
  if (port === undefined || service.isHeadless || service.type === "ExternalName") return undefined;
  const known = service.ports.filter((item) => item.port !== undefined);
  if (known.length === 0 || known.some((item) => item.port === port)) return undefined;
  const target = known.find((item) => item.targetPort === port);
  const [only] = known.length === 1 ? known : [];
  const right = target?.port ?? only?.port;
  const why =
    target === undefined
      ? `it has ${known.map(describePort).join(", ")}`
      : `${port} is the targetPort behind its port ${target.port ?? ""}`;
  return {
    isSure: true,
    what: `${place} names ${host}:${port}, and Service ${service.subject.name} has no port ${port}: ${why}`,
    fixes: [
      ...(right === undefined
        ? []
        : [
            {
              description: `Change ${place} from ${host}:${port} to ${host}:${right}.`,
              cost: 2,
              verified: true,
            },
          ]),
      {
        description: `Or add port ${port} to Service ${service.subject.name}.`,
        cost: 3,
      },
    ],
    missing: [],
    evidence: [
      reference.evidence,
      referenceTo(service.source, `ports: ${known.map(describePort).join(", ")}`),
    ],
  };
}

/** A pod that asks the resolver of its node, or none, cannot look up the names of services. */
function resolverFaults(
  pod: KnownPod,
  references: readonly NameReference[],
  objects: Objects,
): NameFault[] {
  const { spec, source } = pod;
  const known = references.find(
    ({ namespace, service }) => serviceAt(objects, namespace, service) !== undefined,
  );
  if (known === undefined || source.object["faultlineText"] !== undefined) return [];
  const policy = textAt(spec, "dnsPolicy") ?? "ClusterFirst";
  const onHost = isTrueAt(spec, "hostNetwork");
  const hasServers = listAt(spec, "dnsConfig", "nameservers").length > 0;
  const isCut = policy === "Default" || (policy === "ClusterFirst" && onHost);
  if (!isCut || hasServers) return [];
  const right = onHost ? "ClusterFirstWithHostNet" : "ClusterFirst";
  const why =
    onHost && policy === "ClusterFirst"
      ? "hostNetwork with dnsPolicy ClusterFirst"
      : `dnsPolicy ${policy}`;
  return [
    {
      isSure: true,
      what: `${why} asks the resolver of the node, which does not know ${known.host}`,
      fixes: [
        {
          description: `Set dnsPolicy of ${pod.subject.kind} ${pod.subject.name} from ${policy} to ${right}.`,
          cost: 2,
        },
      ],
      missing: [],
      evidence: [referenceTo(source, why), known.evidence],
    },
  ];
}
