/** Settings, accounts, roles and quotas from the text of `kubectl describe`. */

import type { KubernetesObject } from "../../model/evidence.ts";
import {
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

/** Descriptions of what pods refer to and are held to. */
export const settingDescriptions: readonly DescriptionReader[] = [
  {
    kind: "ServiceAccount",
    fields: ["Image pull secrets", "Mountable secrets"],
    read: readServiceAccount,
  },
  { kind: "RoleBinding", fields: ["Role", "Subjects"], read: readBinding },
  { kind: "Role", fields: ["PolicyRule"], read: readRole },
  { kind: "Secret", fields: ["Type", "Annotations", "Labels"], read: readSecret },
  { kind: "Namespace", fields: ["Status", "Labels", "Annotations"], read: readNamespace },
  { kind: "ResourceQuota", fields: ["Resource  Used  Hard"], read: readQuota },
  { kind: "ConfigMap", fields: ["Annotations", "Labels"], read: readConfigMap },
  { kind: "ResourceQuota", fields: ["Name", "Namespace"], read: readQuota },
];

function readServiceAccount({ fields, metadata }: Description): KubernetesObject[] {
  return [
    {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { ...metadata, ...annotated(fields) },
      imagePullSecrets: valuesOf(fields, "Image pull secrets").map((name) => ({
        name: name.replace(/ \(not found\)$/, ""),
      })),
      ...mark("kubectl describe serviceaccount", ["automountServiceAccountToken"]),
    },
  ];
}

/** The keys of a secret with the sizes of their values; the values are never printed. */
function readSecret({ fields, lines, metadata }: Description): KubernetesObject[] {
  const dataAt = lines.findIndex((line) => /^Data\s*$/.test(line));
  if (dataAt < 0) return [];
  const keys = lines.slice(dataAt + 1).flatMap((line) => {
    const key = /^([-._a-zA-Z0-9]+):\s+\d+ bytes/.exec(line)?.[1];
    return key === undefined ? [] : [key];
  });
  return [
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { ...metadata, labels: parseLabels(valuesOf(fields, "Labels")) },
      type: textOf(fields, "Type") ?? "Opaque",
      data: Object.fromEntries(keys.map((key) => [key, null])),
      ...mark("kubectl describe secret", []),
    },
  ];
}

/** Each key stands above a line of dashes, its value below. */
function readConfigMap({ fields, lines, metadata }: Description): KubernetesObject[] {
  const dataAt = lines.findIndex((line) => /^Data\s*$/.test(line));
  if (dataAt < 0) return [];
  const data: Record<string, string> = {};
  let key: string | undefined;
  let value: string[] = [];
  const finish = (): void => {
    if (key !== undefined) data[key] = value.join("\n").trim();
    value = [];
  };
  for (let index = dataAt + 1; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    if (/^(?:BinaryData|Events:.*)\s*$/.test(line)) break;
    const named = /^([-._a-zA-Z0-9]+):\s*$/.exec(line)?.[1];
    if (named !== undefined && /^-{4}\s*$/.test(lines[index + 1] ?? "")) {
      finish();
      key = named;
      index += 1;
    } else value.push(line);
  }
  finish();
  return [
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { ...metadata, ...annotated(fields) },
      data,
      ...mark("kubectl describe configmap", ["binaryData"]),
    },
  ];
}

function readNamespace({ fields, metadata }: Description): KubernetesObject[] {
  return [
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: metadata.name, ...annotated(fields) },
      status: { phase: textOf(fields, "Status") ?? "Active" },
      ...mark("kubectl describe namespace", []),
    },
  ];
}

/** A table of resources that is not below any field. */
function readQuota({ lines, metadata }: Description): KubernetesObject[] {
  const headerAt = lines.findIndex((line) => /^Resource\s+Used\s+Hard\s*$/.test(line));
  if (headerAt < 0) return [];
  const rows = tableRecords({ name: "", values: [], lines: lines.slice(headerAt) });
  const amounts = (column: string): Record<string, string> =>
    Object.fromEntries(
      rows.flatMap((row) => {
        const amount = row.get(column) ?? "";
        return amount === "" ? [] : [[row.get("Resource") ?? "", amount]];
      }),
    );
  return [
    {
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata,
      spec: { hard: amounts("Hard") },
      status: { hard: amounts("Hard"), used: amounts("Used") },
      ...mark("kubectl describe resourcequota", ["spec.scopes", "spec.scopeSelector"]),
    },
  ];
}

/** A role of a cluster is printed as one of a namespace is, but for the namespace. */
function readRole({ fields, metadata }: Description): KubernetesObject[] {
  const isOfCluster = one(fields, "Namespace") === undefined;
  const kind = isOfCluster ? "ClusterRole" : "Role";
  return [
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind,
      metadata: isOfCluster ? { name: metadata.name } : metadata,
      rules: tableRecords(one(fields, "PolicyRule")).map((row) => ruleOf(row)),
      ...mark(`kubectl describe ${kind.toLowerCase()}`, []),
    },
  ];
}

/** `deployments.apps/scale  []  [web]  [get list]`. */
function ruleOf(row: ReadonlyMap<string, string>): Record<string, unknown> {
  const list = (text: string | undefined): string[] =>
    (text ?? "")
      .replaceAll(/[[\]]/g, "")
      .split(" ")
      .filter((word) => word !== "");
  const [whole = "", subresource] = (row.get("Resources") ?? "").split("/");
  const dot = whole.indexOf(".");
  const resource = dot < 0 ? whole : whole.slice(0, dot);
  const names = list(row.get("Resource Names"));
  const urls = list(row.get("Non-Resource URLs"));
  return {
    apiGroups: [dot < 0 ? (whole === "*" ? "*" : "") : whole.slice(dot + 1)],
    resources: [subresource === undefined ? resource : `${resource}/${subresource}`],
    verbs: list(row.get("Verbs")),
    ...(names.length === 0 ? {} : { resourceNames: names }),
    ...(urls.length === 0 ? {} : { nonResourceURLs: urls }),
  };
}

function readBinding({ fields, metadata }: Description): KubernetesObject[] {
  const isOfCluster = one(fields, "Namespace") === undefined;
  const kind = isOfCluster ? "ClusterRoleBinding" : "RoleBinding";
  const role = fieldsOf(one(fields, "Role")?.lines ?? []);
  return [
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind,
      metadata: isOfCluster ? { name: metadata.name } : metadata,
      roleRef: { kind: textOf(role, "Kind") ?? "", name: textOf(role, "Name") ?? "" },
      subjects: tableRecords(one(fields, "Subjects")).map((row) => ({
        kind: row.get("Kind") ?? "",
        name: row.get("Name") ?? "",
        ...((row.get("Namespace") ?? "") === "" ? {} : { namespace: row.get("Namespace") }),
      })),
      ...mark(`kubectl describe ${kind.toLowerCase()}`, []),
    },
  ];
}

function annotated(fields: readonly DescribedField[]): Record<string, unknown> {
  return {
    labels: parseLabels(valuesOf(fields, "Labels")),
    annotations: parseLabelLines(valuesOf(fields, "Annotations")),
  };
}
