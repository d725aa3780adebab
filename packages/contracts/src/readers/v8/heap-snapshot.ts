/**
 * Reads heap snapshots of V8 (`v8.writeHeapSnapshot()`, DevTools, `--heapsnapshot-signal`) as they come in: what there is
 * of each constructor, by number and by the bytes of the objects themselves. Edges are passed over, so that a snapshot of
 * any size takes little memory; what an object keeps alive besides itself is not told.
 */

import type { ResourcesContent } from "../../model/resources.ts";
import { cutText } from "../../text/cut-text.ts";
import { compareText } from "../../text/compare-text.ts";
import type { FileContent, FormatInput, FormatStream } from "../format.ts";
import { nameRecording } from "../recording/name-recording.ts";
import { HeapNodes, type NodeKind, noSnapshot } from "./heap-nodes.ts";
import { v8Limits } from "./limits.ts";
import { TextList } from "./text-list.ts";
import { parsedJson } from "../../text/json-text.ts";

/** Whether a document begins as a snapshot does. */
export function recogniseHeapSnapshot(head: string | undefined): boolean {
  return head !== undefined && /^\s*\{\s*"snapshot"\s*:\s*\{[\s\S]*"node_fields"\s*:/.test(head);
}

/** Reads a whole one. */
export function readHeapSnapshot(input: FormatInput): FileContent {
  const stream = new HeapSnapshotStream(input);
  stream.push(input.bytes);
  return stream.end();
}

/** What is being read: the header, the nodes, what lies between them and the texts, the texts, the rest. */
type Part = "header" | "nodes" | "between" | "texts" | "rest";

const nodesBegin = /,\s*"nodes"\s*:\s*\[/;
const textsName = new TextEncoder().encode('"strings"');
const opening = 91;
const closing = 93;
const zero = 48;
const nine = 57;

export class HeapSnapshotStream implements FormatStream {
  readonly spanCount = 0;
  readonly #file: Pick<FormatInput, "name" | "folder">;
  #part: Part = "header";
  #header = "";
  readonly #decoder = new TextDecoder("latin1");
  #nodes: HeapNodes | undefined;
  #texts: TextList | undefined;
  #number = -1;
  /** Bytes of the name of the texts that were seen last, and whether all were. */
  #matched = 0;

  constructor(file: Pick<FormatInput, "name" | "folder">) {
    this.#file = { name: file.name, ...(file.folder === undefined ? {} : { folder: file.folder }) };
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) at = this.#take(chunk, at);
  }

  end(): FileContent {
    const [nodes, texts] = [this.#nodes, this.#texts];
    if (nodes === undefined || texts === undefined || !texts.isEnded) {
      throw noSnapshot("The snapshot ends in the middle.");
    }
    return { contents: [contentOf({ nodes, texts: texts.texts, file: this.#file })], notes: [] };
  }

  #take(chunk: Uint8Array, at: number): number {
    switch (this.#part) {
      case "header":
        return this.#takeHeader(chunk, at);
      case "nodes":
        return this.#takeNodes(chunk, at);
      case "between":
        return this.#findTexts(chunk, at);
      case "texts": {
        const end = this.#texts?.push(chunk, at) ?? chunk.length;
        if (this.#texts?.isEnded === true) this.#part = "rest";
        return end;
      }
      case "rest":
        return chunk.length;
    }
  }

  #takeHeader(chunk: Uint8Array, at: number): number {
    const room = v8Limits.headerBytesMax - this.#header.length;
    const before = this.#header.length;
    this.#header += this.#decoder.decode(chunk.subarray(at, at + Math.max(room, 0)));
    const found = nodesBegin.exec(this.#header);
    if (found === null) {
      if (this.#header.length >= v8Limits.headerBytesMax) throw noSnapshot("It has no nodes.");
      return chunk.length;
    }
    this.#nodes = new HeapNodes(parsedJson(`${this.#header.slice(0, found.index)}}`));
    const end = found.index + found[0].length;
    this.#header = "";
    this.#part = "nodes";
    return at + end - before;
  }

  #takeNodes(chunk: Uint8Array, from: number): number {
    const nodes = this.#nodes;
    if (nodes === undefined) return chunk.length;
    let number = this.#number;
    for (let at = from; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (byte >= zero && byte <= nine) {
        number = number < 0 ? byte - zero : number * 10 + (byte - zero);
        continue;
      }
      if (number >= 0) nodes.add(number);
      number = -1;
      if (byte !== closing) continue;
      nodes.end();
      this.#number = -1;
      this.#part = "between";
      return at + 1;
    }
    this.#number = number;
    return chunk.length;
  }

  /** Between the nodes and the texts stand numbers and names of lists alone. */
  #findTexts(chunk: Uint8Array, from: number): number {
    for (let at = from; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (this.#matched === textsName.length) {
        if (byte !== opening) continue;
        this.#texts = new TextList(wantedOf(this.#nodes?.kinds() ?? []));
        this.#part = "texts";
        return at + 1;
      }
      if (this.#matched === 0) {
        // Most of it are the numbers of edges, which the search of bytes passes over at once.
        const next = chunk.indexOf(textsName[0] ?? 0, at);
        if (next < 0) return chunk.length;
        at = next;
        this.#matched = 1;
      } else if (byte === textsName[this.#matched]) this.#matched += 1;
      else this.#matched = byte === textsName[0] ? 1 : 0;
    }
    return chunk.length;
  }
}

/** Of the kinds those that are large or many. */
function keptKinds(kinds: readonly NodeKind[]): NodeKind[] {
  const { keptKindCountMax } = v8Limits;
  if (kinds.length <= keptKindCountMax) return [...kinds];
  const half = keptKindCountMax / 2;
  const largest = kinds.toSorted((left, right) => right.bytes - left.bytes).slice(0, half);
  const most = kinds.toSorted((left, right) => right.count - left.count).slice(0, half);
  return [...new Set([...largest, ...most])];
}

function wantedOf(kinds: readonly NodeKind[]): Set<number> {
  return new Set(
    keptKinds(kinds).flatMap(({ nameIndex }) => (nameIndex === undefined ? [] : [nameIndex])),
  );
}

interface Read {
  readonly nodes: HeapNodes;
  readonly texts: ReadonlyMap<number, string>;
  readonly file: Pick<FormatInput, "name" | "folder">;
}

function contentOf({ nodes, texts, file }: Read): ResourcesContent {
  const held = new Map<string, ResourcesContent["held"][number]>();
  for (const kind of keptKinds(nodes.kinds())) {
    const type = nameOf(kind, texts);
    const key = `${type}\n${kind.isDetached ? "detached" : ""}`;
    const known = held.get(key);
    if (known === undefined) {
      held.set(key, {
        type,
        ...(kind.isDetached ? { state: "detached" } : {}),
        count: kind.count,
        bytes: kind.bytes,
      });
    } else {
      known.count += kind.count;
      known.bytes = (known.bytes ?? 0) + kind.bytes;
    }
  }
  const figures: Record<string, number> = {
    "heap.usedBytes": nodes.totalBytes,
    "heap.nodeCount": nodes.nodeCount,
    "heap.edgeCount": nodes.edgeCountSaid,
    "heap.idMax": nodes.idMax,
  };
  if (nodes.externalBytes > 0) figures["external.bytes"] = nodes.externalBytes;
  return {
    kind: "resources",
    recording: nameRecording(file),
    of: "heap",
    isOfProcess: true,
    held: [...held].sort(([left], [right]) => compareText(left, right)).map(([, thing]) => thing),
    figures,
  };
}

/** A constructor by its name, and everything else in brackets, as DevTools shows it. */
function nameOf({ type, nameIndex }: NodeKind, texts: ReadonlyMap<number, string>): string {
  if (nameIndex === undefined) return `(${type})`;
  const name = cutText((texts.get(nameIndex) ?? "").toWellFormed(), v8Limits.nameLengthMax);
  if (type === "closure") return `function ${name === "" ? "(anonymous)" : name}`;
  return name === "" ? `(${type})` : name;
}
