/** Spans from protobuf, field by field for speed. Field numbers are those of OTLP's trace.proto. */

import { spanLimits } from "../../model/span.ts";
import { AttributeDraft, AttributePool, EntryPool } from "./attribute-pool.ts";
import { isSpanId, isTraceId, SpanDraft } from "./span.ts";
import type { OtlpTally } from "./tally.ts";
import { microsOf, notes } from "./value.ts";
import type { WireReader } from "./wire.ts";
import { newAttributes, readAttribute, readSpanAttribute } from "./wire-value.ts";

/** What spans share that are read one after another. */
export class WireSpans {
  readonly #target = {
    draft: new SpanDraft(),
    attributes: { draft: new AttributeDraft(), entries: new EntryPool() },
  };
  readonly #pool = new AttributePool();

  /** Reads the fields of a Span up to the reader's present end. The next span is read into the same draft. */
  read(reader: WireReader, tally: OtlpTally): SpanDraft {
    const { draft, attributes } = this.#target;
    draft.clear();
    attributes.draft.clear();
    readSpan(reader, this.#target, tally);
    draft.attributes = this.#pool.take(attributes.draft);
    return draft;
  }
}

interface SpanTarget {
  readonly draft: SpanDraft;
  readonly attributes: Parameters<typeof readSpanAttribute>[1];
}

function readSpan(reader: WireReader, { draft, attributes }: SpanTarget, tally: OtlpTally): void {
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
        draft.parentSpanId = reader.parentId();
        break;
      case 42:
        draft.name = reader.text();
        break;
      case 48:
        draft.kind = reader.int32();
        break;
      case 57:
        reader.moment(draft.start);
        break;
      case 65:
        reader.moment(draft.end);
        break;
      case 74:
        readSpanAttribute(reader, attributes, tally);
        break;
      default:
        readRareField(reader, tag, { draft, tally });
    }
  }
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

function readEvent(reader: WireReader, draft: SpanDraft, tally: OtlpTally): void {
  if (draft.events.length >= spanLimits.eventCountMax) {
    tally.note(notes.eventsBeyond);
    reader.skip(reader.size());
    return;
  }
  const outer = reader.enter();
  const target = newAttributes();
  let name = "";
  const moment = { micros: 0, nanos: 0 };
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === 9) reader.moment(moment);
    else if (tag === 18) name = reader.text();
    else if (tag === 26) readAttribute(reader, target, tally);
    else reader.skipField(tag);
  }
  reader.leave(outer);
  if (draft.events.length === 0) draft.events = [];
  draft.events.push({ name, timeMicros: microsOf(moment), attributes: target.attributes });
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
    if (draft.links.length === 0) draft.links = [];
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
