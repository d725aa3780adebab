/** Kubernetes objects from the tables that `kubectl get` and `kubectl events` print. */

import type { KubernetesObject } from "../../model/evidence.ts";
import { kubernetesLimits, type Notes, textMarkField } from "./limits.ts";

/** Where a table came from, as far as the lines before it tell. */
export interface TableOrigin {
  /** From `-n NAME` of the recorded command; rows without a NAMESPACE column are taken to lie there. */
  readonly namespace: string | undefined;
}

type Row = ReadonlyMap<string, string>;
type RowReader = (row: Row, origin: TableOrigin) => KubernetesObject | undefined;

/** Each kind of table, known by columns that no other has. */
const tables: readonly { readonly columns: readonly string[]; readonly read: RowReader }[] = [
  { columns: ["NAME", "STATUS", "ROLES", "VERSION"], read: readNode },
  { columns: ["NAME", "READY", "STATUS", "RESTARTS"], read: readPod },
  { columns: ["NAME", "STATUS", "VOLUME", "CAPACITY", "ACCESS MODES"], read: readClaim },
  { columns: ["NAME", "CAPACITY", "ACCESS MODES", "RECLAIM POLICY", "STATUS"], read: readVolume },
  {
    columns: ["NAME", "PROVISIONER", "RECLAIMPOLICY", "VOLUMEBINDINGMODE"],
    read: readStorageClass,
  },
  { columns: ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"], read: readEvent },
];

interface Column {
  readonly name: string;
  readonly start: number;
}

/** Whether a line is the header of a table that can be read. */
export function isTableHeader(line: string): boolean {
  return tableOf(columnsOf(line)) !== undefined;
}

/** The objects of every table in the lines; other lines are left alone. */
export function readTables(
  lines: readonly string[],
  origin: TableOrigin,
  notes: Notes,
): KubernetesObject[] {
  const objects: KubernetesObject[] = [];
  let columns: Column[] = [];
  let read: RowReader | undefined;
  for (const line of lines) {
    if (line.trim() === "") {
      read = undefined;
      continue;
    }
    const headers = columnsOf(line);
    const table = tableOf(headers);
    if (table !== undefined) {
      columns = headers;
      read = table.read;
      continue;
    }
    if (read === undefined) continue;
    const row = rowOf(line, columns);
    const object = row === undefined ? undefined : read(row, origin);
    if (object === undefined)
      notes.add(`A row of a table could not be read: ${line.trim().slice(0, 120)}`);
    else objects.push(object);
    if (objects.length >= kubernetesLimits.objectCountMax) break;
  }
  return objects;
}

function tableOf(columns: readonly Column[]): (typeof tables)[number] | undefined {
  const names = new Set(columns.map((column) => column.name));
  return tables.find((table) => table.columns.every((name) => names.has(name)));
}

/** Column names are upper case and stand two or more spaces apart; one may hold a single space. */
function columnsOf(line: string): Column[] {
  if (line.length > 4_096 || /[a-z]/.test(line)) return [];
  return [...line.matchAll(/\S+(?: \S+)*/g)].map((match) => ({
    name: match[0],
    start: match.index,
  }));
}

function rowOf(line: string, columns: readonly Column[]): Row | undefined {
  const cells = new Map<string, string>();
  for (const [index, { name, start }] of columns.entries()) {
    // kubectl pads every column, so a cell that begins before its header belongs to a broken row.
    if (start > 0 && start < line.length && line[start - 1] !== " ") return undefined;
    cells.set(name, line.slice(start, columns[index + 1]?.start ?? line.length).trim());
  }
  return cells.get("NAME") === "" ? undefined : cells;
}

function readNode(row: Row): KubernetesObject {
  const status = cell(row, "STATUS") ?? "Unknown";
  const states = status.split(",");
  const labels = labelsOf(row);
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: cell(row, "NAME") ?? "", ...(labels === undefined ? {} : { labels }) },
    spec: states.includes("SchedulingDisabled") ? { unschedulable: true } : {},
    status: {
      conditions: [{ type: "Ready", status: states.includes("Ready") ? "True" : "False" }],
    },
    ...mark("kubectl get nodes", [
      ...(labels === undefined ? ["metadata.labels"] : []),
      "spec.taints",
      "status.allocatable",
    ]),
  };
}

function readPod(row: Row, origin: TableOrigin): KubernetesObject {
  const status = cell(row, "STATUS") ?? "";
  const labels = labelsOf(row);
  const node = cell(row, "NODE");
  const isPending = status === "Pending";
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...identity(row, origin), ...(labels === undefined ? {} : { labels }) },
    spec: node === undefined ? {} : { nodeName: node },
    status: {
      ...(["Completed", "Succeeded"].includes(status) ? { phase: "Succeeded" } : {}),
      ...(["Running", "Pending", "Failed"].includes(status) ? { phase: status } : {}),
      // The table says Pending for a pod without a node, and a container's state once it has one.
      conditions: [
        { type: "PodScheduled", status: isPending && node === undefined ? "False" : "True" },
      ],
    },
    ...mark("kubectl get pods", ["spec", ...(labels === undefined ? ["metadata.labels"] : [])]),
  };
}

