/** A record of a structured log, whatever its library calls its fields. */

import type { LogLine, LogSeverity } from "../../model/evidence.ts";
import { type Fields, isFields } from "../../model/fields.ts";
import { cutText } from "../../text/cut-text.ts";
import { FieldPaths } from "../field-path.ts";
import { timeOfNumber, timeOfText } from "../time-text.ts";
import { attributesOf } from "./attributes.ts";
import { logLimits } from "./limits.ts";
import { severityOfOtel, severityOfSyslog, severityOfTens, severityOfWord } from "./severity.ts";

/** Paths of what a record says, the most specific first. A field that is used is no attribute. */
const timePaths = new FieldPaths(
  "time timestamp @timestamp ts @t t Timestamp Time datetime date_time asctime eventTime event_time timeMillis _SOURCE_REALTIME_TIMESTAMP __REALTIME_TIMESTAMP observedTimestamp receiveTimestamp created instant epoch date".split(
    " ",
  ),
);
const levelPaths = new FieldPaths(
  "level severity log.level lvl levelname severity_text severityText SeverityText loglevel log_level logLevel Level @l levelName level_name PRIORITY severity_number severityNumber SeverityNumber priority".split(
    " ",
  ),
);
const messagePaths = new FieldPaths(
  "msg message MESSAGE Message textPayload @m @mt short_message body Body log text event jsonPayload.message jsonPayload.msg protoPayload.status.message fields.message RenderedMessage MessageTemplate".split(
    " ",
  ),
);
const stackPaths = new FieldPaths(
  "stack stack_trace stacktrace stackTrace exc_info exception err.stack error.stack error.stack_trace exception.stacktrace errorVerbose traceback @x full_message".split(
    " ",
  ),
);
const servicePaths = new FieldPaths(
  "service service.name service_name serviceName ServiceName app application application_name dd.service resource.service.name SYSLOG_IDENTIFIER _SYSTEMD_UNIT serviceContext.service resource.labels.service_name".split(
    " ",
  ),
);
const tracePaths = new FieldPaths(
  "trace_id traceId trace.id traceID TraceId otelTraceID dd.trace_id contextMap.trace_id mdc.trace_id mdc.traceId logging.googleapis.com/trace".split(
    " ",
  ),
);
const spanPaths = new FieldPaths(
  "span_id spanId span.id spanID SpanId otelSpanID dd.span_id contextMap.span_id mdc.span_id mdc.spanId logging.googleapis.com/spanId".split(
    " ",
  ),
);
/** What a commit, a deploy or a run of training is called by; such records are no log. */
const otherFields = "sha commit commit_sha hash author committer loss role".split(" ");

/** How surely a record is one of a log: it is, it may be where its neighbours are, or it is not. */
export type Likeness = "sure" | "possible" | "none";

/** How surely a record is one of a log. */
export function recordLikeness(fields: Fields): Likeness {
  return readRecord(fields, "").likeness;
}

/** The entry of a record; `source` stands for its text where it has no message. */
export function readRecord(fields: Fields, source: string): { line: LogLine; likeness: Likeness } {
  const time = timePaths.find(fields, timeOf);
  const level = levelPaths.find(fields, severityOf);
  const message = messagePaths.find(fields, textOf);
  const likeness = likenessOf(fields, {
    hasTime: time !== undefined,
    hasLevel: level !== undefined,
    hasMessage: message !== undefined,
  });
  const stack = stackPaths.find(fields, textOf);
  const service = servicePaths.find(fields, nameOf);
  const serviceName = service?.value ?? bunyanName(fields);
  const traceId = tracePaths.find(fields, (value) => hexOf(value, 32));
  const spanId = spanPaths.find(fields, (value) => hexOf(value, 16));
  const found = [time, level, message, stack, service, traceId, spanId];
  const used = new Set(found.map((one) => one?.name));
  const attributes = attributesOf(fields, used);
  const text = withStack(message?.value ?? source, stack?.value);
  const line: LogLine = {
    ...(time === undefined ? {} : { timeMicros: time.value }),
    ...(level === undefined ? {} : { severity: level.value }),
    text: cutText(text, logLimits.textLengthMax),
    ...(serviceName === undefined ? {} : { service: cutText(serviceName, 256) }),
    ...(traceId === undefined ? {} : { traceId: traceId.value }),
    ...(spanId === undefined ? {} : { spanId: spanId.value }),
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
  };
  return { line, likeness };
}

function likenessOf(
  fields: Fields,
  has: { hasTime: boolean; hasLevel: boolean; hasMessage: boolean },
): Likeness {
  if (otherFields.some((name) => fields[name] !== undefined)) return "none";
  if (!has.hasMessage) return has.hasTime && has.hasLevel ? "possible" : "none";
  if (has.hasLevel) return "sure";
  return has.hasTime ? "possible" : "none";
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

function severityOf(value: unknown, path: string): LogSeverity | undefined {
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
