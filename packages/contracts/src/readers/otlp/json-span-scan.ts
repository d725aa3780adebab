/** Spans straight from the bytes of OTLP's JSON, as exporters write them. What is unusual is left to the full reading. */

import { spanLimits } from "../../model/span.ts";
import { AttributeDraft, AttributePool, EntryPool, entryBytesMax } from "./attribute-pool.ts";
import { IdPool, IdTrail } from "./id-pool.ts";
import type { JsonObject } from "./json.ts";
import { JsonCursor, parsed, textOfBytes, unusual } from "./json-cursor.ts";
import { hasSnakeCase } from "./json-names.ts";
import { kindNames, readRare } from "./json-spans.ts";
import { SpanDraft } from "./span.ts";
import type { OtlpTally } from "./tally.ts";
import { asciiOf, textOf16 } from "./text-pool.ts";
import { type Moment, otlpLimits, setMoment } from "./value.ts";

const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const quote = 0x22;

const fieldNames = [
  "traceId",
  "spanId",
  "parentSpanId",
  "name",
  "kind",
  "startTimeUnixNano",
  "endTimeUnixNano",
  "attributes",
  "events",
  "links",
  "status",
  "droppedAttributesCount",
  "droppedEventsCount",
  "droppedLinksCount",
  "traceState",
  "flags",
] as const;
type FieldName = (typeof fieldNames)[number];

/** Length and second letter tell the fields apart. */
const markOf = (length: number, second: number): number => (length << 8) | second;
const fieldsByMark = new Map<number, number>(
  fieldNames.map((name, index) => [markOf(name.length, name.charCodeAt(1)), index]),
);

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
/** Names and what surrounds them, as they stand where no white space does. */
const fieldLiterals = fieldNames.map((name) => bytesOf(`"${name}":`));
const keyLiteral = bytesOf('{"key":"');
const valueLiteral = bytesOf(',"value":{"');
const stringLiteral = bytesOf('stringValue":"');
const endLiteral = bytesOf("}}");

/** Fields of which only the place is noted before the whole span is known to be usual. */
const rareNames = ["events", "links", "status"] as const;

