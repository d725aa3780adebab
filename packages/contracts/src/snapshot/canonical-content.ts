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

/** Orders of attributes that spans of one name take turns in. */
const orderCountMax = 4;

const encoder = new TextEncoder();
const bytesOf = (text: string): Uint8Array => encoder.encode(text);
const pieces = {
  begin: bytesOf('{"kind":"trace","spans":['),
  spansEnd: bytesOf('],"traceId":'),
  comma: bytesOf(","),
  closed: bytesOf("}"),
  empty: bytesOf("{}"),
  attributes: bytesOf('{"attributes":'),
  nextAttributes: bytesOf(',{"attributes":'),
  duration: bytesOf(',"durationNanos":'),
  events: bytesOf(',"events":'),
  start: bytesOf(',"startMicros":'),
};

/** The names of attributes as they stand in an object, and in canonical order with what is written before each value. */
interface NameOrder {
  readonly names: readonly string[];
  readonly sorted: readonly { readonly name: string; readonly before: Uint8Array }[];
}

/** What spans of one name had last: most have the same again, or at least attributes of the same names. */
interface Habit {
  readonly orders: NameOrder[];
  attributes: Attributes | undefined;
  writtenAttributes: Uint8Array | undefined;
  kind: Span["kind"] | undefined;
  isRoot: boolean;
  /** From the events to before the parent or, of a root, the resource; without events and links. */
  middle: Uint8Array;
  origin: WrittenOrigin | undefined;
}

/** Where a span comes from, as it is written: resource, scope and service, which stand next to one another. */
interface WrittenOrigin {
  readonly resource: Attributes;
  readonly scope: Span["scope"];
  readonly service: string;
  /** Up to the span's own id. */
  readonly written: Uint8Array;
}

/** What stands behind the start of a span. */
interface Tail {
  status: Span["status"] | undefined;
  traceId: string;
  written: Uint8Array;
}

/** Gives the same as `writeCanonicalJson`, only faster. What it remembers must not change while it is used. */
export class ContentWriter {
  readonly #out: JsonBytes;
  readonly #origins = new Map<Attributes, WrittenOrigin>();
  readonly #habits = new Map<string, Habit>();
  readonly #tail: Tail = { status: undefined, traceId: "", written: pieces.empty };
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
      if (isKnown(span)) {
        out.raw(isFirst ? pieces.attributes : pieces.nextAttributes);
        this.#writeSpan(span);
      } else {
        if (!isFirst) out.raw(pieces.comma);
        this.#writeNested(span, spanDepth);
      }
      isFirst = false;
    }
    out.raw(pieces.spansEnd);
    this.#writeNested(content.traceId, 1);
    out.raw(pieces.closed);
    out.flush();
  }

  /** Writes a span from its attributes on. */
  #writeSpan(span: Span): void {
    const out = this.#out;
    const habit = this.#habitOf(span.name);
    this.#writeAttributes(span.attributes, habit);
    out.raw(pieces.duration);
    out.number(span.durationNanos);
    this.#writeMiddle(span, habit);
    if (span.parentSpanId !== undefined) out.string(span.parentSpanId);
    out.raw(this.#originOf(span, habit));
    out.string(span.spanId);
    out.raw(pieces.start);
    out.number(span.startMicros);
    out.raw(this.#tailOf(span));
  }

  #habitOf(name: string): Habit {
    const known = this.#habits.get(name);
    if (known !== undefined) return known;
    const habit: Habit = {
      orders: [],
      attributes: undefined,
      writtenAttributes: undefined,
      kind: undefined,
      isRoot: false,
      middle: pieces.empty,
      origin: undefined,
    };
    if (name.length <= rememberedLengthMax) remember(this.#habits, name, habit);
    return habit;
  }

  #writeMiddle(span: Span, habit: Habit): void {
    const { kind, name, events, links } = span;
    const isRoot = span.parentSpanId === undefined;
    if (events.length === 0 && links.length === 0) {
      if (habit.kind !== kind || habit.isRoot !== isRoot) {
        habit.kind = kind;
        habit.isRoot = isRoot;
        habit.middle = bytesOf(`,"events":[]${kindOf(kind)},"links":[]${nameOf(name, isRoot)}`);
      }
      this.#out.raw(habit.middle);
      return;
    }
    this.#out.raw(pieces.events);
    this.#writeNested(events, fieldDepth);
    this.#out.text(`${kindOf(kind)},"links":`);
    this.#writeNested(links, fieldDepth);
    this.#out.text(nameOf(name, isRoot));
  }

  #writeNested(value: unknown, depth: number): void {
    writeValue(value, (text) => this.#out.text(text), depth);
  }

  #writeAttributes(attributes: Attributes, habit: Habit): void {
    if (habit.attributes === attributes) {
      if (habit.writtenAttributes !== undefined) this.#out.raw(habit.writtenAttributes);
      else {
        const write = (): void => this.#writeUnlessNested(attributes, habit.orders);
        habit.writtenAttributes = this.#out.copyOf(write);
      }
      return;
    }
    habit.attributes = attributes;
    habit.writtenAttributes = undefined;
    this.#writeUnlessNested(attributes, habit.orders);
  }

  #writeUnlessNested(attributes: Attributes, orders: NameOrder[]): void {
    const order = orderOf(attributes, orders);
    if (order === undefined) this.#writeNested(attributes, fieldDepth);
    else this.#writeInOrder(attributes, order);
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

  #originOf(span: Span, habit: Habit): Uint8Array {
    const { origin } = habit;
    if (origin !== undefined && isOrigin(origin, span)) return origin.written;
    const { resource, scope, service } = span;
    const known = this.#origins.get(resource);
    if (known !== undefined && isOrigin(known, span)) {
      habit.origin = known;
      return known.written;
    }
    const written = bytesOf(
      `,"resource":${textOf(resource)},"scope":${textOf(scope)},"service":${JSON.stringify(service)},"spanId":`,
    );
    habit.origin = { resource, scope, service, written };
    remember(this.#origins, resource, habit.origin);
    return written;
  }

  #tailOf({ status, traceId }: Span): Uint8Array {
    const tail = this.#tail;
    if (tail.status !== status || tail.traceId !== traceId) {
      tail.status = status;
      tail.traceId = traceId;
      tail.written = bytesOf(`,"status":${textOf(status)},"traceId":${JSON.stringify(traceId)}}`);
    }
    return tail.written;
  }
}

function isOrigin(origin: WrittenOrigin, { resource, scope, service }: Span): boolean {
  return origin.resource === resource && origin.scope === scope && origin.service === service;
}

function kindOf(kind: Span["kind"]): string {
  return `,"kind":${JSON.stringify(kind)}`;
}

/** The name and what comes before the value of the field that follows, when that is a parent. */
function nameOf(name: string, isRoot: boolean): string {
  return `,"name":${JSON.stringify(name)}${isRoot ? "" : ',"parentSpanId":'}`;
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

/** The order of attributes that hold nothing nested, else `undefined`; a known one where the names are the same. */
function orderOf(attributes: Attributes, orders: NameOrder[]): NameOrder | undefined {
  const names = Object.keys(attributes);
  for (const name of names) if (!isPlain(attributes[name])) return undefined;
  for (const order of orders) if (isSameList(order.names, names)) return order;
  const sorted = [...names].sort().map((name, index) => ({
    name,
    before: bytesOf(`${index === 0 ? "{" : ","}${JSON.stringify(name)}:`),
  }));
  const order = { names, sorted };
  if (orders.length === orderCountMax) orders.length = 0;
  orders.push(order);
  return order;
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
