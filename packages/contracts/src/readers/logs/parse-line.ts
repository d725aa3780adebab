/** One physical line of a log, out of what a container runtime and a shell put around it. */

import type { LogLine } from "../../model/evidence.ts";
import { type Fields, isFields } from "../../model/fields.ts";
import { cutText } from "../../text/cut-text.ts";
import { parseForeignJson } from "../../text/foreign-json.ts";
import { FieldPaths } from "../field-path.ts";
import { timeAt } from "../time-text.ts";
import type { AboutParts } from "./about.ts";
import { logLimits } from "./limits.ts";
import { logfmtFields } from "./logfmt.ts";
import { readRecord } from "./record.ts";
import { marksOf, noMarks } from "./text-line.ts";

export interface ParsedLine {
  readonly line: LogLine;
  /** The container that the line itself names. */
  readonly about: AboutParts;
  /** It has a time or a level of its own, so it begins an entry. */
  readonly startsEntry: boolean;
  /** The runtime cut the line here; the next one goes on with it. */
  readonly isPartial: boolean;
  /** How surely the line is one of a log. */
  readonly likeness: "sure" | "possible" | "none";
  /** A time without a zone was taken as UTC. */
  readonly assumesUtc: boolean;
}

/** What stands around a line. */
interface Envelope {
  readonly text: string;
  readonly timeMicros?: number | undefined;
  readonly about: AboutParts;
  readonly service?: string | undefined;
  readonly isPartial: boolean;
  /** The envelope alone shows that this is a log. */
  readonly isSure: boolean;
}

/** Envelopes within envelopes, as a prefix of kubectl before a line of a runtime. */
const envelopeDepthMax = 3;

/** Parses a line that is not blank. */
export function parseLine(raw: string): ParsedLine {
  const envelope = unwrap(withoutColour(cutText(raw, logLimits.lineLengthMax)));
  const { text } = envelope;
  const fields = fieldsOf(text);
  const record = fields === undefined ? undefined : readRecord(fields, text);
  if (fields !== undefined && record !== undefined && record.likeness !== "none") {
    const { line, likeness } = record;
    const about = { ...containerOf(fields), ...definedOf(envelope.about) };
    return finish(line, { ...envelope, about }, { startsEntry: true, likeness, assumesUtc: false });
  }
  return parseText(envelope, fields !== undefined);
}

/** A record of a log that a document holds. */
export function parseRecord(fields: Fields): ParsedLine {
  const envelope = { text: "", about: containerOf(fields), isPartial: false, isSure: false };
  const { line } = readRecord(fields, JSON.stringify(fields));
  return finish(line, envelope, { startsEntry: true, likeness: "possible", assumesUtc: false });
}

