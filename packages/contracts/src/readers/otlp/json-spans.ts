/** Spans from OTLP's JSON. */

import { type Span, spanLimits } from "../../model/span.ts";
import {
  eachObject,
  enumOf,
  hexOf,
  inObject,
  type JsonObject,
  momentOf,
  textOf,
  wholeOf,
} from "./json.ts";
import { eachRecord, readAttributes } from "./json-value.ts";
import { finishSpan, isSpanId, isTraceId, SpanDraft } from "./span.ts";
import type { OtlpTally } from "./tally.ts";
import { microsOf, notes } from "./value.ts";

/** The names of kinds in the order of their numbers. */
export const kindNames = {
  prefix: "SPAN_KIND_",
  values: ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"],
};
const statusNames = { prefix: "STATUS_CODE_", values: ["UNSET", "OK", "ERROR"] };

/** Reads an ExportTraceServiceRequest. */
export function readSpans(root: JsonObject, spans: Span[], tally: OtlpTally): void {
  const names = { blocks: "resourceSpans", scopes: "scopeSpans", records: "spans" };
  eachRecord(root, names, {
    tally,
    visit(record, origin) {
      const span = finishSpan(readSpan(record, tally), origin, tally);
      if (span !== undefined) spans.push(span);
    },
  });
}

/** Reads one span, knowing everything that OTLP's JSON may hold. */
export function readSpan(record: JsonObject, tally: OtlpTally): SpanDraft {
  const draft = new SpanDraft();
  draft.traceId = hexOf(record, "traceId");
  draft.spanId = hexOf(record, "spanId");
  draft.parentSpanId = hexOf(record, "parentSpanId");
  draft.name = textOf(record, "name");
  draft.kind = enumOf(record, "kind", kindNames);
  draft.start = momentOf(record, "startTimeUnixNano") ?? draft.start;
  draft.end = momentOf(record, "endTimeUnixNano") ?? draft.end;
  draft.attributes = readAttributes(record, tally);
  readRare(record, draft, tally);
  for (const key of ["droppedAttributesCount", "droppedEventsCount", "droppedLinksCount"]) {
    if (wholeOf(record, key) > 0) tally.note(notes.senderDropped);
  }
  return draft;
}

/** Reads the fields that are empty in most spans: events, links and the status. */
export function readRare(record: JsonObject, draft: SpanDraft, tally: OtlpTally): void {
  readEvents(record, draft, tally);
  readLinks(record, draft, tally);
  inObject(record, "status", (status) => {
    draft.statusCode = enumOf(status, "code", statusNames);
    draft.statusMessage = textOf(status, "message");
  });
}

function readEvents(record: JsonObject, draft: SpanDraft, tally: OtlpTally): void {
  eachObject(record, "events", (event) => {
    if (draft.events.length >= spanLimits.eventCountMax) {
      tally.note(notes.eventsBeyond);
      return;
    }
    if (draft.events.length === 0) draft.events = [];
    const moment = momentOf(event, "timeUnixNano");
    draft.events.push({
      name: textOf(event, "name"),
      timeMicros: moment === undefined ? 0 : microsOf(moment),
      attributes: readAttributes(event, tally),
    });
  });
}

function readLinks(record: JsonObject, draft: SpanDraft, tally: OtlpTally): void {
  eachObject(record, "links", (link) => {
    if (draft.links.length >= spanLimits.linkCountMax) {
      tally.note(notes.linksBeyond);
      return;
    }
    const traceId = hexOf(link, "traceId");
    const spanId = hexOf(link, "spanId");
    if (isTraceId(traceId) && isSpanId(spanId)) {
      if (draft.links.length === 0) draft.links = [];
      draft.links.push({ traceId, spanId, attributes: readAttributes(link, tally) });
    } else {
      tally.note(notes.linkInvalid);
    }
  });
}
