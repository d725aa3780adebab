/** Logs as one document of JSON: what the query APIs and command lines of log stores answer. */

import { type Fields, isFields } from "../../model/fields.ts";
import { EvidenceError } from "../evidence-error.ts";
import { FieldPaths } from "../field-path.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { parseJson } from "../text.ts";
import { timeOfNumber, timeOfText } from "../time-text.ts";
import { firstObjectOf } from "../tracing/documents.ts";
import type { AboutParts } from "./about.ts";
import { type ParsedLine, parseLine, parseRecord } from "./parse-line.ts";
import { LogReading } from "./read-log.ts";
import { recordLikeness } from "./record.ts";

/** Whether a text begins as the answer of Loki, CloudWatch or Elasticsearch, or as a list of records. */
export function recogniseLogDocument(head: string): boolean {
  if (/"resultType"\s*:\s*"streams"/.test(head)) return true;
  if (/"events"\s*:\s*\[\s*\{[^{}]{0,8192}"(?:logStreamName|ingestionTime)"\s*:/.test(head))
    return true;
  if (/"hits"\s*:\s*\{[\s\S]{0,4096}?"hits"\s*:\s*\[/.test(head)) return isHitsOfLogs(head);
  if (!/^\s*\[\s*\{/.test(head)) return false;
  const first = firstObjectOf(head);
  return isFields(first) && recordLikeness(first) === "sure";
}

function isHitsOfLogs(head: string): boolean {
  const at = head.indexOf('"_source"');
  const source = at < 0 ? undefined : firstObjectOf(head.slice(head.indexOf("{", at)));
  return isFields(source) && recordLikeness(source) !== "none";
}

/** Reads every entry of a document. */
export function readLogDocument(input: FormatInput): FileContent {
  const reading = new LogReading([]);
  const document = parseJson(input.text());
  for (const parsed of linesOf(document)) reading.addParsed(parsed);
  const contents = reading.contents();
  if (contents.length === 0) {
    throw new EvidenceError("The document holds no entry of a log.", {
      expected: "at least one entry with a message",
      where: "line 1, column 1",
    });
  }
  return { contents, notes: reading.notes() };
}

function linesOf(document: unknown): ParsedLine[] {
  if (Array.isArray(document)) return document.filter(isFields).map(parseRecord);
  if (!isFields(document)) return [];
  const { data, events, hits } = document;
  if (isFields(data)) return streamsOf(listOf(data["result"]));
  if (Array.isArray(events)) return listOf(events).flatMap(cloudWatchLine);
  const found = isFields(hits) ? listOf(hits["hits"]) : listOf(document["result"]);
  return found.flatMap((hit) => (isFields(hit["_source"]) ? [parseRecord(hit["_source"])] : []));
}

/** Loki: streams with labels, each with pairs of nanoseconds and a line, the newest first. */
function streamsOf(streams: readonly Fields[]): ParsedLine[] {
  const lines = streams.flatMap((stream) => {
    const labels = isFields(stream["stream"]) ? stream["stream"] : {};
    const pairs: readonly unknown[] = Array.isArray(stream["values"]) ? stream["values"] : [];
    return pairs.flatMap((pair) => {
      const [time, text]: unknown[] = Array.isArray(pair) ? pair : [];
      return typeof text === "string" && text !== "" ? [lineOf(text, time, labels)] : [];
    });
  });
  return lines.sort((left, right) => (left.line.timeMicros ?? 0) - (right.line.timeMicros ?? 0));
}

function cloudWatchLine(event: Fields): ParsedLine[] {
  const message = event["message"];
  if (typeof message !== "string" || message.trim() === "") return [];
  return [lineOf(message.trimEnd(), event["timestamp"], {})];
}

/** Labels that say who wrote a line. */
const labelPaths = {
  service: new FieldPaths(["service_name", "app", "job"]),
  pod: new FieldPaths(["pod", "pod_name", "k8s_pod_name"]),
  namespace: new FieldPaths(["namespace", "k8s_namespace_name"]),
  container: new FieldPaths(["container", "container_name", "k8s_container_name"]),
};

/** A line of a store: what it says itself counts, the store's time and labels fill in what it does not say. */
function lineOf(text: string, time: unknown, labels: Fields): ParsedLine {
  const parsed = parseLine(text);
  const told = typeof time === "number" ? timeOfNumber(time) : timeOfText(String(time));
  const timeMicros = parsed.line.timeMicros ?? told;
  const service = parsed.line.service ?? labelPaths.service.firstText(labels);
  const about: AboutParts = {
    pod: labelPaths.pod.firstText(labels),
    namespace: labelPaths.namespace.firstText(labels),
    container: labelPaths.container.firstText(labels),
  };
  return {
    ...parsed,
    about: parsed.about.pod === undefined ? about : parsed.about,
    line: {
      ...parsed.line,
      ...(timeMicros === undefined ? {} : { timeMicros }),
      ...(service === undefined ? {} : { service: service.slice(0, 256) }),
    },
  };
}

function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}
