/** The Kubernetes objects of a snapshot as one cluster: each object once, in its best record. */

import type { EvidenceId, EvidenceReference, KubernetesObject } from "../model/evidence.ts";
import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import { canonicalJson } from "../snapshot/canonical-json.ts";
import { flatText } from "../text/cut-text.ts";
import { integerAt, isPresentAt } from "./fields.ts";
import { withoutEmptyStatus } from "./empty-status.ts";
import { readFrom } from "./text-mark.ts";

/** An object of the evidence and where it stands. */
export interface Source {
  readonly object: KubernetesObject;
  readonly evidenceId: EvidenceId;
  /** A memory and no state: most findings refer to an object without a quote, and all of them by one value. */
  reference?: EvidenceReference | undefined;
}

/** The objects of a snapshot, gathered once for all contracts that read it. Neither order nor repetition matters. */
export function objectsOf(snapshot: Snapshot): Objects {
  const known = objectsBySnapshot.get(snapshot);
  if (known !== undefined) return known;
  const objects = new Objects(snapshot);
  objectsBySnapshot.set(snapshot, objects);
  return objects;
}

/** A memory and no state: the same snapshot always has the same objects. */
const objectsBySnapshot = new WeakMap<Snapshot, Objects>();

/** Kinds whose objects belong to no namespace. */
const clusterScoped: ReadonlySet<string> = new Set([
  "APIService",
  "CSIDriver",
  "CSINode",
  "ClusterRole",
  "ClusterRoleBinding",
  "CustomResourceDefinition",
  "DeviceClass",
  "GatewayClass",
  "IngressClass",
  "MutatingWebhookConfiguration",
  "Namespace",
  "Node",
  "PersistentVolume",
  "PriorityClass",
  "ResourceSlice",
  "RuntimeClass",
  "StorageClass",
  "ValidatingWebhookConfiguration",
  "VolumeAttachment",
]);

/** Kinds that other groups of the API have, too, for other things, with the groups that are meant by the bare name. */
const groupsOfKind: ReadonlyMap<string, RegExp> = new Map([
  ["Gateway", /^gateway\.networking\.k8s\.io\//],
  ["Ingress", /^(?:networking\.k8s\.io|extensions)\//],
  ["NetworkPolicy", /^(?:networking\.k8s\.io|extensions)\//],
  ["Service", /^v1$/],
]);

/** The kind of an object, with its group where another kind goes by the bare name: `Gateway.networking.istio.io`. */
function kindOf({ kind, apiVersion }: KubernetesObject): string {
  const groups = groupsOfKind.get(kind);
  if (groups === undefined || groups.test(apiVersion)) return kind;
  return `${kind}.${apiVersion.split("/")[0] ?? ""}`;
}

export class Objects {
  /** Events, each record of one; they have no identity beyond their content. */
  readonly events: readonly Source[];
  readonly #byKind = new Map<string, Map<string, Source>>();
  readonly #sorted = new Map<string, readonly Source[]>();
  readonly #records = new Map<string, Source[]>();

  constructor(snapshot: Snapshot) {
    const events: Source[] = [];
    for (const { id, content } of evidenceOfKind(snapshot, "kubernetes")) {
      for (const found of content.objects) {
        const object = withoutEmptyStatus(found);
        const source: Source = { object, evidenceId: id, reference: undefined };
        if (object.kind === "Event") events.push(source);
        else this.#add(source);
      }
    }
    this.events = events;
  }

  /** The objects of a kind, by namespace and name. */
  of(kind: string): readonly Source[] {
    const known = this.#sorted.get(kind);
    if (known !== undefined) return known;
    const sorted = [...(this.#byKind.get(kind) ?? [])]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([, source]) => source);
    this.#sorted.set(kind, sorted);
    return sorted;
  }

  /** Every object, by kind, namespace and name. Events are not among them. */
  all(): readonly Source[] {
    return [...this.#byKind.keys()].sort().flatMap((kind) => this.of(kind));
  }

  /** One object; `namespace` counts only for kinds that have one. */
  get(kind: string, namespace: string, name: string): Source | undefined {
    return this.#byKind.get(kind)?.get(keyOf(kind, namespace, name));
  }

  /** Whether the evidence holds any object of a kind: where it holds none, nothing is known about the kind. */
  has(kind: string): boolean {
    return this.#byKind.has(kind);
  }

  /** The kinds of which the evidence holds objects, in the order of the alphabet. */
  kinds(): readonly string[] {
    return [...this.#byKind.keys()].sort();
  }

  /** Every record of one object, the best first: its manifest, what the API gave, what a text printed. */
  recordsOf(object: KubernetesObject): readonly Source[] {
    const records = this.#records.get(`${kindOf(object)}/${nameOf(object)}`) ?? [];
    return records.length < 2
      ? records
      : [...records].sort((left, right) => (isBetter(left, right) ? -1 : 1));
  }

  #add(source: Source): void {
    const kind = kindOf(source.object);
    const key = nameOf(source.object);
    const records = this.#records.get(`${kind}/${key}`);
    if (records === undefined) this.#records.set(`${kind}/${key}`, [source]);
    else records.push(source);
    const known = this.#byKind.get(kind) ?? new Map<string, Source>();
    this.#byKind.set(kind, known);
    const other = known.get(key);
    if (other === undefined || isBetter(source, other)) known.set(key, source);
  }
}

/** An object as people name it: `namespace/name`, or the name alone for kinds without a namespace. */
export function nameOf({ kind, metadata }: KubernetesObject): string {
  return keyOf(kind, metadata.namespace ?? "default", metadata.name);
}

/** A pointer to an object, as `Kind/namespace/name`, with words from it when given. */
export function referenceTo(source: Source, quote?: string): EvidenceReference {
  const { object, evidenceId } = source;
  source.reference ??= Object.freeze({
    evidenceId,
    locator: flatText(`${object.kind}/${nameOf(object)}`),
  });
  return quote === undefined ? source.reference : { ...source.reference, quote };
}

function keyOf(kind: string, namespace: string, name: string): string {
  return clusterScoped.has(kind) ? name : `${namespace}/${name}`;
}

/**
 * Of two records of one object: what was seen in a cluster over a manifest, an object of the API over text, a
 * description over a table, the newer version, the one with a status. A table tells too little to stand before a
 * manifest. What is left is settled by content, so that the order of the evidence never matters.
 */
function isBetter(left: Source, right: Source): boolean {
  const [one, other] = [rankOf(left), rankOf(right)];
  for (const [index, rank] of one.entries()) {
    const otherRank = other[index] ?? 0;
    if (rank !== otherRank) return rank > otherRank;
  }
  return canonicalJson(left.object) > canonicalJson(right.object);
}

function rankOf({ object }: Source): number[] {
  const command = readFrom(object);
  const described =
    object.kind === "PersistentVolumeClaim"
      ? "kubectl describe pvc"
      : `kubectl describe ${object.kind.toLowerCase()}`;
  const detail = command === undefined ? 2 : Number(command === described);
  const hasStatus = isPresentAt(object, "status");
  return [
    Number(hasStatus && detail > 0),
    detail,
    integerAt(object, "metadata", "resourceVersion") ?? 0,
    integerAt(object, "metadata", "generation") ?? 0,
    Number(hasStatus),
    Number(isPresentAt(object, "spec", "nodeName")),
  ];
}
