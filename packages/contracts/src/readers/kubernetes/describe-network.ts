/** How pods are reached and scaled, from the text of `kubectl describe`. */

import type { KubernetesObject } from "../../model/evidence.ts";
import {
  conditionsOf,
  type DescribedField,
  fieldsOf,
  one,
  parseLabelLines,
  tableRecords,
  textOf,
  valuesOf,
} from "./describe-fields.ts";
import type { Description, DescriptionReader } from "./description.ts";
import { mark, parseLabels } from "./text-object.ts";

/** Descriptions of services and what stands around them. */
export const networkDescriptions: readonly DescriptionReader[] = [
  { kind: "HorizontalPodAutoscaler", fields: ["Reference", "Metrics"], read: readAutoscaler },
  { kind: "Service", fields: ["Selector", "Session Affinity"], read: readService },
  { kind: "Ingress", fields: ["Rules", "Address"], read: readIngress },
  { kind: "Ingress", fields: ["Rules", "Default backend"], read: readIngress },
  { kind: "Endpoints", fields: ["Subsets"], read: readEndpoints },
  { kind: "NetworkPolicy", fields: ["Spec", "Created on"], read: readNetworkPolicy },
  { kind: "PodDisruptionBudget", fields: ["Selector", "Status"], read: readBudget },
];

function readService({ fields, metadata }: Description): KubernetesObject[] {
  const selector = valuesOf(fields, "Selector").flatMap((text) => text.split(","));
  const externalName = textOf(fields, "External Name");
  const clusterIP = textOf(fields, "IP");
  const ingress = textOf(fields, "LoadBalancer Ingress");
  const service: KubernetesObject = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...metadata, labels: parseLabels(valuesOf(fields, "Labels")) },
    spec: {
      type: textOf(fields, "Type") ?? "ClusterIP",
      ...(clusterIP === undefined ? {} : { clusterIP }),
      ...(externalName === undefined ? {} : { externalName }),
      ...(selector.length === 0 ? {} : { selector: parseLabels(selector) }),
      ports: servicePorts(fields),
    },
    status: {
      loadBalancer: ingress === undefined ? {} : { ingress: [{ ip: ingress.split(" ")[0] }] },
    },
    ...mark("kubectl describe service", ["spec.publishNotReadyAddresses"]),
  };
  return [service, ...printedEndpoints(fields, metadata)];
}

/** `Port: http  80/TCP`, then `TargetPort: 8080/TCP` and, for some types, `NodePort: http  30080/TCP`. */
function servicePorts(fields: readonly DescribedField[]): Record<string, unknown>[] {
  const ports: Record<string, unknown>[] = [];
  for (const { name, values } of fields) {
    const text = values.join(" ");
    const last = ports.at(-1);
    if (name === "Port") {
      const [, portName = "", port, protocol] =
        /^(\S+)\s+(\d{1,5})\/(\w+)/.exec(text) ?? /^()(\d{1,5})\/(\w+)/.exec(text) ?? [];
      if (port === undefined) continue;
      const named = portName === "" || portName === "<unset>" ? {} : { name: portName };
      ports.push({ ...named, port: Number(port), protocol: protocol ?? "TCP" });
    } else if (name === "TargetPort" && last !== undefined) {
      const target = /^([^/\s]+)/.exec(text)?.[1];
      if (target !== undefined) {
        last["targetPort"] = /^\d{1,5}$/.test(target) ? Number(target) : target;
      }
    } else if (name === "NodePort" && last !== undefined) {
      const nodePort = /(\d{1,5})\/\w+$/.exec(text)?.[1];
      if (nodePort !== undefined) last["nodePort"] = Number(nodePort);
    }
  }
  return ports;
}

