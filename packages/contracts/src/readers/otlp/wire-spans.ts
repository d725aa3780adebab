/** Spans from protobuf, field by field for speed. Field numbers are those of OTLP's trace.proto. */

import { type Attributes, type Span, spanLimits } from "../../model/span.ts";
import { finishSpan, isSpanId, isTraceId, newSpanDraft, type SpanDraft } from "./span.ts";
import type { OtlpTally } from "./tally.ts";
import { microsOf, notes, type Origin, serviceOf } from "./value.ts";
import type { WireReader } from "./wire.ts";
import { newAttributes, readAttribute, readResource, readScope } from "./wire-value.ts";

/** Reads an ExportTraceServiceRequest. */
export function readSpans(reader: WireReader, tally: OtlpTally): Span[] {
  const spans: Span[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === 10) readResourceSpans(reader, spans, tally);
    else reader.skipField(tag);
  }
  return spans;
}

function readResourceSpans(reader: WireReader, spans: Span[], tally: OtlpTally): void {
  const outer = reader.enter();
  let resource: Attributes = {};
  // Protobuf lets fields come in any order, so the groups wait until the resource is known.
  const groups: number[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === 10) {
      const resourceOuter = reader.enter();
      resource = readResource(reader, tally);
      reader.leave(resourceOuter);
    } else if (tag === 18) groups.push(reader.placeOf());
    else reader.skipField(tag);
  }
  const service = serviceOf(resource);
  for (const place of groups) {
    reader.at(place, () => readScopeSpans(reader, { resource, service }, { spans, tally }));
  }
  reader.leave(outer);
}

interface Output {
  readonly spans: Span[];
  readonly tally: OtlpTally;
}

function readScopeSpans(
  reader: WireReader,
  emitter: { resource: Attributes; service: string },
  output: Output,
): void {
  let scope: Origin["scope"] = { name: "" };
  const places: number[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === 10) {
      const outer = reader.enter();
      scope = readScope(reader);
      reader.leave(outer);
    } else if (tag === 18) places.push(reader.placeOf());
    else reader.skipField(tag);
  }
  const origin = { ...emitter, scope };
  const readOne = (): void => {
    const span = finishSpan(readSpan(reader, output.tally), origin, output.tally);
    if (span !== undefined) output.spans.push(span);
  };
  for (const place of places) reader.at(place, readOne);
}

function readSpan(reader: WireReader, tally: OtlpTally): SpanDraft {
  const draft = newSpanDraft();
  const target = newAttributes();
  draft.attributes = target.attributes;
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        draft.traceId = reader.hex();
        break;
      case 18:
        draft.spanId = reader.hex();
        break;
      case 34:
        draft.parentSpanId = reader.hex();
        break;
      case 42:
        draft.name = reader.text();
        break;
      case 48:
        draft.kind = reader.int32();
        break;
      case 57:
        draft.start = nonZero(reader);
        break;
      case 65:
        draft.end = nonZero(reader);
        break;
      case 74:
        readAttribute(reader, target, tally);
        break;
      default:
        readRareField(reader, tag, { draft, tally });
    }
  }
  return draft;
}

function readRareField(
  reader: WireReader,
  tag: number,
  { draft, tally }: { draft: SpanDraft; tally: OtlpTally },
): void {
  switch (tag) {
    case 90:
      readEvent(reader, draft, tally);
      break;
    case 106:
      readLink(reader, draft, tally);
      break;
    case 122:
      readStatus(reader, draft);
      break;
    // The counts of dropped attributes, events and links.
    case 80:
    case 96:
    case 112:
      if (reader.uint32() > 0) tally.note(notes.senderDropped);
      break;
    default:
      reader.skipField(tag);
  }
}

function nonZero(reader: WireReader): SpanDraft["start"] {
  const moment = reader.moment();
  return moment.micros === 0 && moment.nanos === 0 ? undefined : moment;
}

function readEvent(reader: WireReader, draft: SpanDraft, tally: OtlpTally): void {
  if (draft.events.length >= spanLimits.eventCountMax) {
    tally.note(notes.eventsBeyond);
    reader.skip(reader.size());
    return;
  }
  const outer = reader.enter();
  const target = newAttributes();
  let name = "";
  let timeMicros = 0;
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === 9) timeMicros = microsOf(reader.moment());
    else if (tag === 18) name = reader.text();
    else if (tag === 26) readAttribute(reader, target, tally);
    else reader.skipField(tag);
  }
  reader.leave(outer);
  draft.events.push({ name, timeMicros, attributes: target.attributes });
}

function readLink(reader: WireReader, draft: SpanDraft, tally: OtlpTally): void {
  if (draft.links.length >= spanLimits.linkCountMax) {
    tally.note(notes.linksBeyond);
    reader.skip(reader.size());
    return;
  }
  const outer = reader.enter();
  const target = newAttributes();
  let traceId = "";
  let spanId = "";
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === 10) traceId = reader.hex();
    else if (tag === 18) spanId = reader.hex();
    else if (tag === 34) readAttribute(reader, target, tally);
    else reader.skipField(tag);
  }
  reader.leave(outer);
  if (isTraceId(traceId) && isSpanId(spanId)) {
    draft.links.push({ traceId, spanId, attributes: target.attributes });
  } else {
    tally.note(notes.linkInvalid);
  }
}

function readStatus(reader: WireReader, draft: SpanDraft): void {
  const outer = reader.enter();
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === 18) draft.statusMessage = reader.text();
    else if (tag === 24) draft.statusCode = reader.int32();
    else reader.skipField(tag);
  }
  reader.leave(outer);
}