function parseText(envelope: Envelope, isDocument: boolean): ParsedLine {
  // What stands within a document, or one that is cut, marks no line.
  const marks = /^\s*\{/.test(envelope.text) ? noMarks : marksOf(envelope.text);
  const { timeMicros, severity, hasTime, hasLevel } = marks;
  const line: LogLine = {
    ...(timeMicros === undefined ? {} : { timeMicros }),
    ...(severity === undefined ? {} : { severity }),
    text: cutText(envelope.text.toWellFormed(), logLimits.textLengthMax),
  };
  return finish(line, envelope, {
    startsEntry: hasTime || hasLevel || isDocument,
    likeness: hasTime ? "sure" : hasLevel ? "possible" : "none",
    assumesUtc: timeMicros !== undefined && marks.hasZone === false,
  });
}

function finish(
  line: LogLine,
  envelope: Envelope,
  found: Pick<ParsedLine, "startsEntry" | "likeness" | "assumesUtc">,
): ParsedLine {
  const { timeMicros = envelope.timeMicros, service = envelope.service } = line;
  return {
    line: {
      ...line,
      ...(timeMicros === undefined ? {} : { timeMicros }),
      ...(service === undefined ? {} : { service }),
    },
    about: envelope.about,
    isPartial: envelope.isPartial,
    startsEntry: found.startsEntry,
    likeness: envelope.isSure ? "sure" : found.likeness,
    assumesUtc: found.assumesUtc,
  };
}

/** The fields of a line that is an object of JSON, or logfmt. */
function fieldsOf(text: string): Fields | undefined {
  const start = text.trimStart();
  if (!start.startsWith("{")) return logfmtFields(text);
  try {
    const value: unknown = parseForeignJson(start);
    return isFields(value) ? value : undefined;
  } catch {
    // A line that is no whole document is text.
    return undefined;
  }
}

const prefixed = /^\[pod\/([a-z0-9.-]{1,253})\/([a-z0-9.-]{1,253})\] /;
const cri = /^(\d{4}-\d{2}-\d{2}T\S{8,32}) (?:stdout|stderr) ([FP])(?::\S*)? /;
const composed = /^([a-z0-9][a-z0-9_.-]{0,80}[-_]\d{1,4}) {1,40}\| /;
/** kubectl and docker print nanoseconds with `--timestamps`; programs rarely do. */
const stamped = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{7,9}(?:Z|[+-]\d{2}:\d{2}) /;

function unwrap(raw: string): Envelope {
  let envelope: Envelope = { text: raw, about: {}, isPartial: false, isSure: false };
  for (let depth = 0; depth < envelopeDepthMax; depth += 1) {
    const next = unwrapOnce(envelope);
    if (next === undefined) break;
    envelope = next;
  }
  return envelope;
}

function unwrapOnce(outer: Envelope): Envelope | undefined {
  const { text } = outer;
  const pod = prefixed.exec(text);
  if (pod !== null) {
    const about = { pod: pod[1], container: pod[2] };
    return { ...outer, text: text.slice(pod[0].length), about, isSure: true };
  }
  const runtime = cri.exec(text);
  if (runtime !== null) {
    const timeMicros = timeAt(text, 0)?.micros;
    const isPartial = runtime[2] === "P";
    return { ...outer, text: text.slice(runtime[0].length), timeMicros, isPartial, isSure: true };
  }
  const service = composed.exec(text);
  if (service !== null) {
    return { ...outer, text: text.slice(service[0].length), service: service[1], isSure: true };
  }
  const stamp = stamped.exec(text);
  if (stamp !== null) {
    const timeMicros = timeAt(text, 0)?.micros;
    return { ...outer, text: text.slice(stamp[0].length), timeMicros, isSure: true };
  }
  return dockerLine(outer);
}

/** A line of docker's `json-file`: `{"log":"text\n","stream":"stdout","time":"…"}`. */
function dockerLine(outer: Envelope): Envelope | undefined {
  if (!/^\{.*"log"\s*:\s*"/.test(outer.text)) return undefined;
  const fields = fieldsOf(outer.text);
  const [log, time] = [fields?.["log"], fields?.["time"] ?? fields?.["@timestamp"]];
  if (fields === undefined || typeof log !== "string") return undefined;
  if (fields["stream"] === undefined && fields["kubernetes"] === undefined) return undefined;
  const found = typeof time === "string" ? timeAt(time, 0)?.micros : undefined;
  const about = { ...containerOf(fields), ...definedOf(outer.about) };
  // Docker cuts long lines; only the last piece ends with a line break. Collectors drop the break.
  const isPartial = !log.endsWith("\n") && fields["kubernetes"] === undefined;
  const text = log.replace(/[\r\n]+$/, "");
  return { ...outer, text, timeMicros: found ?? outer.timeMicros, about, isPartial, isSure: true };
}

/** The container that a record of a collector names, as Fluent Bit, Vector, Elastic and Google write it. */
function containerOf(fields: Fields): AboutParts {
  // Most records name none, and need no look at a dozen paths.
  if (!containerFields.some((name) => fields[name] !== undefined)) return {};
  return {
    pod: podPaths.firstText(fields),
    namespace: namespacePaths.firstText(fields),
    container: containerPaths.firstText(fields),
  };
}

const containerFields = ["kubernetes", "resource", "k8s", "k8s.pod.name"];
const podPaths = new FieldPaths([
  "kubernetes.pod_name",
  "kubernetes.pod.name",
  "resource.labels.pod_name",
  "k8s.pod.name",
]);
const namespacePaths = new FieldPaths([
  "kubernetes.namespace_name",
  "kubernetes.namespace",
  "kubernetes.pod_namespace",
  "resource.labels.namespace_name",
  "k8s.namespace.name",
]);
const containerPaths = new FieldPaths([
  "kubernetes.container_name",
  "kubernetes.container.name",
  "resource.labels.container_name",
  "k8s.container.name",
]);

function definedOf(parts: AboutParts): AboutParts {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
}

const escape = "\u001b";

/** A text without what colours it on a terminal. */
function withoutColour(text: string): string {
  const [first = "", ...rest] = text.split(escape);
  return rest.length === 0
    ? text
    : first + rest.map((piece) => piece.replace(/^\[[0-9;?]{0,16}[A-Za-z]/, "")).join("");
}