function readClaim(row: Row, origin: TableOrigin): KubernetesObject {
  const volumeName = cell(row, "VOLUME");
  const storageClassName = cell(row, "STORAGECLASS");
  const volumeMode = cell(row, "VOLUMEMODE");
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: identity(row, origin),
    spec: {
      ...(volumeName === undefined ? {} : { volumeName }),
      ...(storageClassName === undefined ? {} : { storageClassName }),
      ...(volumeMode === undefined ? {} : { volumeMode }),
    },
    status: { phase: cell(row, "STATUS") ?? "Unknown" },
    ...mark("kubectl get pvc", ["spec.resources", "spec.accessModes", "spec.selector"]),
  };
}

function readVolume(row: Row): KubernetesObject {
  const capacity = cell(row, "CAPACITY");
  const storageClassName = cell(row, "STORAGECLASS");
  const [namespace, name] = (cell(row, "CLAIM") ?? "").split("/");
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: cell(row, "NAME") ?? "" },
    spec: {
      ...(capacity === undefined ? {} : { capacity: { storage: capacity } }),
      ...(storageClassName === undefined ? {} : { storageClassName }),
      ...(namespace !== undefined && name !== undefined ? { claimRef: { namespace, name } } : {}),
      accessModes: (cell(row, "ACCESS MODES") ?? "").split(",").map(longAccessMode),
    },
    status: { phase: cell(row, "STATUS") ?? "Unknown" },
    ...mark("kubectl get pv", ["metadata.labels", "spec.nodeAffinity"]),
  };
}

function readStorageClass(row: Row): KubernetesObject {
  const [name = "", ...rest] = (cell(row, "NAME") ?? "").split(" ");
  return {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: {
      name,
      ...(rest.includes("(default)")
        ? { annotations: { "storageclass.kubernetes.io/is-default-class": "true" } }
        : {}),
    },
    provisioner: cell(row, "PROVISIONER") ?? "",
    volumeBindingMode: cell(row, "VOLUMEBINDINGMODE") ?? "Immediate",
    ...mark("kubectl get storageclass", ["allowedTopologies"]),
  };
}

function readEvent(row: Row, origin: TableOrigin): KubernetesObject | undefined {
  const [kind = "", name = ""] = (cell(row, "OBJECT") ?? "").split("/");
  const message = cell(row, "MESSAGE");
  if (name === "" || message === undefined) return undefined;
  const namespace = cell(row, "NAMESPACE") ?? origin.namespace ?? "default";
  return textEvent(
    { kind, name, namespace },
    {
      type: cell(row, "TYPE") ?? "Normal",
      reason: cell(row, "REASON") ?? "",
      message,
      age: cell(row, "LAST SEEN") ?? "",
    },
  );
}

/** What a line of event text says. */
export interface EventText {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  /** As printed, for example `100s (x2 over 6m45s)`. */
  readonly age: string;
}

/** An Event object from a line of text about an object. */
export function textEvent(
  about: { readonly kind: string; readonly name: string; readonly namespace: string },
  { type, reason, message, age }: EventText,
): KubernetesObject {
  const kind = kindOf(about.kind);
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: `${about.name}.${reason}.text`, namespace: about.namespace },
    involvedObject: { kind, name: about.name, namespace: about.namespace },
    type,
    reason,
    message,
    age,
    ...mark("kubectl events", ["lastTimestamp"]),
  };
}

/** The mark of an object that was read from text. */
export function mark(readFrom: string, unknown: readonly string[]): Record<string, unknown> {
  return { [textMarkField]: { readFrom, unknown } };
}

const kindNames: Readonly<Record<string, string>> = {
  pod: "Pod",
  node: "Node",
  persistentvolumeclaim: "PersistentVolumeClaim",
  persistentvolume: "PersistentVolume",
};

function kindOf(text: string): string {
  return kindNames[text.toLowerCase()] ?? text;
}

function identity(row: Row, origin: TableOrigin): { name: string; namespace: string } {
  return {
    name: cell(row, "NAME") ?? "",
    namespace: cell(row, "NAMESPACE") ?? origin.namespace ?? "default",
  };
}

function labelsOf(row: Row): Record<string, string> | undefined {
  const text = row.get("LABELS");
  return text === undefined ? undefined : parseLabels(text.split(","));
}

/** Labels from `key=value` texts; `<none>` and empty texts say that there are none. */
export function parseLabels(texts: readonly string[]): Record<string, string> {
  const labels = new Map<string, string>();
  for (const text of texts) {
    const trimmed = text.trim();
    if (trimmed === "" || trimmed === "<none>") continue;
    const at = trimmed.indexOf("=");
    if (at < 0) labels.set(trimmed, "");
    else labels.set(trimmed.slice(0, at), trimmed.slice(at + 1));
  }
  return Object.fromEntries(labels);
}

const accessModes: Readonly<Record<string, string>> = {
  RWO: "ReadWriteOnce",
  ROX: "ReadOnlyMany",
  RWX: "ReadWriteMany",
  RWOP: "ReadWriteOncePod",
};

function longAccessMode(text: string): string {
  return accessModes[text.trim()] ?? text.trim();
}

/** A cell's text, or nothing when the table says that there is none. */
function cell(row: Row, column: string): string | undefined {
  const text = row.get(column);
  return text === undefined || text === "" || text === "<none>" || text === "<unset>"
    ? undefined
    : text;
}
