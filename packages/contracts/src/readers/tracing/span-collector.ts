/** Makes spans of what other tracers call them, within the limits of a span and with what was cut or assumed. */

import { isFields } from "../../model/fields.ts";
import {
  type Attributes,
  type AttributeValue,
  type Span,
  type SpanEvent,
  spanLimits,
  type SpanLink,
} from "../../model/span.ts";
import { cutText } from "../../text/cut-text.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent } from "../format.ts";
import { finishSpan, isSpanId, isTraceId, SpanDraft } from "../otlp/span.ts";
import { OtlpTally } from "../otlp/tally.ts";
import {
  attributeText,
  type Moment,
  notes,
  type Origin,
  otlpLimits,
  serviceOf,
  setAttribute,
} from "../otlp/value.ts";
import { hexadecimalId } from "./ids.ts";

/** A span as its tracer tells it. Ids are as they were written; times in microseconds since 1970. */
export interface ForeignSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string | undefined;
  readonly name: string;
  /** OTLP's number of the kind. */
  readonly kind: number;
  readonly startMicros: number | undefined;
  readonly endMicros: number | undefined;
  readonly attributes: Attributes;
  readonly events?: readonly SpanEvent[];
  readonly links?: readonly ForeignLink[];
  /** 0 unset, 1 ok, 2 error. */
  readonly statusCode: number;
  readonly statusMessage?: string | undefined;
  readonly resource: Attributes;
  readonly scope?: Origin["scope"];
}

export interface ForeignLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Attributes;
}

const noScope: Origin["scope"] = { name: "" };

export class SpanCollector {
  readonly spans: Span[] = [];
  readonly tally = new OtlpTally();

  add(foreign: ForeignSpan): void {
    const { tally } = this;
    const draft = new SpanDraft();
    draft.traceId = this.#id(foreign.traceId, 32);
    draft.spanId = this.#id(foreign.spanId, 16);
    const parent = foreign.parentSpanId ?? "";
    // Zeros mean that there is no parent.
    draft.parentSpanId = /^0*$/.test(parent) ? "" : this.#id(parent, 16);
    draft.name = foreign.name.toWellFormed();
    draft.kind = foreign.kind;
    draft.start = momentOf(foreign.startMicros) ?? draft.start;
    draft.end = momentOf(foreign.endMicros) ?? draft.end;
    draft.attributes = foreign.attributes;
    if (foreign.events !== undefined && foreign.events.length > 0) {
      if (foreign.events.length > spanLimits.eventCountMax) tally.note(notes.eventsBeyond);
      draft.events = foreign.events.slice(0, spanLimits.eventCountMax);
    }
    const links = this.#links(foreign.links ?? []);
    if (links.length > 0) draft.links = links;
    draft.statusCode = foreign.statusCode;
    draft.statusMessage = foreign.statusMessage?.toWellFormed() ?? "";
    const origin = {
      service: serviceOf(foreign.resource),
      resource: foreign.resource,
      scope: foreign.scope ?? noScope,
    };
    const span = finishSpan(draft, origin, tally);
    if (span !== undefined) this.spans.push(span);
  }

  /** Attributes from any value that is an object; what no attribute can hold is cut, and said. */
  attributes(value: unknown): Attributes {
    const attributes: Attributes = {};
    if (isFields(value)) {
      for (const [key, item] of Object.entries(value)) this.set(attributes, key, item);
    }
    return attributes;
  }

  /** Sets one attribute, within the limits. */
  set(attributes: Attributes, key: string, value: unknown): void {
    if (key.length > otlpLimits.keyLengthMax) this.tally.note(notes.keyBeyond);
    else if (value !== undefined)
      setAttribute(attributes, key.toWellFormed(), this.#value(value, 0));
  }

  /** Drops what is beyond the number of attributes of one record. */
  bounded(attributes: Attributes): Attributes {
    const entries = Object.entries(attributes);
    if (entries.length <= spanLimits.attributeCountMax) return attributes;
    this.tally.note(notes.attributesBeyond);
    return Object.fromEntries(entries.slice(0, spanLimits.attributeCountMax));
  }

  /** What was read. Throws when no span could be. */
  content(format: string): FileContent {
    const { count, reasons } = this.tally.rejected;
    if (this.spans.length === 0) {
      const message =
        count === 0
          ? `The file holds no spans of ${format}.`
          : `None of ${count} spans can be read: ${reasons.join(" ")}`;
      throw new EvidenceError(message, {
        expected: `at least one span of ${format} with ids, a name and a start`,
        where: "line 1, column 1",
      });
    }
    const left = count === 0 ? [] : [`${count} spans were left out: ${reasons.join(" ")}`];
    return { spans: this.spans, notes: [...this.tally.notes, ...left] };
  }

  #id(id: string, length: 16 | 32): string {
    const { id: hexadecimal, isHashed } = hexadecimalId(id, length);
    if (isHashed) this.tally.note("An id that is not hexadecimal was replaced by a hash of it.");
    return hexadecimal;
  }

  #links(links: readonly ForeignLink[]): SpanLink[] {
    if (links.length > spanLimits.linkCountMax) this.tally.note(notes.linksBeyond);
    return links.slice(0, spanLimits.linkCountMax).flatMap((link) => {
      const traceId = this.#id(link.traceId, 32);
      const spanId = this.#id(link.spanId, 16);
      if (isTraceId(traceId) && isSpanId(spanId)) {
        return [{ traceId, spanId, attributes: link.attributes }];
      }
      this.tally.note(notes.linkInvalid);
      return [];
    });
  }

  #value(value: unknown, depth: number): AttributeValue {
    switch (typeof value) {
      case "string":
        return attributeText(value.toWellFormed(), this.tally);
      case "number":
        return Number.isFinite(value) ? value : String(value);
      case "boolean":
        return value;
      default:
        return this.#nested(value, depth);
    }
  }

  #nested(value: unknown, depth: number): AttributeValue {
    if (typeof value !== "object" || value === null) return null;
    if (depth >= otlpLimits.valueDepthMax) {
      this.tally.note(notes.depthBeyond);
      return null;
    }
    const entries = Object.entries(value);
    if (entries.length > otlpLimits.valueEntryCountMax) this.tally.note(notes.entriesBeyond);
    const kept = entries.slice(0, otlpLimits.valueEntryCountMax);
    if (Array.isArray(value)) return kept.map(([, item]) => this.#value(item, depth + 1));
    return Object.fromEntries(
      kept.map(([key, item]) => [
        cutText(key.toWellFormed(), otlpLimits.keyLengthMax),
        this.#value(item, depth + 1),
      ]),
    );
  }
}

/** Microseconds as an exact moment; nothing for what is none. */
function momentOf(micros: number | undefined): Moment | undefined {
  if (micros === undefined || !Number.isFinite(micros) || micros <= 0) return undefined;
  if (micros >= Number.MAX_SAFE_INTEGER) return { micros: Number.MAX_SAFE_INTEGER, nanos: 0 };
  const whole = Math.floor(micros);
  const nanos = Math.round((micros - whole) * 1_000);
  return nanos === 1_000 ? { micros: whole + 1, nanos: 0 } : { micros: whole, nanos };
}
