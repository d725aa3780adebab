/** Rows about services, ingresses, scaling and disruption. */

import type { KubernetesObject } from "../../model/evidence.ts";
import type { Row, RowReader } from "./table-row.ts";
import { mark, parseLabels } from "./text-object.ts";

/** Tables of how pods are reached, scaled and kept. */
export const networkRows: readonly RowReader[] = [
  {
    kind: "Service",
    columns: ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)"],
    read: readService,
  },
  { kind: "Ingress", columns: ["NAME", "CLASS", "HOSTS", "PORTS"], read: readIngress },
  { kind: "Endpoints", columns: ["NAME", "ENDPOINTS", "AGE"], isExact: true, read: readEndpoints },
  {
    kind: "HorizontalPodAutoscaler",
    columns: ["NAME", "REFERENCE", "TARGETS", "MINPODS", "MAXPODS"],
    read: readAutoscaler,
  },
  {
    kind: "PodDisruptionBudget",
    columns: ["NAME", "MIN AVAILABLE", "MAX UNAVAILABLE", "ALLOWED DISRUPTIONS"],
    read: readBudget,
  },
];

function readService(row: Row): KubernetesObject {
  const selector = row.cell("SELECTOR");
  const clusterIP = row.cell("CLUSTER-IP");
  const externalIP = row.cell("EXTERNAL-IP");
  const type = row.cell("TYPE") ?? "ClusterIP";
  const isPending = externalIP === "<pending>";
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: row.identity(),
    spec: {
      type,
      ...(clusterIP === undefined ? {} : { clusterIP }),
      ports: servicePorts(row.cell("PORT(S)") ?? ""),
      ...(selector === undefined ? {} : { selector: parseLabels(selector.split(",")) }),
      ...(type === "ExternalName" && externalIP !== undefined ? { externalName: externalIP } : {}),
    },
    status:
      type === "LoadBalancer" && externalIP !== undefined && !isPending
        ? { loadBalancer: { ingress: [{ ip: externalIP }] } }
        : { loadBalancer: {} },
    ...mark("kubectl get services", [
      "spec.ports.targetPort",
      "spec.ports.name",
      ...(selector === undefined ? ["spec.selector"] : []),
      ...row.unknownLabels(),
    ]),
  };
}

/** `80:30080/TCP,443/TCP`. */
function servicePorts(text: string): Record<string, unknown>[] {
  return text.split(",").flatMap((part) => {
    const [, port, nodePort, protocol] =
      /^(\d{1,5})(?::(\d{1,5}))?\/(\w+)$/.exec(part.trim()) ?? [];
    if (port === undefined) return [];
    return [
      {
        port: Number(port),
        protocol: protocol ?? "TCP",
        ...(nodePort === undefined ? {} : { nodePort: Number(nodePort) }),
      },
    ];
  });
}

function readIngress(row: Row): KubernetesObject {
  const hosts = (row.cell("HOSTS") ?? "").split(",").filter((host) => host !== "" && host !== "*");
  const address = row.cell("ADDRESS");
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: row.identity(),
    spec: { ...row.field("ingressClassName", "CLASS"), rules: hosts.map((host) => ({ host })) },
    status: { loadBalancer: address === undefined ? {} : { ingress: [{ ip: address }] } },
    ...mark("kubectl get ingresses", [
      "spec.rules.http",
      "spec.defaultBackend",
      ...row.unknownLabels(),
    ]),
  };
}

/** `10.0.0.1:80,10.0.0.2:80 + 3 more...`; only ready addresses are printed. */
function readEndpoints(row: Row): KubernetesObject {
  const text = row.cell("ENDPOINTS") ?? "";
  const pairs = text
    .replace(/ \+ \d+ more\.\.\.$/, "")
    .split(",")
    .flatMap((part) => {
      const at = part.lastIndexOf(":");
      return at <= 0 ? [] : [{ ip: part.slice(0, at), port: Number(part.slice(at + 1)) }];
    });
  const ports = [...new Set(pairs.map(({ port }) => port))].filter(Number.isInteger);
  return {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: row.identity(),
    subsets:
      pairs.length === 0
        ? []
        : [
            {
              addresses: [...new Set(pairs.map(({ ip }) => ip))].map((ip) => ({ ip })),
              ports: ports.map((port) => ({ port })),
            },
          ],
    ...mark("kubectl get endpoints", ["subsets.notReadyAddresses", "subsets.ports.name"]),
  };
}

function readAutoscaler(row: Row): KubernetesObject {
  const [kind = "", name = ""] = (row.cell("REFERENCE") ?? "").split("/");
  const targets = row.cell("TARGETS");
  return {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: row.identity(),
    spec: {
      scaleTargetRef: { kind, name },
      ...integer("minReplicas", row.number("MINPODS")),
      ...integer("maxReplicas", row.number("MAXPODS")),
    },
    status: {
      ...integer("currentReplicas", row.number("REPLICAS")),
      ...(targets === undefined ? {} : { shown: { targets } }),
    },
    ...mark("kubectl get hpa", [
      "spec.metrics",
      "status.conditions",
      "status.currentMetrics",
      ...row.unknownLabels(),
    ]),
  };
}

function integer(name: string, value: number | undefined): Record<string, number> {
  return value === undefined ? {} : { [name]: value };
}

function readBudget(row: Row): KubernetesObject {
  const bound = (name: string, column: string): Record<string, number | string> => {
    const text = row.cell(column);
    if (text === undefined || text === "N/A") return {};
    return { [name]: /^\d{1,9}$/.test(text) ? Number(text) : text };
  };
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: row.identity(),
    spec: {
      ...bound("minAvailable", "MIN AVAILABLE"),
      ...bound("maxUnavailable", "MAX UNAVAILABLE"),
    },
    status: integer("disruptionsAllowed", row.number("ALLOWED DISRUPTIONS")),
    ...mark("kubectl get pdb", ["spec.selector", "status.currentHealthy", "status.desiredHealthy"]),
  };
}