/** A service's description prints its ready endpoints, which are an object of their own. */
function printedEndpoints(
  fields: readonly DescribedField[],
  metadata: Description["metadata"],
): KubernetesObject[] {
  const printed = fields.filter(({ name }) => name === "Endpoints");
  if (printed.length === 0) return [];
  const subsets = printed.flatMap(({ values }) => {
    const pairs = values
      .join(",")
      .split(",")
      .flatMap((text): [string, number][] => {
        const [, ip, port] = /^\s*(\S+):(\d{1,5})\s*$/.exec(text) ?? [];
        return ip === undefined ? [] : [[ip, Number(port)]];
      });
    const [first] = pairs;
    if (first === undefined) return [];
    return [{ addresses: pairs.map(([ip]) => ({ ip })), ports: [{ port: first[1] }] }];
  });
  const isCut = printed.some(({ values }) => /\+ \d+ more/.test(values.join(" ")));
  return [
    {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata,
      subsets,
      ...mark("kubectl describe service", [
        "subsets.notReadyAddresses",
        "subsets.ports.name",
        ...(isCut ? ["subsets.addresses"] : []),
      ]),
    },
  ];
}

function readEndpoints({ fields, metadata }: Description): KubernetesObject[] {
  const inner = fieldsOf(one(fields, "Subsets")?.lines ?? []);
  const subsets: Record<string, unknown>[] = [];
  const addressesOf = (text: string): { ip: string }[] =>
    text === "<none>" ? [] : text.split(",").map((ip) => ({ ip: ip.trim() }));
  for (const field of inner) {
    const [text = "<none>"] = field.values;
    const last = subsets.at(-1);
    if (field.name === "Addresses") subsets.push({ addresses: addressesOf(text) });
    else if (field.name === "NotReadyAddresses" && last !== undefined) {
      last["notReadyAddresses"] = addressesOf(text);
    } else if (field.name === "Ports" && last !== undefined) {
      last["ports"] = tableRecords(field).map((row) => ({
        ...(row.get("Name") === "<unset>" ? {} : { name: row.get("Name") ?? "" }),
        port: Number(row.get("Port")),
        protocol: row.get("Protocol") ?? "TCP",
      }));
    }
  }
  return [
    {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata,
      subsets,
      ...mark("kubectl describe endpoints", []),
    },
  ];
}

function readIngress({ fields, metadata }: Description): KubernetesObject[] {
  const className = textOf(fields, "Ingress Class");
  const address = textOf(fields, "Address");
  const backend = textOf(fields, "Default backend");
  const tls = (one(fields, "TLS")?.lines ?? []).flatMap((line) => {
    const [, secretName, hosts = ""] = /^\s*(\S+) terminates ?(.*)$/.exec(line) ?? [];
    if (secretName === undefined) return [];
    return [{ secretName, hosts: hosts.split(",").filter((host) => host !== "") }];
  });
  return [
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: {
        ...metadata,
        labels: parseLabels(valuesOf(fields, "Labels")),
        annotations: parseLabelLines(valuesOf(fields, "Annotations")),
      },
      spec: {
        ...(className === undefined ? {} : { ingressClassName: className }),
        ...(backend === undefined || backend.startsWith("<default>")
          ? {}
          : { defaultBackend: backendOf(backend) }),
        ...(tls.length === 0 ? {} : { tls }),
        rules: rulesOf(one(fields, "Rules")),
      },
      status: { loadBalancer: address === undefined ? {} : { ingress: [{ ip: address }] } },
      ...mark("kubectl describe ingress", ["spec.rules.http.paths.pathType"]),
    },
  ];
}

/** A host stands on a line of its own, and below it, further right, its paths with their backends. */
function rulesOf(field: DescribedField | undefined): Record<string, unknown>[] {
  const rules: { host: string; http: { paths: Record<string, unknown>[] } }[] = [];
  for (const row of tableRecords(field)) {
    const host = row.get("Host") ?? "";
    const path = row.get("Path") ?? "";
    const text = row.get("Backends") ?? "";
    if (host !== "") rules.push({ host, http: { paths: [] } });
    if (text !== "" && text !== "Backends") {
      rules.at(-1)?.http.paths.push({ path: path === "" ? "/" : path, backend: backendOf(text) });
    }
  }
  return rules.map(({ host, http }) => (host === "*" ? { http } : { host, http }));
}

