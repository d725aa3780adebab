/** A record of a structured log, whatever its library calls its fields. */

import type { LogLine, LogSeverity } from "../../model/evidence.ts";
import { type Fields, isFields } from "../../model/fields.ts";
import { cutText } from "../../text/cut-text.ts";
import { valueAt } from "../field-path.ts";
import { timeOfNumber, timeOfText } from "../time-text.ts";
import { attributesOf } from "./attributes.ts";
import { logLimits } from "./limits.ts";
import { severityOfOtel, severityOfSyslog, severityOfTens, severityOfWord } from "./severity.ts";

/** Paths of what a record says, the most specific first. A field that is used is no attribute. */
const timeFields =
  "time timestamp @timestamp ts @t t Timestamp Time datetime date_time asctime eventTime event_time timeMillis _SOURCE_REALTIME_TIMESTAMP __REALTIME_TIMESTAMP observedTimestamp receiveTimestamp created instant epoch date".split(
    " ",
  );
const levelFields =
  "level severity log.level lvl levelname severity_text severityText SeverityText loglevel log_level logLevel Level @l levelName level_name PRIORITY severity_number severityNumber SeverityNumber priority".split(
    " ",
  );
const messageFields =
  "msg message MESSAGE Message textPayload @m @mt short_message body Body log text event jsonPayload.message jsonPayload.msg protoPayload.status.message fields.message RenderedMessage MessageTemplate".split(
    " ",
  );
const stackFields =
  "stack stack_trace stacktrace stackTrace exc_info exception err.stack error.stack error.stack_trace exception.stacktrace errorVerbose traceback @x full_message".split(
    " ",
  );
const serviceFields =
  "service service.name service_name serviceName ServiceName app application application_name dd.service resource.service.name SYSLOG_IDENTIFIER _SYSTEMD_UNIT serviceContext.service resource.labels.service_name".split(
    " ",
  );
const traceFields =
  "trace_id traceId trace.id traceID TraceId otelTraceID dd.trace_id contextMap.trace_id mdc.trace_id mdc.traceId logging.googleapis.com/trace".split(
    " ",
  );
const spanFields =
  "span_id spanId span.id spanID SpanId otelSpanID dd.span_id contextMap.span_id mdc.span_id mdc.spanId logging.googleapis.com/spanId".split(
    " ",
  );
/** What a commit, a deploy or a run of training is called by; such records are no log. */
const otherFields = "sha commit commit_sha hash author committer loss role".split(" ");

/** How surely a record is one of a log: it is, it may be where its neighbours are, or it is not. */
export function recordLikeness(fields: Fields): "sure" | "possible" | "none" {
  if (otherFields.some((name) => fields[name] !== undefined)) return "none";
  const hasTime = timeFields.some((path) => timeOf(valueAt(fields, path)) !== undefined);
  const hasLevel = levelFields.some((path) => severityAt(fields, path) !== undefined);
  const hasMessage = messageFields.some((path) => typeof valueAt(fields, path) === "string");
  if (!hasMessage) return hasTime && hasLevel ? "possible" : "none";
  if (hasLevel) return "sure";
  return hasTime ? "possible" : "none";
}

/** The entry of a record, and the container that wrote it when the record says so. */
export function lineOfRecord(fields: Fields, source: string): LogLine {
  const used = new Set<string>();
  const take = <T>(
    paths: readonly string[],
    read: (value: unknown) => T | undefined,
  ): T | undefined => {
    for (const path of paths) {
      const value = read(valueAt(fields, path));
      if (value === undefined) continue;
      used.add(path);
      return value;
    }
    return undefined;
  };
  const timeMicros = take(timeFields, timeOf);
  const severity = severityOf(fields, used);
  const message = take(messageFields, textOf);
  const stack = take(stackFields, textOf);
  const service = take(serviceFields, nameOf) ?? bunyanName(fields);
  const traceId = take(traceFields, (value) => hexOf(value, 32));
  const spanId = take(spanFields, (value) => hexOf(value, 16));
  const attributes = attributesOf(fields, used);
  return {
    ...(timeMicros === undefined ? {} : { timeMicros }),
    ...(severity === undefined ? {} : { severity }),
    text: cutText(withStack(message ?? source, stack), logLimits.textLengthMax),
    ...(service === undefined ? {} : { service: cutText(service, 256) }),
    ...(traceId === undefined ? {} : { traceId }),
    ...(spanId === undefined ? {} : { spanId }),
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
  };
}

function timeOf(value: unknown): number | undefined {
  if (typeof value === "number") return timeOfNumber(value);
  if (typeof value === "string") return value.length <= 64 ? timeOfText(value) : undefined;
  if (!isFields(value)) return undefined;
  // Log4j writes `instant`, Google's libraries a protobuf timestamp.
  const seconds = Number(value["epochSecond"] ?? value["seconds"]);
  const nanos = Number(value["nanoOfSecond"] ?? value["nanos"] ?? 0);
  return Number.isFinite(nanos) ? timeOfNumber(seconds + nanos / 1e9) : undefined;
}

function severityOf(fields: Fields, used: Set<string>): LogSeverity | undefined {
  for (const path of levelFields) {
    const severity = severityAt(fields, path);
    if (severity === undefined) continue;
    used.add(path);
    return severity;
  }
  return undefined;
}

function severityAt(fields: Fields, path: string): LogSeverity | undefined {
  const value = valueAt(fields, path);
  const number = typeof value === "string" && /^\d{1,2}$/.test(value) ? Number(value) : value;
  if (typeof number === "string") return number.length <= 32 ? severityOfWord(number) : undefined;
  if (typeof number !== "number") return undefined;
  if (path === "PRIORITY") return severityOfSyslog(number);
  if (/^severity_?number$/i.test(path)) return severityOfOtel(number);
  // GELF counts as syslog does, pino and bunyan in tens.
  return number < 8 ? severityOfSyslog(number) : severityOfTens(number);
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value.toWellFormed() : undefined;
}

function nameOf(value: unknown): string | undefined {
  return isFields(value) ? textOf(value["name"]) : textOf(value);
}

/** Bunyan and pino call the program `name`; elsewhere that is a logger or a person. */
function bunyanName(fields: Fields): string | undefined {
  const isBunyan = typeof fields["level"] === "number" && fields["hostname"] !== undefined;
  return isBunyan ? textOf(fields["name"]) : undefined;
}

/** An id in lower case, a 64-bit one of a trace filled up; of what is no such id, nothing. */
function hexOf(value: unknown, length: 16 | 32): string | undefined {
  if (typeof value !== "string") return undefined;
  const id = value
    .slice(value.lastIndexOf("/") + 1)
    .toLowerCase()
    .replaceAll("-", "");
  const isShort = length === 32 && /^[0-9a-f]{16}$/.test(id);
  const full = isShort ? id.padStart(32, "0") : id;
  const isId = full.length === length && /^[0-9a-f]+$/.test(full) && !/^0+$/.test(full);
  return isId ? full : undefined;
}

function withStack(message: string, stack: string | undefined): string {
  if (stack === undefined || message.includes(stack)) return message;
  return stack.startsWith(message) ? stack : `${message}\n${stack}`;
}
