/**
 * Whether a parsed value is evidence. Traces, logs, metrics and ledgers are checked by hand, because they hold nearly all of
 * the data and interpreting their schema costs a millisecond for each span and line; a test holds both checks to the same
 * answers.
 */

import { Value } from "typebox/value";

import {
  EvidenceContent,
  type EvidenceContent as Content,
  LogSeverity,
  type TraceContent,
} from "../model/evidence.ts";
import { type Fields, isFields } from "../model/fields.ts";
import { LedgerContent, ledgerEvidenceLimits } from "../model/ledger.ts";
import { spanKinds, spanLimits, spanStatusCodes } from "../model/span.ts";

/** Nesting of attribute values; canonical JSON has the same bound. */
const valueDepthMax = 250;
const traceIdPattern = /^[0-9a-f]{32}$/;
const spanIdPattern = /^[0-9a-f]{16}$/;
const kinds: ReadonlySet<unknown> = new Set(spanKinds);
const statusCodes: ReadonlySet<unknown> = new Set(spanStatusCodes);

/** Whether a value has the shape of evidence. */
export function isEvidenceContent(value: unknown): value is Content {
  if (!isFields(value)) return false;
  switch (value["kind"]) {
    case "trace":
      return isTrace(value);
    case "logs":
      return hasOnly(value, logsFields);
    case "metrics":
      return hasOnly(value, metricsFields);
    case "ledger":
      return isLedger(value);
    default:
      return Value.Check(EvidenceContent, value);
  }
}

type Check = (value: unknown) => boolean;

function isTrace(value: Fields): value is Fields & TraceContent {
  return (
    hasOnly(value, traceFields) &&
    isText(value["traceId"]) &&
    Array.isArray(value["spans"]) &&
    value["spans"].every(isSpan)
  );
}

function isSpan(value: unknown): boolean {
  return isFields(value) && hasOnly(value, spanFields);
}

function isLink(value: unknown): boolean {
  return isFields(value) && hasOnly(value, linkFields);
}

function isEvent(value: unknown): boolean {
  return isFields(value) && hasOnly(value, eventFields);
}

/** A field and whether it may be absent. */
interface FieldRule {
  readonly check: Check;
  readonly optional?: true;
}
type Rules = ReadonlyMap<string, FieldRule>;

const isText: Check = (value) => typeof value === "string";
const isAttributes: Check = (value) => isFields(value) && isAttributeValue(value, 0);
const isCount: Check = (value) => typeof value === "number" && Number.isFinite(value) && value >= 0;
const isTime: Check = (value) => typeof value === "number" && Number.isFinite(value);
const isTraceId: Check = (value) => typeof value === "string" && traceIdPattern.test(value);
const isSpanId: Check = (value) => typeof value === "string" && spanIdPattern.test(value);

const traceFields = rules({ kind: isText, traceId: isText, spans: Array.isArray });
const eventFields = rules({ name: isText, timeMicros: isTime, attributes: isAttributes });
const linkFields = rules({ traceId: isTraceId, spanId: isSpanId, attributes: isAttributes });
const statusFields = rules(
  { code: (value) => statusCodes.has(value) },
  { message: (value) => isTextUpTo(value, 4_096) },
);
const scopeFields = rules({ name: isText }, { version: isText });
const spanFields = rules(
  {
    traceId: isTraceId,
    spanId: isSpanId,
    name: (value) => isTextUpTo(value, spanLimits.nameLengthMax),
    kind: (value) => kinds.has(value),
    service: (value) => isTextUpTo(value, 256),
    startMicros: isCount,
    durationNanos: isCount,
    status: (value) => isFields(value) && hasOnly(value, statusFields),
    attributes: isAttributes,
    resource: isAttributes,
    scope: (value) => isFields(value) && hasOnly(value, scopeFields),
    events: (value) => Array.isArray(value) && value.every(isEvent),
    links: (value) => Array.isArray(value) && value.every(isLink),
  },
  { parentSpanId: isSpanId },
);

const severities: ReadonlySet<unknown> = new Set(LogSeverity.anyOf.map((level) => level.const));
const seriesTypes: ReadonlySet<unknown> = new Set(["gauge", "counter", "unknown"]);
const isName: Check = (value) => isTextUpTo(value, 256);

