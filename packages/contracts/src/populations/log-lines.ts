/** Lines of the logs of a snapshot with the service that wrote each, those that tell of an error apart from the others. */

import { failedHostOf } from "../logs/failed-call.ts";
import type { LogLine } from "../model/evidence.ts";
import { type EvidenceOf, evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import { serviceOfPod } from "../text/service-of-pod.ts";

export interface LoggedLines {
  readonly logs: readonly EvidenceOf<"logs">[];
  readonly lineCount: number;
  /** Names of services; lines hold their numbers. */
  readonly services: readonly string[];
  /** Of each line, in the order of the logs, when it was written; -1 where nobody knows, and where its service is one too many. */
  readonly timesMicros: Float64Array;
  readonly serviceOf: Int32Array;
  /** 1 where a line tells of an error. */
  readonly isGrave: Uint8Array;
  /** Hosts that could not be called; lines hold their numbers. */
  readonly hosts: readonly string[];
  /** Of each line, -1 where it tells of no such call. */
  readonly hostOf: Int32Array;
}

/** Services that are told apart, the first ones; what writes a name of its own on each line names no services. */
const serviceCountMax = 10_000;
/** Hosts that are told apart, the first ones; nobody has as many services that cannot be called. */
const hostCountMax = 10_000;

/** Reads the lines once; what a line says is looked up again where it is needed. */
export function loggedLinesOf(snapshot: Snapshot): LoggedLines {
  const logs = evidenceOfKind(snapshot, "logs");
  const lineCount = logs.reduce((sum, { content }) => sum + content.lines.length, 0);
  const timesMicros = new Float64Array(lineCount).fill(-1);
  const serviceOf = new Int32Array(lineCount);
  const isGrave = new Uint8Array(lineCount);
  const hostOf = new Int32Array(lineCount).fill(-1);
  const numbers = new Map<string, number>();
  const hosts = new Map<string, number>();
  let at = 0;
  for (const evidence of logs) {
    const unnamed = writerOf(evidence, logs.length);
    for (const line of evidence.content.lines) {
      const service = line.service ?? unnamed;
      const number = numbers.get(service) ?? numbers.size;
      const isCounted = number < serviceCountMax;
      if (isCounted) numbers.set(service, number);
      serviceOf[at] = isCounted ? number : 0;
      timesMicros[at] = isCounted ? (line.timeMicros ?? -1) : -1;
      isGrave[at] = isGraveLine(line) ? 1 : 0;
      const host = isGrave[at] === 1 && isCounted ? failedHostOf(line.text) : undefined;
      if (host !== undefined && (hosts.has(host) || hosts.size < hostCountMax)) {
        hostOf[at] = hosts.get(host) ?? hosts.size;
        hosts.set(host, hostOf[at] ?? 0);
      }
      at += 1;
    }
  }
  const services = [...numbers.keys()];
  return {
    logs,
    lineCount,
    services,
    timesMicros,
    serviceOf,
    isGrave,
    hosts: [...hosts.keys()],
    hostOf,
  };
}

/** Who wrote the lines of a log that do not say it: its container, or, of several logs, the file that is called so. */
function writerOf({ content, source }: EvidenceOf<"logs">, logCount: number): string {
  if (content.about !== undefined) return serviceOfPod(content.about.pod);
  if (logCount < 2) return "";
  const file = source.name.split("/").at(-1) ?? "";
  return file.replace(/(?:[._-]?logs?)?(?:\.(?:log|txt|out|jsonl?|ndjson|csv|gz))+$/i, "");
}

const graveWords =
  /\b(?:[A-Z]\w{0,60}(?:Exception|Error)\b|Traceback \(most|panic:|FATAL\b|ERROR\b|fatal error|exception|failed|failure|refused|unavailable|timed out|deadline exceeded|could not|cannot|unable to|segfault|stack trace)/;
/** Characters of a line in which such words are looked for. */
const wordLengthMax = 400;

/** An error by its level; without a level, or with that of a warning, by its words. */
function isGraveLine({ severity, text }: LogLine): boolean {
  if (severity === "error" || severity === "fatal") return true;
  if (severity !== undefined && severity !== "warn") return false;
  return graveWords.test(text.length > wordLengthMax ? text.slice(0, wordLengthMax) : text);
}

/** The line of a number, with where it stands. */
export function lineAt(
  { logs }: LoggedLines,
  number: number,
): { line: LogLine; evidenceId: string; locator: string } | undefined {
  let first = 0;
  for (const { id, content } of logs) {
    const index = number - first;
    first += content.lines.length;
    if (index >= content.lines.length) continue;
    const line = content.lines[index];
    return line === undefined ? undefined : { line, evidenceId: id, locator: `/lines/${index}` };
  }
  return undefined;
}
