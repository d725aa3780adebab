/** OTLP log records as logs, one for each container that their resources name. */

import type { LogLine, LogsContent } from "../../model/evidence.ts";
import type { LogRecord } from "../../model/log.ts";
import { cutText } from "../../text/cut-text.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent } from "../format.ts";
import type { OtlpLogs } from "../otlp/otlp.ts";
import { unknownService } from "../otlp/value.ts";
import { aboutOf, type LogAbout } from "./about.ts";
import { logLimits } from "./limits.ts";
import { severityOfOtel, severityOfWord } from "./severity.ts";

/** The records of a request as logs. Throws when none could be read. */
export function logsOf({ records, rejected, notes }: OtlpLogs): FileContent {
  if (records.length === 0) {
    throw new EvidenceError(
      rejected.count > 0
        ? `None of ${rejected.count} log records can be read: ${rejected.reasons.join("; ")}.`
        : "The file holds no log records.",
      { expected: "at least one record in resourceLogs", where: "/resourceLogs" },
    );
  }
  const logs = new Map<string, { about: LogAbout | undefined; lines: LogLine[] }>();
  for (const record of records) {
    const about = aboutOfRecord(record);
    const key = about === undefined ? "" : JSON.stringify(about);
    const log = logs.get(key) ?? { about, lines: [] };
    if (log.lines.length === 0) logs.set(key, log);
    log.lines.push(lineOf(record));
  }
  const contents = [...logs.values()].map(({ about, lines }): LogsContent => ({
    kind: "logs",
    ...(about === undefined ? {} : { about }),
    lines,
  }));
  const left =
    rejected.count === 0
      ? []
      : [`${rejected.count} log records were left out: ${rejected.reasons.join("; ")}.`];
  return { contents, notes: [...notes, ...left] };
}

function lineOf(record: LogRecord): LogLine {
  const { body, eventName, severityText, traceId, spanId } = record;
  const severity = severityOfOtel(record.severityNumber) ?? severityOfWord(severityText ?? "");
  const text =
    typeof body === "string" ? body : body === null ? (eventName ?? "") : JSON.stringify(body);
  const attributes =
    eventName === undefined ? record.attributes : { ...record.attributes, "event.name": eventName };
  return {
    timeMicros: record.timeMicros,
    ...(severity === undefined ? {} : { severity }),
    text: cutText(withException(text, record), logLimits.textLengthMax),
    ...(record.service === unknownService ? {} : { service: record.service }),
    ...(traceId === undefined ? {} : { traceId }),
    ...(spanId === undefined ? {} : { spanId }),
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
  };
}

/** The text with the stack trace of the exception that the record carries. */
function withException(text: string, { attributes }: LogRecord): string {
  const stack = attributes["exception.stacktrace"];
  return typeof stack === "string" && !text.includes(stack) ? `${text}\n${stack}` : text;
}

function aboutOfRecord({ resource }: LogRecord): LogAbout | undefined {
  const text = (name: string): string | undefined => {
    const value = resource[name];
    return typeof value === "string" ? value : undefined;
  };
  return aboutOf({
    pod: text("k8s.pod.name"),
    namespace: text("k8s.namespace.name"),
    container: text("k8s.container.name"),
  });
}