const aboutFields = rules(
  { pod: isName, isPrevious: (value) => typeof value === "boolean" },
  { namespace: isName, container: isName },
);
const lineFields = rules(
  { text: (value) => isTextUpTo(value, 16_384) },
  {
    timeMicros: isCount,
    severity: (value) => severities.has(value),
    service: isName,
    traceId: isTraceId,
    spanId: isSpanId,
    attributes: isAttributes,
  },
);
const logsFields = rules(
  {
    kind: isText,
    lines: (value) => areAll(value, (line) => isFields(line) && hasOnly(line, lineFields)),
  },
  { about: (value) => isFields(value) && hasOnly(value, aboutFields) },
);
const seriesFields = rules(
  {
    name: (value) => isTextUpTo(value, 1_024),
    labels: (value) => isFields(value) && Object.values(value).every(isText),
    type: (value) => seriesTypes.has(value),
    timesMicros: (value) => areAll(value, isCount),
    values: (value) => areAll(value, isTime),
  },
  { unit: (value) => isTextUpTo(value, 64) },
);
const metricsFields = rules({
  kind: isText,
  series: (value) => areAll(value, (series) => isFields(series) && hasOnly(series, seriesFields)),
});

const { nameLengthMax, entryCountMax, reserveCountMax, useCountMax } = ledgerEvidenceLimits;
const microsPattern = /^(?:0|-?[1-9][0-9]{0,39})$/;
const isMicros: Check = (value) => typeof value === "string" && microsPattern.test(value);
const isLedgerName: Check = (value) => isTextUpTo(value, nameLengthMax);
const isWhole: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isTruth: Check = (value) => typeof value === "boolean";
const sumFields = rules({ count: isWhole, amountMicros: isMicros });
const isUseSum: Check = (value) => isFields(value) && hasOnly(value, sumFields);
const entryFields = rules(
  { from: isLedgerName, to: isLedgerName, amountMicros: isMicros },
  {
    sequence: isWhole,
    timeMicros: isCount,
    reason: isLedgerName,
    commandId: isLedgerName,
    holdId: isLedgerName,
    usageId: isLedgerName,
  },
);
const reserveFields = rules(
  {
    id: isLedgerName,
    kind: (value) => value === "hold" || value === "lease",
    currency: isLedgerName,
    state: isLedgerName,
    remainingMicros: isMicros,
  },
  {
    openingMicros: isMicros,
    endsMicros: isCount,
    isCompleted: isTruth,
    earlierUses: isUseSum,
    journal: isUseSum,
    unreadMicros: isMicros,
    settledBy: isLedgerName,
  },
);
const useFields = rules(
  { id: isLedgerName, amountMicros: isMicros },
  {
    holdId: isLedgerName,
    timeMicros: isCount,
    currency: isLedgerName,
    provider: isLedgerName,
    model: isLedgerName,
    priceVersion: isLedgerName,
    job: isLedgerName,
    interval: isLedgerName,
    deviceKind: isLedgerName,
    deviceSeconds: isCount,
    isFinal: isTruth,
  },
);

/** The long lists by hand, the rest by its schema. */
function isLedger(value: Fields): boolean {
  const { entries = [], reserves = [], uses = [], ...rest } = value;
  return (
    isListOf(entries, entryFields, entryCountMax) &&
    isListOf(reserves, reserveFields, reserveCountMax) &&
    isListOf(uses, useFields, useCountMax) &&
    Value.Check(LedgerContent, rest)
  );
}

function isListOf(value: unknown, fields: Rules, countMax: number): boolean {
  if (!Array.isArray(value) || value.length > countMax) return false;
  return value.every((item) => isFields(item) && hasOnly(item, fields));
}

function areAll(value: unknown, check: Check): boolean {
  return Array.isArray(value) && value.every(check);
}

function rules(
  required: Readonly<Record<string, Check>>,
  optional: Readonly<Record<string, Check>> = {},
): Rules {
  return new Map<string, FieldRule>([
    ...Object.entries(required).map(([name, check]): [string, FieldRule] => [name, { check }]),
    ...Object.entries(optional).map(([name, check]): [string, FieldRule] => [
      name,
      { check, optional: true },
    ]),
  ]);
}

/** Every field is known and fits, and none that is required is absent. */
function hasOnly(value: Fields, fields: Rules): boolean {
  let requiredCount = 0;
  for (const name in value) {
    const rule = fields.get(name);
    if (rule === undefined || !rule.check(value[name])) return false;
    if (rule.optional === undefined) requiredCount += 1;
  }
  let expectedCount = 0;
  for (const rule of fields.values()) if (rule.optional === undefined) expectedCount += 1;
  return requiredCount === expectedCount;
}

function isAttributeValue(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value);
    case "object":
      if (value === null) return true;
      if (depth > valueDepthMax) return false;
      return Object.values(value).every((item) => isAttributeValue(item, depth + 1));
    default:
      return false;
  }
}

function isTextUpTo(value: unknown, lengthMax: number): boolean {
  return typeof value === "string" && value.length <= lengthMax;
}
