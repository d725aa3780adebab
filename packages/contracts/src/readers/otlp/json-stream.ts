/** Reads spans from OTLP's JSON as its bytes come in: one request, or one for each line. */

import type { Attributes, Span } from "../../model/span.ts";
import { EvidenceError } from "../evidence-error.ts";
import { jsonFaultOffset } from "../json-fault.ts";
import { ByteWindow } from "./byte-window.ts";
import { isObject, JsonMismatch, type JsonValue, nameOf } from "./json.ts";
import { JsonLeaf } from "./json-leaf.ts";
import { camelCaseOf, parseJson } from "./json-names.ts";
import { JsonPlace, notUtf8 } from "./json-place.ts";
import { JsonSpanScanner } from "./json-span-scan.ts";
import { readSpan } from "./json-spans.ts";
import { readAttributes, readScope } from "./json-value.ts";
import { OriginPool } from "./origin-pool.ts";
import { finishSpan, type SpanDraft } from "./span.ts";
import type { OtlpTally } from "./tally.ts";
import { otlpLimits } from "./value.ts";

const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const comma = 0x2c;

/** The containers of a request, from the outermost inwards; a list's items are the next row. */
const containers = [
  { name: "request", isList: false },
  { name: "resourceSpans", isList: true },
  { name: "block", isList: false },
  { name: "scopeSpans", isList: true },
  { name: "group", isList: false },
  { name: "spans", isList: true },
] as const;
const blockDepth = 2;
const groupDepth = 4;
const spansDepth = 5;

/** What comes next: in a list an item takes the place of the key. */
type Phase = "document" | "first" | "item" | "colon" | "value" | "next" | "between";

/** Give bytes by `push`, then call `end`. Throws an `EvidenceError`; then it is not used any more. */
export class JsonSpanStream {
  readonly #spans: Span[];
  readonly #tally: OtlpTally;
  readonly #window = new ByteWindow();
  readonly #leaf = new JsonLeaf(this.#window);
  readonly #place = new JsonPlace(this.#window);
  readonly #scanner = new JsonSpanScanner();
  readonly #origins = new OriginPool();
  #phase: Phase = "document";
  #isStarted = false;
  /** Present depth in `containers`, and at each depth the index of the item or the fields that were met. */
  #depth = -1;
  readonly #indices = [0, 0, 0, 0, 0, 0];
  readonly #fields = containers.map(() => new Set<string>());
  #field = "";
  #documentCount = 0;
  #documentLine = 1;
  #hasLineBreak = false;
  /** The resource and the scope that apply, and from which span on each holds. */
  #resource = this.#origins.noResource;
  #scope = this.#origins.noScope;
  #blockFrom = 0;
  #groupFrom = 0;

  constructor(spans: Span[], tally: OtlpTally) {
    this.#spans = spans;
    this.#tally = tally;
  }

  push(chunk: Uint8Array): void {
    this.#window.append(chunk);
    this.#run(false);
    this.#place.count();
    this.#window.settle();
  }

  end(): void {
    this.#run(true);
    if (this.#phase !== "between") throw this.#syntaxError();
    this.#place.count();
  }

  #run(isLast: boolean): void {
    const window = this.#window;
    if (!this.#isStarted && !this.#skipByteOrderMark(isLast)) return;
    while (this.#skipSpace() && this.#step(isLast));
    if (window.end - window.pos > otlpLimits.recordBytesMax) throw this.#tooLong();
  }

  /** Whether the beginning has been seen. */
  #skipByteOrderMark(isLast: boolean): boolean {
    const { bytes, pos, end } = this.#window;
    if (end - pos < 3 && !isLast) return false;
    if (bytes[pos] === 0xef && bytes[pos + 1] === 0xbb && bytes[pos + 2] === 0xbf) {
      this.#window.pos += 3;
      this.#place.forget();
    }
    this.#isStarted = true;
    return true;
  }

  /** Whether a byte follows that is no white space. */
  #skipSpace(): boolean {
    const window = this.#window;
    const { bytes, end } = window;
    for (let at = window.pos; at < end; at += 1) {
      const byte = bytes[at] as number;
      if (byte === 0x0a) this.#hasLineBreak = true;
      else if (byte !== 0x20 && byte !== 0x0d && byte !== 0x09) {
        window.pos = at;
        return true;
      }
    }
    window.pos = end;
    return false;
  }

