/** Log records from OTLP's JSON, and from protobuf read as such. */

import type { LogRecord } from "../../model/log.ts";
import { spanLimits } from "../../model/span.ts";
import { cutText } from "../../text/cut-text.ts";
import { enumOf, hexOf, inObject, type JsonObject, momentOf, textOf } from "./json.ts";
import { eachRecord, readAttributes, readValue } from "./json-value.ts";
import { isSpanId, isTraceId } from "./span.ts";
import type { OtlpTally } from "./tally.ts";
import { microsOf, type Origin } from "./value.ts";

const severityNumberMax = 24;
const severityNames = {
  prefix: "SEVERITY_NUMBER_",
  values: [
    "UNSPECIFIED",
    ...["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"].flatMap((level) =>
      ["", "2", "3", "4"].map((step) => `${level}${step}`),
    ),
  ],
};

/** Reads an ExportLogsServiceRequest. */
export function readLogs(root: JsonObject, records: LogRecord[], tally: OtlpTally): void {
  const names = { blocks: "resourceLogs", scopes: "scopeLogs", records: "logRecords" };
  eachRecord(root, names, {
    tally,
    visit(record, origin) {
      const log = readLog(record, origin, tally);
      if (log !== undefined) records.push(log);
    },
  });
}

function readLog(record: JsonObject, origin: Origin, tally: OtlpTally): LogRecord | undefined {
  const observed = momentOf(record, "observedTimeUnixNano");
  const time = momentOf(record, "timeUnixNano") ?? observed;
  const severityNumber = enumOf(record, "severityNumber", severityNames);
  const severityText = cutText(textOf(record, "severityText"), spanLimits.nameLengthMax);
  const eventName = cutText(textOf(record, "eventName"), spanLimits.nameLengthMax);
  const traceId = hexOf(record, "traceId");
  const spanId = hexOf(record, "spanId");
  const body = inObject(record, "body", (value) => readValue(value, { depth: 0, tally })) ?? null;
  const attributes = readAttributes(record, tally);
  if (time === undefined) {
    tally.reject("A log record has neither a time nor an observed time.");
    return undefined;
  }
  return {
    timeMicros: microsOf(time),
    ...(observed === undefined ? {} : { observedMicros: microsOf(observed) }),
    severityNumber: isSeverity(severityNumber) ? severityNumber : 0,
    ...(severityText === "" ? {} : { severityText }),
    ...(eventName === "" ? {} : { eventName }),
    body,
    ...(isTraceId(traceId) ? { traceId } : {}),
    ...(isTraceId(traceId) && isSpanId(spanId) ? { spanId } : {}),
    service: origin.service,
    attributes,
    resource: origin.resource,
    scope: origin.scope,
  };
}

function isSeverity(number: number): boolean {
  return number >= 0 && number <= severityNumberMax;
}
