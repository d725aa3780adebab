/** What both encodings of OTLP share: limits, attribute values, moments, and who emitted a record. */

import { type Attributes, type AttributeValue, spanLimits } from "../../model/span.ts";
import { cutText } from "../../text/cut-text.ts";
import type { OtlpTally } from "./tally.ts";

/** Limits of OTLP bodies beside `spanLimits`. What lies beyond is cut or refused, and said. */
export const otlpLimits = {
  keyLengthMax: 1_024,
  serviceLengthMax: 256,
  scopeLengthMax: 1_024,
  /** OpenTelemetry gives an instrument's name 255 characters. */
  metricNameLengthMax: 255,
  statusMessageLengthMax: 4_096,
  /** Nesting of arrays and maps in one attribute's value. */
  valueDepthMax: 16,
  /** Entries of one array or map in an attribute's value. */
  valueEntryCountMax: 1_024,
  /** Buckets or quantiles of one data point. */
  bucketCountMax: 2_048,
  /** Of one span, resource or unknown field: they are read whole. */
  recordBytesMax: 64 * 1024 * 1024,
} as const;

/** The name of a service whose resource has none, as the semantic conventions say. */
export const unknownService = "unknown_service";

/** Who emitted a record: the resource and the instrumentation scope. Shared by all records of one block. */
export interface Origin {
  readonly service: string;
  readonly resource: Attributes;
  readonly scope: { name: string; version?: string };
}

/** A moment since the Unix epoch, exact to the nanosecond: whole microseconds and the rest of 0 to 999. */
export interface Moment {
  micros: number;
  nanos: number;
}

/** Splits 64-bit nanoseconds, given as two halves of 32 bits, without a BigInt. */
export function readHalves(moment: Moment, high: number, low: number): void {
  // 2^32 = 4,294,967 × 1,000 + 296, so each product below stays within 2^53 and is exact.
  const remainder = high * 296 + low;
  const micros = high * 4_294_967 + Math.floor(remainder / 1_000);
  setMoment(moment, micros, remainder % 1_000);
}

/** Splits nanoseconds given as decimal digits. */
export function momentOfDigits(digits: string): Moment {
  const moment = { micros: 0, nanos: 0 };
  if (digits.length <= 3) setMoment(moment, 0, Number(digits));
  else setMoment(moment, Number(digits.slice(0, -3)), Number(digits.slice(-3)));
  return moment;
}

/** Moments beyond the year 2255 count as its end, because a double holds no later microsecond exactly. */
export function setMoment(moment: Moment, micros: number, nanos: number): void {
  const isInRange = micros < Number.MAX_SAFE_INTEGER;
  moment.micros = isInRange ? micros : Number.MAX_SAFE_INTEGER;
  moment.nanos = isInRange ? nanos : 0;
}

/** Whether this is the beginning of the epoch, which stands for a moment that is not told. */
export function isZero(moment: Moment): boolean {
  return moment.micros === 0 && moment.nanos === 0;
}

/** A moment as microseconds in one double. */
export function microsOf(moment: Moment): number {
  return moment.micros + moment.nanos / 1_000;
}

/** Sets an attribute as an own property whatever its name is. */
export function setAttribute(attributes: Attributes, key: string, value: AttributeValue): void {
  if (key === "__proto__") {
    Object.defineProperty(attributes, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else {
    attributes[key] = value;
  }
}

/** Cuts an attribute's text, and says so. */
export function attributeText(text: string, tally: OtlpTally): string {
  if (text.length <= spanLimits.attributeTextLengthMax) return text;
  tally.note(`Text of an attribute was cut at ${spanLimits.attributeTextLengthMax} characters.`);
  return cutText(text, spanLimits.attributeTextLengthMax);
}

/** Doubles that JSON has no number for are kept as the text that OTLP's own JSON uses. */
export function attributeDouble(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/** The service that a resource names. */
export function serviceOf(resource: Attributes): string {
  const name = resource["service.name"];
  if (typeof name !== "string" || name === "") return unknownService;
  return cutText(name, otlpLimits.serviceLengthMax);
}

/** Names the part of OTLP's nesting that goes beyond its limit. */
export const notes = {
  attributesBeyond: `Attributes beyond ${spanLimits.attributeCountMax} of one record were dropped.`,
  keyBeyond: `An attribute whose key is longer than ${otlpLimits.keyLengthMax} characters was dropped.`,
  depthBeyond: `A value nested deeper than ${otlpLimits.valueDepthMax} levels was dropped.`,
  entriesBeyond: `Entries beyond ${otlpLimits.valueEntryCountMax} of one array or map were dropped.`,
  eventsBeyond: `Events beyond ${spanLimits.eventCountMax} of one span were dropped.`,
  linksBeyond: `Links beyond ${spanLimits.linkCountMax} of one span were dropped.`,
  linkInvalid: "A link without a valid trace id and span id was dropped.",
  nameCut: `The name of a span was cut at ${spanLimits.nameLengthMax} characters.`,
  metricNameCut: `The name of a metric was cut at ${otlpLimits.metricNameLengthMax} characters.`,
  endMissing: "A span without an end got the duration 0.",
  endBeforeStart: "A span that ends before it starts got the duration 0.",
  senderDropped: "The sender says that it dropped attributes, events or links of a span.",
} as const;