  /** Reads one token or value at a byte that is no white space; `false` when it is not complete yet. */
  #step(isLast: boolean): boolean {
    switch (this.#phase) {
      case "between":
        // A second document on the same line is none.
        if (!this.#hasLineBreak) throw this.#syntaxError();
        this.#phase = "document";
        return true;
      case "document":
        return this.#openDocument(isLast);
      case "first":
        if (this.#take(this.#closer)) this.#close();
        else this.#phase = "item";
        return true;
      case "item":
        return this.#isList ? this.#readItem(isLast) : this.#readKey(isLast);
      case "colon":
        if (!this.#take(0x3a)) throw this.#syntaxError();
        this.#phase = "value";
        return true;
      case "value":
        return this.#readValue(isLast);
      case "next":
        if (this.#take(comma)) this.#phase = "item";
        else if (this.#take(this.#closer)) this.#close();
        else throw this.#syntaxError();
        return true;
    }
  }

  get #isList(): boolean {
    return containers[this.#depth]?.isList === true;
  }

  get #closer(): number {
    return this.#isList ? closeBracket : closeBrace;
  }

  #take(wanted: number): boolean {
    const window = this.#window;
    if (window.bytes[window.pos] !== wanted) return false;
    window.pos += 1;
    return true;
  }

  #openDocument(isLast: boolean): boolean {
    if (this.#documentCount > 0) this.#documentLine = this.#place.line;
    if (!this.#take(openBrace)) {
      const value = this.#leafValue(isLast);
      if (value === undefined) return false;
      throw new EvidenceError(`An OTLP request is an object, not ${nameOf(value.json)}.`, {
        expected: "an object",
        where: this.#documentCount === 0 ? "" : `line ${this.#documentLine}`,
      });
    }
    this.#documentCount += 1;
    this.#open();
    return true;
  }

  #open(): void {
    this.#depth += 1;
    this.#indices[this.#depth] = 0;
    this.#fields[this.#depth]?.clear();
    this.#phase = "first";
    if (this.#depth === blockDepth) {
      this.#resource = this.#origins.noResource;
      this.#blockFrom = this.#spans.length;
    } else if (this.#depth === groupDepth) {
      this.#scope = this.#origins.noScope;
      this.#groupFrom = this.#spans.length;
    }
  }

  #close(): void {
    const fields = this.#fields[this.#depth];
    if (this.#depth === 0 && fields !== undefined && fields.size > 0) {
      if (!fields.has("resourceSpans")) {
        this.#tally.note(
          "The request has no resourceSpans, and its other fields mean nothing here.",
        );
      }
    }
    this.#depth -= 1;
    this.#phase = this.#depth < 0 ? "between" : "next";
    this.#hasLineBreak = false;
    if (this.#isList) this.#indices[this.#depth] = (this.#indices[this.#depth] ?? 0) + 1;
  }

