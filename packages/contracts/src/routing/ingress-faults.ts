/** What keeps an Ingress from being served: its class, its rules, its certificates, its backends. */

import type { Objects } from "../kubernetes/objects.ts";
import { backendFaults } from "./backend-fault.ts";
import { certificateFaults } from "./certificate.ts";
import type { EntryFault } from "./entry-fault.ts";
import { classFaults } from "./ingress-class.ts";
import { describePath, type Ingress, type IngressPath } from "./ingress.ts";

/** All faults of an Ingress, the surest causes first. */
export function ingressFaults(
  ingress: Ingress,
  all: readonly Ingress[],
  objects: Objects,
): EntryFault[] {
  const { subject, defaultBackend, namespace } = ingress;
  const backends = [...ingress.paths, ...(defaultBackend === undefined ? [] : [defaultBackend])];
  const seen = new Set<string>();
  return [
    ...classFaults(ingress, objects),
    ...backends.flatMap((item) => {
      const key = `${item.serviceName ?? ""}:${item.port ?? ""}`;
      if (item.serviceName === undefined || seen.has(key)) return [];
      seen.add(key);
      return backendFaults(
        {
          namespace,
          service: item.serviceName,
          port: item.port,
          field: "backend.service.name",
          place: `${describePath(item)} of Ingress ${subject.name}`,
          isNamespaceStated: ingress.isNamespaceStated || ingress.isLive,
        },
        objects,
      );
    }),
    ...ruleFaults(ingress),
    ...conflicts(ingress, all),
    ...ingress.tls.flatMap(({ secretName }) =>
      certificateFaults(
        { namespace, secretName, annotations: ingress.annotations, words: "tls" },
        objects,
      ),
    ),
    ...addressFaults(ingress),
  ];
}

function ruleFaults(ingress: Ingress): EntryFault[] {
  const { hosts, paths, needsPathType, isPathTypeKnown, subject } = ingress;
  const badHosts = [...new Set(hosts)].filter((host) => host !== "" && !isHost(host));
  const untyped =
    isPathTypeKnown && needsPathType ? paths.filter((item) => item.pathType === undefined) : [];
  const wrongType = paths.filter(
    ({ pathType }) =>
      pathType !== undefined && !["Exact", "Prefix", "ImplementationSpecific"].includes(pathType),
  );
  const relative = paths.filter(
    ({ path, pathType }) =>
      path !== "" && !path.startsWith("/") && (pathType === "Exact" || pathType === "Prefix"),
  );
  const fault = (what: string, fix: string): EntryFault => ({
    isSure: true,
    what,
    fixes: [{ description: fix, cost: 2 }],
  });
  return [
    ...badHosts.map((host) =>
      fault(
        `the host ${host} is not a DNS name`,
        `Set spec.rules.host of ${subject.name} from ${host} to ${bareHost(host)}.`,
      ),
    ),
    ...untyped.slice(0, 1).map((item): EntryFault => ({
      isSure: false,
      what: `the path ${describePath(item)} has no pathType, without which the API refuses it`,
      missing: ["the pathType of the path, as the cluster has it"],
      fixes: [
        { description: `Set pathType of ${describePath(item)} in ${subject.name} to Prefix.` },
      ],
    })),
    ...wrongType.map((item) =>
      fault(
        `the pathType ${item.pathType ?? ""} of ${describePath(item)} is none of Exact, Prefix and ImplementationSpecific`,
        `Set pathType of ${describePath(item)} in ${subject.name} from ${item.pathType ?? ""} to Prefix.`,
      ),
    ),
    ...relative.map((item) =>
      fault(
        `the path ${item.path} does not begin with /`,
        `Set path of ${describePath(item)} in ${subject.name} from ${item.path} to /${item.path}.`,
      ),
    ),
  ];
}

/** A wildcard may stand for the first label alone; an address, a scheme or a port is no host. */
function isHost(host: string): boolean {
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(host) || host.length > 253) return false;
  return /^(?:\*\.)?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/.test(
    host,
  );
}

function bareHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/^[a-z]+:\/\//, "")
    .replace(/[:/].*$/, "");
}

/** Two Ingresses, or two rules of one, that send the same path to different services. */
function conflicts(ingress: Ingress, all: readonly Ingress[]): EntryFault[] {
  if (isMeantToShare(ingress)) return [];
  const rivals = all.filter(
    (other) => !isMeantToShare(other) && classOf(other) === classOf(ingress),
  );
  for (const item of ingress.paths) {
    for (const rival of rivals) {
      const other = rival.paths.find(
        (path) =>
          path !== item && isSamePath(path, item) && leadsElsewhere(path, item, rival === ingress),
      );
      if (other === undefined || (rival !== ingress && item.host === "")) continue;
      return [
        {
          isSure: true,
          what:
            rival === ingress
              ? `it sends ${describePath(item)} both to ${item.serviceName ?? "?"}:${item.port ?? "?"} and to ${other.serviceName ?? "?"}:${other.port ?? "?"}`
              : `${describePath(item)} is claimed by Ingress ${rival.subject.name}, too, which sends it to ${other.serviceName ?? "?"}:${other.port ?? "?"}`,
          fixes: [
            {
              description: `Keep one rule for ${describePath(item)}: drop it from ${rival.subject.name} or from ${ingress.subject.name}.`,
            },
          ],
        },
      ];
    }
  }
  return [];
}

function isSamePath(left: IngressPath, right: IngressPath): boolean {
  return (
    left.host === right.host &&
    (left.path || "/") === (right.path || "/") &&
    (left.pathType ?? "") === (right.pathType ?? "")
  );
}

/** The same service under the same name in another namespace is another service. */
function leadsElsewhere(left: IngressPath, right: IngressPath, isOneIngress: boolean): boolean {
  return !isOneIngress || left.serviceName !== right.serviceName || left.port !== right.port;
}

function isMeantToShare({ annotations }: Ingress): boolean {
  return [...annotations].some(
    ([name, value]) =>
      (name.endsWith("/canary") && value === "true") || name.endsWith("/mergeable-ingress-type"),
  );
}

function classOf({ className, annotatedClass }: Ingress): string {
  return className ?? annotatedClass ?? "";
}

/** A controller writes the address once it serves an Ingress. */
function addressFaults({ isLive, hasAddress, namespace, source }: Ingress): EntryFault[] {
  if (!isLive || hasAddress) return [];
  return [
    {
      isSure: false,
      what: "it has no address, so no controller is known to serve it",
      missing: [
        "whether its controller runs: its pods, its logs and the events of the Ingress (some controllers never write an address)",
      ],
      nextChecks: [`kubectl describe ingress -n ${namespace} ${source.object.metadata.name}`],
    },
  ];
}
