/** Counts the nodes of a snapshot by what they are, number after number. */

import { isFields } from "../../model/fields.ts";
import { EvidenceError } from "../evidence-error.ts";
import { v8Limits } from "./limits.ts";

/** Nodes of one kind. */
export interface NodeKind {
  readonly type: string;
  /** The place of its name among the texts; absent for kinds whose names are values, such as strings. */
  readonly nameIndex: number | undefined;
  readonly isDetached: boolean;
  count: number;
  bytes: number;
}

/** Types whose nodes have the name of a constructor or a function. */
const namedTypes: ReadonlySet<string> = new Set(["object", "closure", "native"]);
const detached = 2;
const nameRoom = 2 ** 32;

/** Where the fields of a node stand, as the header of the snapshot says. */
interface Layout {
  readonly types: readonly string[];
  readonly fieldCount: number;
  readonly type: number;
  readonly name: number;
  readonly id: number;
  readonly selfSize: number;
  readonly detachedness: number;
}

export class HeapNodes {
  readonly nodeCountSaid: number;
  readonly edgeCountSaid: number;
  readonly externalBytes: number;
  readonly #layout: Layout;
  readonly #node: Float64Array;
  #filled = 0;
  nodeCount = 0;
  totalBytes = 0;
  /** The highest id, which only grows while a process runs. */
  idMax = 0;
  readonly #kinds = new Map<number, NodeKind>();
  /** Kinds beyond the limit. */
  readonly others: NodeKind = {
    type: "others",
    nameIndex: undefined,
    isDetached: false,
    count: 0,
    bytes: 0,
  };

  constructor(header: unknown) {
    const snapshot = isFields(header) ? header["snapshot"] : undefined;
    const meta = isFields(snapshot) ? snapshot["meta"] : undefined;
    if (!isFields(snapshot) || !isFields(meta)) throw noSnapshot("It has no snapshot.meta.");
    this.#layout = layoutOf(meta["node_fields"], meta["node_types"]);
    this.#node = new Float64Array(this.#layout.fieldCount);
    this.nodeCountSaid = numberOr(snapshot["node_count"]);
    this.edgeCountSaid = numberOr(snapshot["edge_count"]);
    this.externalBytes = numberOr(snapshot["extra_native_bytes"]);
  }

  /** Takes the next number of the list of nodes. */
  add(value: number): void {
    this.#node[this.#filled] = value;
    this.#filled += 1;
    if (this.#filled < this.#layout.fieldCount) return;
    this.#filled = 0;
    this.#count();
  }

  /** The list has ended. Throws where it ended within a node. */
  end(): void {
    const isWhole = this.nodeCountSaid === 0 || this.nodeCount === this.nodeCountSaid;
    if (this.#filled > 0 || !isWhole) {
      throw noSnapshot(`It says ${this.nodeCountSaid} nodes and has ${this.nodeCount}.`);
    }
  }

  kinds(): NodeKind[] {
    return [...this.#kinds.values(), ...(this.others.count > 0 ? [this.others] : [])];
  }

  #count(): void {
    const { types, type, name, id, selfSize, detachedness } = this.#layout;
    const typeIndex = this.#node[type] ?? 0;
    const bytes = this.#node[selfSize] ?? 0;
    this.nodeCount += 1;
    if (id >= 0) this.idMax = Math.max(this.idMax, this.#node[id] ?? 0);
    this.totalBytes += bytes;
    if (this.nodeCount > v8Limits.nodeCountMax) throw noSnapshot("It has too many nodes.");
    const isNamed = namedTypes.has(types[typeIndex] ?? "");
    const nameIndex = isNamed ? (this.#node[name] ?? 0) : 0;
    const isDetached = detachedness >= 0 && this.#node[detachedness] === detached;
    // A key of numbers alone, because there are as many nodes as objects.
    const key = (typeIndex * 2 + (isDetached ? 1 : 0)) * nameRoom + nameIndex;
    let kind = this.#kinds.get(key);
    if (kind === undefined) {
      if (this.#kinds.size >= v8Limits.kindCountMax) kind = this.others;
      else {
        kind = {
          type: types[typeIndex] ?? "unknown",
          nameIndex: isNamed ? nameIndex : undefined,
          isDetached,
          count: 0,
          bytes: 0,
        };
        this.#kinds.set(key, kind);
      }
    }
    kind.count += 1;
    kind.bytes += bytes;
  }
}

function layoutOf(fields: unknown, types: unknown): Layout {
  const names: readonly unknown[] = Array.isArray(fields) ? fields : [];
  const lists: readonly unknown[] = Array.isArray(types) ? types : [];
  const typeAt = names.indexOf("type");
  const known = lists[typeAt];
  const layout = {
    types: (Array.isArray(known) ? (known as readonly unknown[]) : []).map((name) =>
      typeof name === "string" ? name : "unknown",
    ),
    fieldCount: names.length,
    type: typeAt,
    name: names.indexOf("name"),
    id: names.indexOf("id"),
    selfSize: names.indexOf("self_size"),
    detachedness: names.indexOf("detachedness"),
  };
  const isKnown = layout.type >= 0 && layout.name >= 0 && layout.selfSize >= 0;
  if (!isKnown || names.length > v8Limits.nodeFieldCountMax) {
    throw noSnapshot("Its node_fields are not those of a snapshot.");
  }
  return layout;
}

function numberOr(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

/** The error of what began as a snapshot and is none. */
export function noSnapshot(message: string): EvidenceError {
  return new EvidenceError(message, {
    expected: "a heap snapshot of V8: snapshot, nodes, edges, and strings at the end",
  });
}