/** `web:80 (10.0.0.5:8080)`. */
function backendOf(text: string): Record<string, unknown> {
  const [, name, port] = /^([^:\s]+):(\S+)/.exec(text) ?? [];
  if (name === undefined || port === undefined) return {};
  return {
    service: {
      name,
      port: /^\d{1,5}$/.test(port) ? { number: Number(port) } : { name: port },
    },
  };
}

function readNetworkPolicy({ fields, metadata }: Description): KubernetesObject[] {
  const inner = fieldsOf(one(fields, "Spec")?.lines ?? []);
  const selector = valuesOf(inner, "PodSelector").filter((text) => !text.startsWith("<none>"));
  const types = (textOf(inner, "Policy Types") ?? "").split(",").map((text) => text.trim());
  return [
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata,
      spec: {
        podSelector: { matchLabels: parseLabels(selector.flatMap((text) => text.split(","))) },
        policyTypes: types.filter((text) => text !== ""),
      },
      ...mark("kubectl describe networkpolicy", ["spec.ingress", "spec.egress"]),
    },
  ];
}

function readAutoscaler({ fields, metadata }: Description): KubernetesObject[] {
  const [kind = "", name = ""] = (textOf(fields, "Reference") ?? "").split("/");
  const number = (field: string, into: string): Record<string, number> => {
    const text = textOf(fields, field);
    return text !== undefined && /^\d{1,9}$/.test(text) ? { [into]: Number(text) } : {};
  };
  const [, current, desired] =
    /^(\d{1,9}) current \/ (\d{1,9}) desired/.exec(podCounts(fields)) ?? [];
  const metrics = (one(fields, "Metrics")?.lines ?? []).map((line) => line.trim());
  return [
    {
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata,
      spec: {
        scaleTargetRef: { kind, name },
        ...number("Min replicas", "minReplicas"),
        ...number("Max replicas", "maxReplicas"),
      },
      status: {
        ...(current === undefined ? {} : { currentReplicas: Number(current) }),
        ...(desired === undefined ? {} : { desiredReplicas: Number(desired) }),
        conditions: conditionsOf(one(fields, "Conditions")),
        shown: { targets: metrics.join("; ") },
      },
      ...mark("kubectl describe hpa", ["spec.metrics", "status.currentMetrics"]),
    },
  ];
}

/** `Deployment pods: 1 current / 0 desired`. */
function podCounts(fields: readonly DescribedField[]): string {
  return fields.find(({ name }) => name.endsWith(" pods"))?.values[0] ?? "";
}

function readBudget({ fields, metadata }: Description): KubernetesObject[] {
  const bound = (field: string, name: string): Record<string, number | string> => {
    const text = textOf(fields, field);
    if (text === undefined) return {};
    return { [name]: /^\d{1,9}$/.test(text) ? Number(text) : text };
  };
  const inner = fieldsOf(one(fields, "Status")?.lines ?? []);
  const count = (field: string, name: string): Record<string, number> => {
    const text = textOf(inner, field);
    return text !== undefined && /^\d{1,9}$/.test(text) ? { [name]: Number(text) } : {};
  };
  const selector = valuesOf(fields, "Selector").flatMap((text) => text.split(","));
  return [
    {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata,
      spec: {
        ...bound("Min available", "minAvailable"),
        ...bound("Max unavailable", "maxUnavailable"),
        selector: { matchLabels: parseLabels(selector) },
      },
      status: {
        ...count("Allowed disruptions", "disruptionsAllowed"),
        ...count("Current", "currentHealthy"),
        ...count("Desired", "desiredHealthy"),
        ...count("Total", "expectedPods"),
      },
      ...mark("kubectl describe pdb", []),
    },
  ];
}
