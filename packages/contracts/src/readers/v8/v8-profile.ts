/** Reads V8's sampling profiles: `.cpuprofile` (`--cpu-prof`, DevTools) and `.heapprofile` (`--heap-prof`). */

import { type Fields, isFields } from "../../model/fields.ts";
import type { StackFrame } from "../../model/goroutines.ts";
import type { ProfileContent } from "../../model/profile.ts";
import { parseForeignJson } from "../../text/foreign-json.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { startsAsJson } from "../format.ts";
import { FrameTable } from "../goroutines/goroutine-table.ts";
import { nameRecording } from "../recording/name-recording.ts";
import { v8Limits } from "./limits.ts";

/** Whether a document is a profile of the processor. */
export function recogniseCpuProfile(head: string | undefined): boolean {
  return startsAsJson(head) && /^\s*\{\s*"nodes"\s*:\s*\[\s*\{[\s\S]{0,400}?"callFrame"/.test(head);
}

/** Whether a document is a profile of what was allocated and still lives. */
export function recogniseHeapProfile(head: string | undefined): boolean {
  return startsAsJson(head) && /^\s*\{\s*"head"\s*:\s*\{[\s\S]{0,400}?"callFrame"/.test(head);
}

/** Functions that stand for no work of the program. */
const notRunning = /^\((?:idle|root)\)$/;
const nanosPerMicro = 1_000;

interface ProfileNode {
  readonly fields: Fields;
  readonly parent: ProfileNode | undefined;
}

/** Reads a profile of the processor. */
export function readCpuProfile(input: FormatInput): FileContent {
  const document = documentOf(input);
  const list: readonly unknown[] = Array.isArray(document["nodes"]) ? document["nodes"] : [];
  const byId = new Map<unknown, Fields>();
  const parents = new Map<unknown, unknown>();
  for (const node of list) {
    if (!isFields(node)) continue;
    byId.set(node["id"], node);
    const children: readonly unknown[] = Array.isArray(node["children"]) ? node["children"] : [];
    for (const child of children) parents.set(child, node["id"]);
    // Older profiles name the parent instead.
    if (node["parent"] !== undefined) parents.set(node["id"], node["parent"]);
  }
  const spent = spentOf(document, byId);
  const builder = new ProfileBuilder();
  for (const [id, { count, nanos }] of spent) {
    const stack: Fields[] = [];
    for (let at: unknown = id; stack.length < v8Limits.stackDepthMax; at = parents.get(at)) {
      const node = byId.get(at);
      if (node === undefined) break;
      stack.push(node);
    }
    if (notRunning.test(functionOf(stack[0]))) continue;
    builder.add(stack, [count, nanos]);
  }
  const micros = Number(document["endTime"]) - Number(document["startTime"]);
  return builder.content(input, {
    measures: [
      { type: "samples", unit: "count" },
      { type: "cpu", unit: "nanoseconds" },
    ],
    durationNanos: micros > 0 ? micros * nanosPerMicro : undefined,
  });
}

interface Spent {
  count: number;
  nanos: number;
}

/** Each sample stands for the time to the next one; without samples hits are shares of the whole. */
function spentOf(document: Fields, byId: ReadonlyMap<unknown, Fields>): Map<unknown, Spent> {
  const samples: readonly unknown[] = Array.isArray(document["samples"]) ? document["samples"] : [];
  const deltas: readonly unknown[] = Array.isArray(document["timeDeltas"])
    ? document["timeDeltas"]
    : [];
  if (samples.length > v8Limits.cpuSamplesMax) throw noProfile("It has too many samples.");
  const spent = new Map<unknown, Spent>();
  const add = (id: unknown, count: number, nanos: number): void => {
    const known = spent.get(id);
    if (known === undefined) spent.set(id, { count, nanos });
    else {
      known.count += count;
      known.nanos += nanos;
    }
  };
  for (const [index, id] of samples.entries()) {
    const micros = Number(deltas[index + 1] ?? deltas[index] ?? 0);
    if (byId.has(id)) add(id, 1, micros > 0 ? micros * nanosPerMicro : 0);
  }
  if (samples.length > 0) return spent;
  const hits = [...byId].map(([id, node]): [unknown, number] => [
    id,
    Number(node["hitCount"] ?? 0),
  ]);
  const total = hits.reduce((sum, [, count]) => sum + (count > 0 ? count : 0), 0);
  const micros = Number(document["endTime"]) - Number(document["startTime"]);
  for (const [id, count] of hits) {
    if (count > 0) add(id, count, (micros > 0 ? micros * nanosPerMicro * count : 0) / total);
  }
  return spent;
}

/** Reads a profile of allocations that still live. */
export function readHeapProfile(input: FormatInput): FileContent {
  const { head } = documentOf(input);
  if (!isFields(head)) throw noProfile("It has no head.");
  const builder = new ProfileBuilder();
  const waiting: ProfileNode[] = [{ fields: head, parent: undefined }];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    const bytes = Number(node.fields["selfSize"] ?? 0);
    if (bytes > 0) builder.add(stackOf(node), [bytes]);
    const children: readonly unknown[] = Array.isArray(node.fields["children"])
      ? node.fields["children"]
      : [];
    for (const fields of children) if (isFields(fields)) waiting.push({ fields, parent: node });
  }
  return builder.content(input, {
    measures: [{ type: "inuse_space", unit: "bytes" }],
    durationNanos: undefined,
  });
}

function stackOf(node: ProfileNode): Fields[] {
  const stack: Fields[] = [];
  for (
    let at: ProfileNode | undefined = node;
    at !== undefined && stack.length < v8Limits.stackDepthMax;
    at = at.parent
  ) {
    stack.push(at.fields);
  }
  return stack;
}

class ProfileBuilder {
  readonly #frames = new FrameTable();
  readonly #samples = new Map<string, { stack: number[]; values: number[] }>();

  /** Adds what was spent or held at a stack, innermost function first. */
  add(nodes: readonly Fields[], values: readonly number[]): void {
    const stack = nodes
      .map(frameOf)
      .filter((frame) => frame.function !== "(root)")
      .map((frame) => this.#frames.add(frame));
    const key = stack.join(",");
    const known = this.#samples.get(key);
    if (known === undefined) {
      if (this.#samples.size >= v8Limits.samplesMax) throw noProfile("It has too many stacks.");
      this.#samples.set(key, { stack, values: values.map(finite) });
    } else known.values = known.values.map((value, index) => value + finite(values[index] ?? 0));
  }

  content(
    input: FormatInput,
    {
      measures,
      durationNanos,
    }: Pick<ProfileContent, "measures"> & { durationNanos: number | undefined },
  ): FileContent {
    if (this.#samples.size === 0) throw noProfile("It has no samples.");
    const content: ProfileContent = {
      kind: "profile",
      recording: nameRecording(input),
      measures,
      ...(durationNanos === undefined ? {} : { durationNanos }),
      frames: this.#frames.frames,
      samples: [...this.#samples.values()],
    };
    return { contents: [content], notes: [] };
  }
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

function functionOf(node: Fields | undefined): string {
  const frame = node?.["callFrame"];
  const name = isFields(frame) ? frame["functionName"] : undefined;
  return typeof name === "string" && name !== "" ? name : "(anonymous)";
}

/** `remember (server.js)`: names of JavaScript are unique in their file at best. */
function frameOf(node: Fields): StackFrame {
  const frame = node["callFrame"];
  const url = isFields(frame) && typeof frame["url"] === "string" ? frame["url"] : "";
  const line = isFields(frame) ? Number(frame["lineNumber"]) : Number.NaN;
  const name = functionOf(node);
  if (url === "") return { function: name };
  const file = url.startsWith("node:") ? url : url.slice(url.lastIndexOf("/") + 1);
  return {
    function: `${name} (${file})`,
    file: url,
    // V8 counts lines from nothing.
    ...(Number.isSafeInteger(line) && line >= 0 ? { line: line + 1 } : {}),
  };
}

function documentOf(input: FormatInput): Fields {
  let document: unknown;
  try {
    document = parseForeignJson(input.text());
  } catch (error) {
    if (error instanceof EvidenceError) throw error;
    throw noProfile("The profile is no whole document of JSON.");
  }
  if (!isFields(document)) throw noProfile("The profile is no object.");
  return document;
}

function noProfile(message: string): EvidenceError {
  return new EvidenceError(message, {
    expected: "a .cpuprofile or .heapprofile of V8: nodes or a head with call frames",
  });
}
