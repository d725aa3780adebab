/** Attributes, resources and scopes from protobuf. Field numbers are those of OTLP's common.proto and resource.proto. */

import { type Attributes, type AttributeValue, spanLimits } from "../../model/span.ts";
import { cutText } from "../../text/cut-text.ts";
import {
  type AttributeDraft,
  entryBytesMax,
  entryBytesMin,
  type EntryPool,
} from "./attribute-pool.ts";
import type { OtlpTally } from "./tally.ts";
import { attributeDouble, attributeText, notes, otlpLimits, setAttribute } from "./value.ts";
import type { WireReader } from "./wire.ts";
import { hashOfBytes } from "./words.ts";

/** Reads one KeyValue into `attributes`, of which `count` were read before. */
export function readAttribute(
  reader: WireReader,
  target: { readonly attributes: Attributes; count: number; readonly countMax: number },
  tally: OtlpTally,
): void {
  if (target.count >= target.countMax) {
    tally.note(notes.attributesBeyond);
    reader.skip(reader.size());
    return;
  }
  target.count += 1;
  readEntry(reader, target.attributes, { depth: 0, tally });
}

/** Reads one KeyValue of a span. */
export function readSpanAttribute(
  reader: WireReader,
  { draft, entries }: { readonly draft: AttributeDraft; readonly entries: EntryPool },
  tally: OtlpTally,
): void {
  if (draft.metCount >= spanLimits.attributeCountMax) {
    tally.note(notes.attributesBeyond);
    reader.skip(reader.size());
    return;
  }
  draft.metCount += 1;
  const outer = reader.enter();
  const { words: view, pos: from, len: to } = reader;
  const isKept = to - from >= entryBytesMin && to - from <= entryBytesMax;
  if (isKept) {
    const { place } = entries;
    place.view = view;
    place.from = from;
    place.to = to;
  }
  if (isKept && (entries.addExpected(draft) || isKnown(entries, draft))) reader.pos = to;
  else {
    const isAdded = readNewAttribute(reader, draft, tally);
    if (isKept && isAdded) entries.remember(draft);
  }
  reader.leave(outer);
}

function isKnown(entries: EntryPool, draft: AttributeDraft): boolean {
  const { place } = entries;
  place.hash = hashOfBytes(place.view, place.from, place.to);
  return entries.addKnown(draft);
}

function readNewAttribute(reader: WireReader, draft: AttributeDraft, tally: OtlpTally): boolean {
  let key = "";
  let keyHash = 0;
  let value: AttributeValue = null;
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === 10) {
      key = reader.text();
      keyHash = reader.hash;
    } else if (tag === 18) value = readValue(reader, { depth: 0, tally });
    else reader.skipField(tag);
  }
  if (key.length > otlpLimits.keyLengthMax) {
    tally.note(notes.keyBeyond);
    return false;
  }
  draft.add(key, value, keyHash ^ (hashOf(value, reader) << 1));
  return true;
}

function hashOf(value: AttributeValue, reader: WireReader): number {
  if (typeof value === "string") return reader.hash;
  return typeof value === "number" ? Math.trunc(value) | 0 : Number(value === true);
}

/** A target for `readAttribute` with the limit of one record. */
export function newAttributes(): { attributes: Attributes; count: number; countMax: number } {
  return { attributes: {}, count: 0, countMax: spanLimits.attributeCountMax };
}

interface Nesting {
  readonly depth: number;
  readonly tally: OtlpTally;
}

function readEntry(reader: WireReader, entries: Attributes, nesting: Nesting): void {
  const outer = reader.enter();
  let key = "";
  let value: AttributeValue = null;
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === 10) key = reader.text();
    else if (tag === 18) value = readValue(reader, nesting);
    else reader.skipField(tag);
  }
  reader.leave(outer);
  if (key.length > otlpLimits.keyLengthMax) nesting.tally.note(notes.keyBeyond);
  else setAttribute(entries, key, value);
}

/** Reads one AnyValue. */
export function readValue(reader: WireReader, nesting: Nesting): AttributeValue {
  const outer = reader.enter();
  let value: AttributeValue = null;
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        value = attributeText(reader.text(), nesting.tally);
        break;
      case 16:
        value = reader.bool();
        break;
      case 24:
        value = reader.integer();
        break;
      case 33:
        value = attributeDouble(reader.double());
        break;
      case 42:
        value = readNested(reader, nesting, readArray);
        break;
      case 50:
        value = readNested(reader, nesting, readMap);
        break;
      case 58:
        value = attributeText(reader.base64(), nesting.tally);
        break;
      default:
        reader.skipField(tag);
    }
  }
  reader.leave(outer);
  return value;
}

function readNested(
  reader: WireReader,
  nesting: Nesting,
  read: (reader: WireReader, nesting: Nesting) => AttributeValue,
): AttributeValue {
  if (nesting.depth >= otlpLimits.valueDepthMax) {
    nesting.tally.note(notes.depthBeyond);
    reader.skip(reader.size());
    return null;
  }
  const outer = reader.enter();
  const value = read(reader, { depth: nesting.depth + 1, tally: nesting.tally });
  reader.leave(outer);
  return value;
}

function readArray(reader: WireReader, nesting: Nesting): AttributeValue[] {
  const values: AttributeValue[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag !== 10) reader.skipField(tag);
    else if (values.length < otlpLimits.valueEntryCountMax) values.push(readValue(reader, nesting));
    else skipEntry(reader, nesting);
  }
  return values;
}

function readMap(reader: WireReader, nesting: Nesting): Attributes {
  const entries: Attributes = {};
  let count = 0;
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag !== 10) reader.skipField(tag);
    else if (count < otlpLimits.valueEntryCountMax) readEntry(reader, entries, nesting);
    else skipEntry(reader, nesting);
    if (tag === 10) count += 1;
  }
  return entries;
}

function skipEntry(reader: WireReader, nesting: Nesting): void {
  nesting.tally.note(notes.entriesBeyond);
  reader.skip(reader.size());
}

/** Reads the fields of a Resource; the caller has entered it. */
export function readResource(reader: WireReader, tally: OtlpTally): Attributes {
  const target = newAttributes();
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === 10) readAttribute(reader, target, tally);
    else reader.skipField(tag);
  }
  return target.attributes;
}

/** Reads the name and version of an InstrumentationScope; the caller has entered it. */
export function readScope(reader: WireReader): { name: string; version?: string } {
  let name = "";
  let version = "";
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === 10) name = cutText(reader.text(), otlpLimits.scopeLengthMax);
    else if (tag === 18) version = cutText(reader.text(), otlpLimits.scopeLengthMax);
    else reader.skipField(tag);
  }
  return version === "" ? { name } : { name, version };
}
