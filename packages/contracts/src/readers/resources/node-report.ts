/** Reads what Node says of itself: diagnostic reports, heap statistics, memory usage, and active resources. */

import { isFields, type Fields } from "../../model/fields.ts";
import type { ResourcesContent } from "../../model/resources.ts";
import { readEnvironmentDocument, recogniseEnvironmentDocument } from "../environment/documents.ts";
import { EvidenceError } from "../evidence-error.ts";
import { type FileContent, type FormatInput, startsAsJson } from "../format.ts";
import { nameRecording } from "../recording/name-recording.ts";
import { jsonValuesOf } from "../text.ts";
import { ResourceTable } from "./resource-table.ts";

/** Whether a document is a diagnostic report, which also describes an environment. */
export function recogniseNodeReport(head: string | undefined): boolean {
  return (
    startsAsJson(head) &&
    /"nodejsVersion"\s*:/.test(head) &&
    /"(?:javascriptHeap|libuv|resourceUsage)"\s*:/.test(head)
  );
}

/** Whether a document is one of the others. */
export function recogniseNodeFigures(head: string | undefined): boolean {
  if (!startsAsJson(head)) return false;
  if (/"total_heap_size"\s*:/.test(head) && /"used_heap_size"\s*:/.test(head)) return true;
  return /^\s*\{\s*"rss"\s*:\s*\d+,\s*"heapTotal"\s*:/.test(head);
}

/** Whether a document is the list that `process.getActiveResourcesInfo()` gives. */
export function recogniseActiveResources(head: string | undefined): boolean {
  return (
    head !== undefined &&
    /^\s*\[\s*(?:"|')(?:TCP\w*Wrap|TTYWrap|PipeWrap|Timeout|Immediate|FSReqCallback|FSEventWrap|ProcessWrap|GetAddrInfoReqWrap|TLSWrap|HTTP\w*|UDPWrap|MessagePort|Worker|CloseReq)(?:"|')/.test(
      head,
    )
  );
}

/** Reads a diagnostic report: its environment, its handles and its heap. */
export function readNodeReport(input: FormatInput): FileContent {
  const [report] = jsonValuesOf(input.text());
  if (!isFields(report)) throw noReport();
  const environment = recogniseEnvironmentDocument(input.text().slice(0, 65_536))
    ? readEnvironmentDocument(input)
    : { notes: [] };
  const header = isFields(report["header"]) ? report["header"] : {};
  const recording = nameRecording(input);
  const stamp = Number(header["dumpEventTimeStamp"]);
  if (Number.isFinite(stamp) && stamp > 0) recording.timeMicros = Math.floor(stamp * 1_000);
  const handles = new ResourceTable();
  const list: readonly unknown[] = Array.isArray(report["libuv"]) ? report["libuv"] : [];
  for (const handle of list) if (isFields(handle)) addHandle(handles, handle);
  const contents: ResourcesContent[] = [];
  if (!handles.isEmpty) {
    contents.push({
      kind: "resources",
      recording,
      of: "handles",
      isOfProcess: true,
      held: handles.held(),
      figures: {},
    });
  }
  const figures = heapFiguresOf(report["javascriptHeap"]);
  if (Object.keys(figures).length > 0) {
    contents.push({
      kind: "resources",
      recording,
      of: "heap",
      isOfProcess: true,
      held: [],
      figures,
    });
  }
  return { contents: [...(environment.contents ?? []), ...contents], notes: environment.notes };
}

function addHandle(table: ResourceTable, handle: Fields): void {
  const type = typeof handle["type"] === "string" ? handle["type"] : "unknown";
  if (type === "loop") return;
  const peer = isFields(handle["remoteEndpoint"]) ? handle["remoteEndpoint"] : undefined;
  const host = peer?.["host"] ?? peer?.["ip4"] ?? peer?.["ip6"];
  const target =
    peer === undefined || typeof host !== "string" ? undefined : `${host}:${String(peer["port"])}`;
  const state = handle["is_active"] === false ? "inactive" : undefined;
  table.add({
    type,
    ...(target === undefined ? {} : { target }),
    ...(state === undefined ? {} : { state }),
  });
}

const heapNames: ReadonlyMap<string, string> = new Map([
  ["usedMemory", "heap.usedBytes"],
  ["used_heap_size", "heap.usedBytes"],
  ["heapUsed", "heap.usedBytes"],
  ["totalMemory", "heap.totalBytes"],
  ["total_heap_size", "heap.totalBytes"],
  ["heapTotal", "heap.totalBytes"],
  ["memoryLimit", "heap.limitBytes"],
  ["heapSizeLimit", "heap.limitBytes"],
  ["heap_size_limit", "heap.limitBytes"],
  ["mallocedMemory", "malloc.bytes"],
  ["malloced_memory", "malloc.bytes"],
  ["externalMemory", "external.bytes"],
  ["external_memory", "external.bytes"],
  ["external", "external.bytes"],
  ["arrayBuffers", "arrayBuffers.bytes"],
  ["rss", "resident.bytes"],
  ["number_of_detached_contexts", "contexts.detachedCount"],
  ["number_of_native_contexts", "contexts.nativeCount"],
]);

function heapFiguresOf(value: unknown): Record<string, number> {
  const figures: Record<string, number> = {};
  for (const [name, figure] of Object.entries(isFields(value) ? value : {})) {
    const known = heapNames.get(name);
    if (known !== undefined && typeof figure === "number" && Number.isFinite(figure)) {
      figures[known] = figure;
    }
  }
  return figures;
}

/** Reads heap statistics or memory usage; of several on lines of their own each is a recording. */
export function readNodeFigures(input: FormatInput): FileContent {
  const values = jsonValuesOf(input.text());
  const contents = values.flatMap((value, index): ResourcesContent[] => {
    const figures = heapFiguresOf(value);
    if (Object.keys(figures).length === 0) return [];
    const recording = nameRecording(input);
    if (values.length > 1) recording.sequence = index;
    return [{ kind: "resources", recording, of: "heap", isOfProcess: true, held: [], figures }];
  });
  if (contents.length === 0) throw noReport();
  return { contents, notes: [] };
}

/** Reads the list of active resources. */
export function readActiveResources(input: FormatInput): FileContent {
  const [list] = jsonValuesOf(input.text().replaceAll("'", '"'));
  const table = new ResourceTable();
  const items: readonly unknown[] = Array.isArray(list) ? list : [];
  for (const item of items) if (typeof item === "string") table.add({ type: item });
  if (table.isEmpty) throw noReport();
  const content: ResourcesContent = {
    kind: "resources",
    recording: nameRecording(input),
    of: "handles",
    isOfProcess: true,
    held: table.held(),
    figures: {},
  };
  return { contents: [content], notes: [] };
}

function noReport(): EvidenceError {
  return new EvidenceError("The document has nothing that a process holds.", {
    expected: "a diagnostic report, heap statistics or active resources of Node",
    where: "line 1, column 1",
  });
}
