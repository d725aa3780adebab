/** Writes evidence as canonical JSON. Spans, of which there may be millions, are written by their known fields. */

import type { EvidenceContent } from "../model/evidence.ts";
import type { Attributes, Span } from "../model/span.ts";
import { writeCanonicalJson, writeValue } from "./canonical-json.ts";
import { JsonBytes, type TakeBytes } from "./json-bytes.ts";

/** Depths of a span, and of what its fields hold, within the content of a trace. */
const spanDepth = 2;
const fieldDepth = 3;
/** Things of which the written form is remembered; what lies in traces repeats a few. */
const rememberedCountMax = 4_096;
const rememberedLengthMax = 256;
/** Fields of a trace's content, and of a span without a parent. */
const contentFieldCount = 3;
const spanFieldCount = 13;

const encoder = new TextEncoder();
const bytesOf = (text: string): Uint8Array => encoder.encode(text);
const pieces = {
  begin: bytesOf('{"kind":"trace","spans":['),
  spansEnd: bytesOf('],"traceId":'),
  comma: bytesOf(","),
  closed: bytesOf("}"),
  empty: bytesOf("{}"),
  attributes: bytesOf('{"attributes":'),
  duration: bytesOf(',"durationNanos":'),
  events: bytesOf(',"events":'),
  noEvents: bytesOf(',"events":[],"kind":'),
  kind: bytesOf(',"kind":'),
  links: bytesOf(',"links":'),
  noLinks: bytesOf(',"links":[],"name":'),
  name: bytesOf(',"name":'),
  parent: bytesOf(',"parentSpanId":'),
  spanId: bytesOf(',"spanId":'),
  start: bytesOf(',"startMicros":'),
  status: bytesOf(',"status":'),
  traceId: bytesOf(',"traceId":'),
};

/** The names of attributes as they stand in an object, and in canonical order with what is written before each value. */
interface NameOrder {
  readonly names: readonly string[];
  readonly sorted: readonly { readonly name: string; readonly before: Uint8Array }[];
}

/** What spans of one name had last: most have the same attributes again, or at least their names. */
interface Habit {
  order: NameOrder;
  attributes: Attributes;
  written: Uint8Array | undefined;
}

/** Where a span comes from, as it is written. */
interface WrittenOrigin {
  readonly scope: Span["scope"];
  readonly service: string;
  readonly written: Uint8Array;
}

/** Gives the same as `writeCanonicalJson`, only faster. What it remembers must not change while it is used. */
export class ContentWriter {
  readonly #out: JsonBytes;
  readonly #strings = new Map<string, Uint8Array>();
  readonly #statuses = new Map<Span["status"], Uint8Array>();
  readonly #origins = new Map<Attributes, WrittenOrigin>();
  readonly #habits = new Map<string, Habit>();
  #take: TakeBytes = () => {};

  constructor() {
    this.#out = new JsonBytes((bytes) => this.#take(bytes));
  }