  #readKey(isLast: boolean): boolean {
    if (this.#window.bytes[this.#window.pos] !== 0x22) throw this.#syntaxError();
    const key = this.#leafValue(isLast);
    if (key === undefined) return false;
    this.#field = typeof key.json === "string" ? camelCaseOf(key.json) : "";
    const fields = this.#fields[this.#depth];
    const isKnown = this.#inner === this.#field || this.#isOrigin(this.#field);
    if (isKnown && fields?.has(this.#field) === true) {
      throw new EvidenceError(`The field ${this.#field} stands twice in one object.`, {
        expected: "each field once",
        where: this.#place.after(""),
      });
    }
    // Only whether there are others is asked of the rest, so that their number does not matter.
    fields?.add(isKnown ? this.#field : "");
    this.#phase = "colon";
    return true;
  }

  /** The list that the present object holds. */
  get #inner(): string {
    return containers[this.#depth + 1]?.name ?? "";
  }

  #isOrigin(field: string): boolean {
    return field === "resource"
      ? this.#depth === blockDepth
      : field === "scope" && this.#depth === groupDepth;
  }

  #readValue(isLast: boolean): boolean {
    const isInner = this.#field === this.#inner;
    if (isInner && !this.#leaf.isBegun && this.#take(openBracket)) {
      this.#open();
      return true;
    }
    const value = this.#leafValue(isLast);
    if (value === undefined) return false;
    const { json } = value;
    if (isInner && json !== null) {
      throw this.#within(new JsonMismatch("an array", json, this.#field));
    }
    if (json !== null && this.#isOrigin(this.#field)) this.#readOrigin(json, value.text);
    this.#phase = "next";
    return true;
  }

  #readOrigin(json: JsonValue, text: string): void {
    const owner = { [this.#field]: json };
    try {
      if (!isObject(json)) throw new JsonMismatch("an object", json, this.#field);
      if (this.#field === "resource") {
        this.#resource = this.#origins.resource(text, this.#tally, () =>
          resourceOf(json, this.#tally),
        );
        this.#amend(this.#blockFrom);
      } else {
        this.#scope = this.#origins.scope(text, () => readScope(owner));
        this.#amend(this.#groupFrom);
      }
    } catch (error) {
      throw error instanceof JsonMismatch ? this.#within(error) : error;
    }
  }

  /** Fields come in any order: spans that stood before their resource or scope get it now. */
  #amend(from: number): void {
    for (const span of this.#spans.slice(from)) {
      span.service = this.#resource.service;
      span.resource = this.#resource.attributes;
      if (this.#field === "scope") span.scope = this.#scope;
    }
  }

  #readItem(isLast: boolean): boolean {
    if (this.#depth === spansDepth) return this.#readSpan(isLast);
    if (!this.#leaf.isBegun && this.#take(openBrace)) {
      this.#open();
      return true;
    }
    const value = this.#leafValue(isLast);
    if (value === undefined) return false;
    throw this.#within(new JsonMismatch("an object", value.json));
  }

  #readSpan(isLast: boolean): boolean {
    const window = this.#window;
    if (!this.#leaf.isBegun) {
      const place = { from: window.pos, end: window.end };
      const draft = this.#guard(() => this.#scanner.scan(window.bytes, place, this.#tally));
      if (draft !== undefined) {
        window.pos = this.#scanner.end;
        this.#keep(draft);
        return true;
      }
    }
    const value = this.#leafValue(isLast);
    if (value === undefined) return false;
    const { json } = value;
    const draft = this.#guard(() => {
      if (!isObject(json)) throw new JsonMismatch("an object", json);
      return readSpan(json, this.#tally);
    });
    this.#keep(draft);
    return true;
  }

  #guard<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw error instanceof JsonMismatch ? this.#within(error) : error;
    }
  }

  #keep(draft: SpanDraft): void {
    const { service, attributes: resource } = this.#resource;
    const span = finishSpan(draft, { service, resource, scope: this.#scope }, this.#tally);
    if (span !== undefined) this.#spans.push(span);
    this.#indices[spansDepth] = (this.#indices[spansDepth] ?? 0) + 1;
    this.#phase = "next";
  }

  /** The value at the present position as JSON, or `undefined` when it is not complete. */
  #leafValue(isLast: boolean): { readonly json: JsonValue; readonly text: string } | undefined {
    const window = this.#window;
    const end = this.#leaf.end(isLast);
    if (end === undefined) {
      if (isLast) throw this.#syntaxError();
      return undefined;
    }
    const text = this.#textUpTo(end);
    try {
      const json = parseJson(text);
      window.pos = end;
      return { json, text };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw this.#syntaxError({ text, cause: error });
    }
  }

  #textUpTo(end: number): string {
    try {
      return utf8.decode(this.#window.bytes.subarray(this.#window.pos, end));
    } catch (error) {
      throw notUtf8(error);
    }
  }

  /** What is at the present position cannot be there, or the input ends in it. */
  #syntaxError(value?: { readonly text: string; readonly cause: SyntaxError }): EvidenceError {
    const cut = this.#leaf.isBegun ? this.#textUpTo(this.#window.end) : "";
    const text = value?.text ?? cut;
    const fault = text === "" ? "" : text.slice(0, jsonFaultOffset(text));
    return new EvidenceError("The body is not JSON, or it ends too early.", {
      expected: "OTLP JSON",
      where: this.#place.after(fault),
      cause: value?.cause,
    });
  }

  #tooLong(): EvidenceError {
    return new EvidenceError("A span, a resource or another part of the request is too long.", {
      expected: `at most ${otlpLimits.recordBytesMax} bytes in one of them`,
      where: this.#place.after(""),
    });
  }

  /** The fault with the lists and items in which it lies. */
  #within(fault: JsonMismatch): EvidenceError {
    const segments: (string | number)[] = [];
    for (let depth = 1; depth <= this.#depth; depth += 2) {
      segments.push(containers[depth]?.name ?? "", this.#indices[depth] ?? 0);
    }
    const line = this.#documentCount > 1 ? this.#documentLine : undefined;
    return fault.within(...segments).toEvidenceError(line);
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function resourceOf(json: JsonValue, tally: OtlpTally): Attributes {
  if (!isObject(json)) return {};
  try {
    return readAttributes(json, tally);
  } catch (error) {
    throw error instanceof JsonMismatch ? error.within("resource") : error;
  }
}