/** Scans spans one after another, with a memory of the texts and attributes that it has met. */
export class JsonSpanScanner {
  readonly #cursor = new JsonCursor();
  readonly #traceIds = new IdTrail(new IdPool(32, (bytes, from) => hexText(bytes, from, 32)));
  readonly #spanIdPool = new IdPool(16, (bytes, from) => hexText(bytes, from, 16));
  readonly #spanIds = new IdTrail(this.#spanIdPool);
  readonly #parentIds = new IdTrail(this.#spanIdPool);
  readonly #attributes = new AttributePool();
  readonly #draft = new AttributeDraft();
  readonly #entries = new EntryPool();
  readonly #span = new SpanDraft();
  /** Of the span before: exporters write all of them in one order. */
  readonly #order: number[] = [];
  readonly #rare: Record<(typeof rareNames)[number], string | undefined> = {
    events: undefined,
    links: undefined,
    status: undefined,
  };
  /** Behind the span that was read last. */
  get end(): number {
    return this.#cursor.at;
  }

  /**
   * The span that begins at `from`, or `undefined` when it is unusual or reaches beyond `end`; then the tally is as it was.
   * Throws a `JsonMismatch` where an event, a link or the status is not what OTLP has there.
   */
  scan(
    bytes: Uint8Array,
    place: { readonly from: number; readonly end: number },
    tally: OtlpTally,
  ): SpanDraft | undefined {
    const cursor = this.#cursor;
    cursor.bytes = bytes as Uint8Array<ArrayBuffer>;
    cursor.at = place.from;
    cursor.end = place.end;
    const draft = this.#span;
    draft.clear();
    let rare: JsonObject | undefined;
    try {
      this.#readFields(draft);
      rare = this.#rareFields();
    } catch (error) {
      // Bytes that are not UTF-8 throw a TypeError; the full reading says so.
      if (error === unusual || error instanceof TypeError) return undefined;
      throw error;
    }
    if (rare !== undefined) readRare(rare, draft, tally);
    return draft;
  }

  #readFields(draft: SpanDraft): void {
    const cursor = this.#cursor;
    const rare = this.#rare;
    rare.events = rare.links = rare.status = undefined;
    if (!cursor.opens(openBrace, closeBrace)) return;
    let seen = 0;
    let place = 0;
    do {
      const field = this.#fieldIndex(place);
      place += 1;
      // Of a field that stands twice the last one counts, which only the full reading knows.
      if ((seen & (1 << field)) !== 0) throw unusual;
      seen |= 1 << field;
      this.#readField(fieldNames[field] ?? "flags", draft);
    } while (cursor.hasNext(closeBrace));
  }

  /** Reads a name with its colon. */
  #fieldIndex(place: number): number {
    const cursor = this.#cursor;
    const expected = this.#order[place];
    if (expected !== undefined) {
      const literal = fieldLiterals[expected];
      if (literal !== undefined && cursor.literal(literal)) return expected;
    }
    cursor.string();
    const { from, to, bytes } = cursor;
    const index = fieldsByMark.get(markOf(to - from, bytes[from + 1] ?? 0));
    if (index === undefined || !cursor.is(fieldNames[index] ?? "")) throw unusual;
    cursor.expect(0x3a);
    this.#order[place] = index;
    return index;
  }

  #readField(name: FieldName, draft: SpanDraft): void {
    const cursor = this.#cursor;
    switch (name) {
      case "traceId":
        draft.traceId = this.#id(32, this.#traceIds);
        return;
      case "spanId":
        draft.spanId = this.#id(16, this.#spanIds);
        return;
      case "parentSpanId":
        draft.parentSpanId = this.#id(16, this.#parentIds);
        return;
      case "name":
        cursor.string();
        draft.name = cursor.text();
        return;
      case "kind":
        draft.kind = this.#kind();
        return;
      case "startTimeUnixNano":
        this.#moment(draft.start);
        return;
      case "endTimeUnixNano":
        this.#moment(draft.end);
        return;
      case "attributes":
        this.#readAttributes(draft);
        return;
      case "events":
      case "links":
        this.#noteRare(name, openBracket, closeBracket);
        return;
      case "status":
        this.#noteRare(name, openBrace, closeBrace);
        return;
      case "traceState":
        cursor.string();
        cursor.text();
        return;
      case "flags":
        cursor.number();
        return;
      default:
        if (cursor.integer() !== 0) throw unusual;
    }
  }

  /** An identifier of this length in lower case, or an empty one. */
  #id(length: number, ids: IdTrail): string {
    const cursor = this.#cursor;
    cursor.expect(quote);
    const { bytes, at: from, view } = cursor;
    if (from + length < cursor.end && bytes[from + length] === quote) {
      cursor.at = from + length + 1;
      return ids.take(bytes, view, from);
    }
    if (bytes[from] !== quote) throw unusual;
    cursor.at = from + 1;
    return "";
  }

  #kind(): number {
    const cursor = this.#cursor;
    if (cursor.peek() !== quote) return cursor.integer();
    cursor.string();
    const name = cursor.text();
    const index = kindNames.values.findIndex((value) => name === `${kindNames.prefix}${value}`);
    if (index < 0) throw unusual;
    return index;
  }

  /** Nanoseconds as a string; a number in JSON has lost some of them, and how it is rounded is the full reading's. */
  #moment(moment: Moment): void {
    const cursor = this.#cursor;
    cursor.string();
    const { bytes, from, to } = cursor;
    if (to === from || to - from > 20) throw unusual;
    const microsEnd = to - 3;
    let micros = 0;
    let nanos = 0;
    for (let at = from; at < to; at += 1) {
      const digit = (bytes[at] as number) - 0x30;
      if (digit < 0 || digit > 9) throw unusual;
      if (at < microsEnd) micros = micros * 10 + digit;
      else nanos = nanos * 10 + digit;
    }
    setMoment(moment, micros, nanos);
  }

  #readAttributes(draft: SpanDraft): void {
    const cursor = this.#cursor;
    const attributes = this.#draft;
    attributes.clear();
    if (cursor.opens(openBracket, closeBracket)) {
      do this.#readAttribute(attributes);
      while (cursor.hasNext(closeBracket));
    }
    if (attributes.count > spanLimits.attributeCountMax) throw unusual;
    draft.attributes = this.#attributes.take(attributes);
  }

  #readAttribute(attributes: AttributeDraft): void {
    const cursor = this.#cursor;
    cursor.peek();
    const from = cursor.at;
    cursor.lookToBraces(entryBytesMax);
    const { to, hash, view } = cursor;
    const { place } = this.#entries;
    place.view = view;
    place.from = from;
    place.to = to;
    place.hash = hash;
    if (to > 0 && this.#entries.addKnown(attributes)) {
      cursor.at = to;
      return;
    }
    this.#readEntry(attributes);
    if (cursor.at === to) this.#entries.remember(attributes);
  }

  #readEntry(attributes: AttributeDraft): void {
    const cursor = this.#cursor;
    if (cursor.literal(keyLiteral)) cursor.stringBody();
    else {
      cursor.expect(openBrace);
      this.#name("key");
      cursor.string();
    }
    if (cursor.to - cursor.from > otlpLimits.keyLengthMax) throw unusual;
    const keyHash = cursor.hash;
    const key = cursor.text();
    if (!cursor.literal(valueLiteral)) {
      cursor.expect(0x2c);
      this.#name("value");
      cursor.expect(openBrace);
      cursor.expect(quote);
    }
    const value = this.#readValue();
    attributes.add(key, value, keyHash ^ (cursor.hash << 1));
    if (cursor.literal(endLiteral)) return;
    cursor.expect(closeBrace);
    cursor.expect(closeBrace);
  }

  /** Reads the name of a type behind its opening quote, and a value of it. */
  #readValue(): string | number | boolean {
    const cursor = this.#cursor;
    if (cursor.literal(stringLiteral)) {
      cursor.stringBody();
      return this.#attributeText();
    }
    cursor.stringBody();
    const { from, to } = cursor;
    cursor.expect(0x3a);
    const isOf = (name: string): boolean => isAt(cursor.bytes, { from, to }, name);
    if (isOf("stringValue")) {
      cursor.string();
      return this.#attributeText();
    }
    if (isOf("intValue")) return cursor.integer();
    if (isOf("boolValue")) return cursor.boolean();
    if (isOf("doubleValue")) return cursor.number();
    throw unusual;
  }

  #attributeText(): string {
    const cursor = this.#cursor;
    // Longer text may have to be cut, which the full reading does and says.
    if (cursor.to - cursor.from > spanLimits.attributeTextLengthMax) throw unusual;
    return cursor.text();
  }

  #name(name: string): void {
    const cursor = this.#cursor;
    cursor.string();
    if (!cursor.is(name)) throw unusual;
    cursor.expect(0x3a);
  }

  #noteRare(name: (typeof rareNames)[number], opener: number, closer: number): void {
    const cursor = this.#cursor;
    if (cursor.peek() !== opener) throw unusual;
    const from = cursor.at;
    cursor.skipNested();
    const isEmpty = cursor.at - from === 2 && cursor.bytes[cursor.at - 1] === closer;
    if (isEmpty) return;
    const text = textOfBytes(cursor.bytes, from, cursor.at);
    if (hasSnakeCase(text)) throw unusual;
    this.#rare[name] = text;
  }

  /** The noted fields as JSON, or `undefined` when all are empty. */
  #rareFields(): JsonObject | undefined {
    let fields: JsonObject | undefined;
    for (const name of rareNames) {
      const text = this.#rare[name];
      if (text === undefined) continue;
      fields ??= {};
      // It is the text of a list or an object.
      fields[name] = parsed(text) as JsonObject;
    }
    return fields;
  }
}

/** The text of hexadecimal digits in lower case. */
function hexText(bytes: Uint8Array, from: number, length: number): string {
  for (let at = from; at < from + length; at += 1) {
    const byte = bytes[at] as number;
    if (!((byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66))) throw unusual;
  }
  return length === 16 ? textOf16(bytes, from) : asciiOf(bytes, from, from + length);
}

function isAt(
  bytes: Uint8Array,
  { from, to }: { readonly from: number; readonly to: number },
  name: string,
): boolean {
  if (to - from !== name.length) return false;
  for (let at = 0; at < name.length; at += 1) {
    if (bytes[from + at] !== name.charCodeAt(at)) return false;
  }
  return true;
}