  write(content: EvidenceContent, take: TakeBytes): void {
    this.#take = take;
    if (content.kind !== "trace" || Object.keys(content).length !== contentFieldCount) {
      writeCanonicalJson(content, (text) => this.#out.text(text));
      this.#out.flush();
      return;
    }
    const out = this.#out;
    out.raw(pieces.begin);
    let isFirst = true;
    for (const span of content.spans) {
      if (!isFirst) out.raw(pieces.comma);
      isFirst = false;
      if (isKnown(span)) this.#writeSpan(span);
      else this.#writeNested(span, spanDepth);
    }
    out.raw(pieces.spansEnd);
    this.#writeNested(content.traceId, 1);
    out.raw(pieces.closed);
    out.flush();
  }

  #writeSpan(span: Span): void {
    const out = this.#out;
    out.raw(pieces.attributes);
    this.#writeAttributes(span);
    out.raw(pieces.duration);
    out.number(span.durationNanos);
    if (span.events.length === 0) out.raw(pieces.noEvents);
    else {
      out.raw(pieces.events);
      this.#writeNested(span.events, fieldDepth);
      out.raw(pieces.kind);
    }
    out.raw(this.#stringOf(span.kind));
    if (span.links.length === 0) out.raw(pieces.noLinks);
    else {
      out.raw(pieces.links);
      this.#writeNested(span.links, fieldDepth);
      out.raw(pieces.name);
    }
    out.raw(this.#stringOf(span.name));
    if (span.parentSpanId !== undefined) {
      out.raw(pieces.parent);
      out.string(span.parentSpanId);
    }
    out.raw(this.#originOf(span));
    out.raw(pieces.spanId);
    out.string(span.spanId);
    out.raw(pieces.start);
    out.number(span.startMicros);
    out.raw(pieces.status);
    out.raw(this.#statusOf(span.status));
    out.raw(pieces.traceId);
    out.string(span.traceId);
    out.raw(pieces.closed);
  }

  #writeNested(value: unknown, depth: number): void {
    writeValue(value, (text) => this.#out.text(text), depth);
  }

  #writeAttributes({ name, attributes }: Span): void {
    const habit = this.#habits.get(name);
    if (habit?.attributes === attributes) {
      if (habit.written !== undefined) this.#out.raw(habit.written);
      else {
        const write = (): void => this.#writeInOrder(attributes, habit.order);
        habit.written = this.#out.copyOf(write);
      }
      return;
    }
    const order = orderOf(attributes, habit?.order);
    if (order === undefined) {
      this.#writeNested(attributes, fieldDepth);
      return;
    }
    if (habit === undefined) {
      remember(this.#habits, name, { order, attributes, written: undefined });
    } else {
      habit.order = order;
      habit.attributes = attributes;
      habit.written = undefined;
    }
    this.#writeInOrder(attributes, order);
  }

  #writeInOrder(attributes: Attributes, { sorted }: NameOrder): void {
    const out = this.#out;
    if (sorted.length === 0) {
      out.raw(pieces.empty);
      return;
    }
    for (const { name, before } of sorted) {
      out.raw(before);
      const value = attributes[name];
      if (typeof value === "string") out.string(value);
      else if (typeof value === "number") out.number(value);
      else out.text(JSON.stringify(value));
    }
    out.raw(pieces.closed);
  }

  /** Resource, scope and service, which stand next to one another. */
  #originOf({ resource, scope, service }: Span): Uint8Array {
    const known = this.#origins.get(resource);
    if (known?.scope === scope && known.service === service) return known.written;
    const written = bytesOf(
      `,"resource":${textOf(resource)},"scope":${textOf(scope)},"service":${JSON.stringify(service)}`,
    );
    remember(this.#origins, resource, { scope, service, written });
    return written;
  }

  #statusOf(status: Span["status"]): Uint8Array {
    const known = this.#statuses.get(status);
    if (known !== undefined) return known;
    const written = bytesOf(textOf(status));
    remember(this.#statuses, status, written);
    return written;
  }

  #stringOf(text: string): Uint8Array {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    const written = bytesOf(JSON.stringify(text));
    if (text.length <= rememberedLengthMax) remember(this.#strings, text, written);
    return written;
  }
}

function remember<K, V>(memory: Map<K, V>, key: K, value: V): void {
  if (memory.size >= rememberedCountMax) memory.clear();
  memory.set(key, value);
}

/** Whether a span has the fields of the model and no others. */
function isKnown(span: Span): boolean {
  const { parentSpanId, durationNanos, startMicros } = span;
  const fieldCount = parentSpanId === undefined ? spanFieldCount : spanFieldCount + 1;
  return (
    Object.keys(span).length === fieldCount &&
    Number.isFinite(durationNanos) &&
    Number.isFinite(startMicros)
  );
}

function textOf(value: object): string {
  let text = "";
  const emit = (piece: string): void => {
    text += piece;
  };
  writeValue(value, emit, fieldDepth);
  return text;
}

/** The order of attributes that hold nothing nested, else `undefined`; the same one again where the names are the same. */
function orderOf(attributes: Attributes, last: NameOrder | undefined): NameOrder | undefined {
  const names = Object.keys(attributes);
  for (const name of names) if (!isPlain(attributes[name])) return undefined;
  if (last !== undefined && isSameList(last.names, names)) return last;
  const sorted = [...names].sort().map((name, index) => ({
    name,
    before: bytesOf(`${index === 0 ? "{" : ","}${JSON.stringify(name)}:`),
  }));
  return { names, sorted };
}

function isSameList(left: readonly string[], right: readonly string[]): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index += 1) {
    if (left[index] !== right[index]) return false;
  }
  return true;
}

function isPlain(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  return typeof value === "string" || typeof value === "boolean" || value === null;
}
