/** Writes evidence as canonical JSON. Spans, of which there may be millions, are written by their known fields. */

import type { EvidenceContent } from "../model/evidence.ts";
import type { Attributes, Span } from "../model/span.ts";
import {
  canonicalJson,
  type Emit,
  inPieces,
  writeCanonicalJson,
  writeValue,
} from "./canonical-json.ts";

/** Depths of a span, and of what its fields hold, within the content of a trace. */
const spanDepth = 2;
const fieldDepth = 3;
/** Texts and objects of which the written form is remembered; what lies in traces repeats a few. */
const rememberedCountMax = 4_096;
const rememberedLengthMax = 128;
/** Fields of a trace's content, and of a span without a parent. */
const contentFieldCount = 3;
const spanFieldCount = 13;

/** Gives the same as `writeCanonicalJson`, only faster. What it remembers must not change while it is used. */
export class ContentWriter {
  readonly #texts = new Map<string, string>();
  /** Resources, scopes and statuses, which many spans share. */
  readonly #objects = new Map<object, string>();
  /** The attributes that a span of this name had last: some have the same ones each time. */
  readonly #attributes = new Map<string, { readonly of: Attributes; readonly text: string }>();

  write(content: EvidenceContent, write: Emit): void {
    if (content.kind !== "trace" || Object.keys(content).length !== contentFieldCount) {
      writeCanonicalJson(content, write);
      return;
    }
    inPieces(write, (emit) => {
      emit('{"kind":"trace","spans":[');
      let isFirst = true;
      for (const span of content.spans) {
        if (!isFirst) emit(",");
        isFirst = false;
        const text = this.#spanText(span);
        if (text === undefined) writeValue(span, emit, spanDepth);
        else emit(text);
      }
      emit(`],"traceId":${canonicalJson(content.traceId)}}`);
    });
  }

  /** The text of a span whose fields are those of the model and no others, else `undefined`. */
  #spanText(span: Span): string | undefined {
    const { parentSpanId, durationNanos, startMicros } = span;
    const isChild = parentSpanId !== undefined;
    if (Object.keys(span).length !== (isChild ? spanFieldCount + 1 : spanFieldCount)) {
      return undefined;
    }
    if (!Number.isFinite(durationNanos) || !Number.isFinite(startMicros)) return undefined;
    const parent = isChild ? `"parentSpanId":${JSON.stringify(parentSpanId)},` : "";
    return (
      `{"attributes":${this.#attributesText(span)},"durationNanos":${durationNanos},` +
      `"events":${listText(span.events)},"kind":${this.#quoted(span.kind)},"links":${listText(span.links)},` +
      `"name":${this.#quoted(span.name)},${parent}"resource":${this.#sharedText(span.resource)},` +
      `"scope":${this.#sharedText(span.scope)},"service":${this.#quoted(span.service)},` +
      `"spanId":${JSON.stringify(span.spanId)},"startMicros":${startMicros},` +
      `"status":${this.#sharedText(span.status)},"traceId":${JSON.stringify(span.traceId)}}`
    );
  }

  #attributesText({ name, attributes }: Span): string {
    const known = this.#attributes.get(name);
    if (known?.of === attributes) return known.text;
    const text = this.#textOfAttributes(attributes) ?? textOf(attributes);
    remember(this.#attributes, name, { of: attributes, text });
    return text;
  }

  /** The text of attributes that hold nothing nested, else `undefined`. */
  #textOfAttributes(attributes: Attributes): string | undefined {
    const names = Object.keys(attributes);
    for (const name of names) if (!isPlain(attributes[name])) return undefined;
    // What stands in order already is written at once.
    if (!sortNames(names)) return JSON.stringify(attributes);
    let text = "";
    for (const name of names) {
      const value = attributes[name];
      text += `${text === "" ? "{" : ","}${this.#quoted(name)}:${JSON.stringify(value)}`;
    }
    return `${text}}`;
  }

  #sharedText(value: object): string {
    const known = this.#objects.get(value);
    if (known !== undefined) return known;
    const text = textOf(value);
    if (this.#objects.size >= rememberedCountMax) this.#objects.clear();
    this.#objects.set(value, text);
    return text;
  }

  #quoted(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const written = JSON.stringify(text);
    if (text.length <= rememberedLengthMax) remember(this.#texts, text, written);
    return written;
  }
}

function remember<T>(memory: Map<string, T>, key: string, value: T): void {
  if (memory.size >= rememberedCountMax) memory.clear();
  memory.set(key, value);
}

function listText(items: readonly unknown[]): string {
  return items.length === 0 ? "[]" : textOf(items);
}

function textOf(value: object): string {
  let text = "";
  const emit = (piece: string): void => {
    text += piece;
  };
  writeValue(value, emit, fieldDepth);
  return text;
}

function isPlain(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  return typeof value === "string" || typeof value === "boolean" || value === null;
}

/** Sorts a few names in place by UTF-16 code units; gives whether they were out of order. */
function sortNames(names: string[]): boolean {
  let isChanged = false;
  for (let index = 1; index < names.length; index += 1) {
    // Every index lies within the list.
    const name = names[index] ?? "";
    let at = index;
    while (at > 0 && (names[at - 1] ?? "") > name) {
      names[at] = names[at - 1] ?? "";
      at -= 1;
    }
    if (at === index) continue;
    names[at] = name;
    isChanged = true;
  }
  return isChanged;
}
