/**
 * One incremental JSON scanner on bytes. It checks the grammar (RFC 8259), keeps nothing but the path it is on, and
 * reports the values that a watch tree names, wherever the bytes were cut into parts.
 */

import { JsonBookmark } from "./json-bookmark.ts";
import { JsonFault, syntaxFault } from "./json-fault.ts";
import { isNull, type JsonLiteral, literalOf } from "./json-literal.ts";
import { firstNumberState, inNumber, nextNumberState, numberMayEnd } from "./json-number.ts";
import { isHexDigit, isSimpleEscape, plainEnd } from "./json-text.ts";
import { type JsonWatch, watchOf } from "./json-watch.ts";
import { KeptText } from "./kept-text.ts";

export type JsonKind = "object" | "array" | "string" | "number" | "true" | "false" | "null";

export interface JsonSink {
  /** Called at the end of each watched value, inner values first. `scanner` has its place and text. */
  onValue(id: number, kind: JsonKind, scanner: JsonScanner): void;
  /** Whether what was reported of the document so far would change nothing if it were not reported for the next one. */
  mayResume?(): boolean;
}

// What the next byte may be. States from `inNumber` on are those of a number, by what came last in it.
const expectValue = 0;
const expectValueOrArrayEnd = 1;
const expectKeyOrObjectEnd = 2;
const expectKey = 3;
const expectColon = 4;
const expectCommaOrEnd = 5;
const expectNothing = 6;
const inString = 7;
const inEscape = 8;
const inUnicodeEscape = 9;
const inLiteral = 10;

const inObject = 1;
const inArray = 2;

export class JsonScanner {
  readonly #sink: JsonSink;
  readonly #root: JsonWatch;
  readonly #depthMax: number;
  readonly #containers: Uint8Array;
  readonly #filled: Uint8Array;
  readonly #starts: Float64Array;
  /** The watch of each open container, by its depth, and that of the value that comes next. */
  readonly #watches: (JsonWatch | undefined)[] = [];
  #watch: JsonWatch | undefined;
  #state = expectValue;
  #depth = 0;
  #offset = 0;
  /** What turns an index of the current part into an offset of the document. */
  #base = 0;
  #isKey = false;
  #literal: JsonLiteral = isNull;
  #progress = 0;
  readonly #kept: KeptText;
  #keeps = false;
  #valueStart = 0;
  #valueEnd = 0;
  #valueFilled = false;
  readonly #bookmark = new JsonBookmark();
  /** The part in which the document began, as long as a place in it may be marked. */
  #begun: Uint8Array | undefined;

  constructor(
    root: JsonWatch,
    sink: JsonSink,
    bounds: { readonly depthMax: number; readonly captureBytesMax: number },
  ) {
    this.#root = root;
    this.#watch = root;
    this.#sink = sink;
    this.#depthMax = bounds.depthMax;
    this.#containers = new Uint8Array(bounds.depthMax + 1);
    this.#filled = new Uint8Array(bounds.depthMax + 1);
    this.#starts = new Float64Array(bounds.depthMax + 1);
    this.#kept = new KeptText(bounds.captureBytesMax);
  }

  /** Where the reported value starts and ends, in bytes since the last reset. */
  get valueStart(): number {
    return this.#valueStart;
  }

  get valueEnd(): number {
    return this.#valueEnd;
  }

  /** Whether the reported container has at least one member, or the reported string one character. */
  get valueFilled(): boolean {
    return this.#valueFilled;
  }

  /** The text of the reported scalar; `undefined` when it was longer than the bound. */
  text(): string | undefined {
    return this.#kept.text();
  }

  /** The reported number; NaN when its text was longer than the bound. */
  number(): number {
    return this.#kept.number();
  }

  /** Starts a new document. */
  reset(): void {
    this.#watch = this.#root;
    this.#state = expectValue;
    this.#depth = 0;
    this.#offset = 0;
  }

  /** Nothing that was learned of earlier documents counts for the next one. */
  forget(): void {
    this.#bookmark.clear();
  }

  /** Reads the next part of the document. Throws `JsonFault`; after that only `reset` may follow. */
  write(bytes: Uint8Array, start: number, end: number): void {
    this.#base = this.#offset - start;
    let at = this.#offset === 0 ? this.#resume(bytes, start, end) : start;
    while (at < end) {
      const state = this.#state;
      if (state === inString) {
        at = this.#readString(bytes, at, end);
      } else if (state >= inNumber) {
        at = this.#readNumber(bytes, at, end);
      } else {
        const byte = bytes[at] ?? 0;
        if (byte === 0x22 && (state === expectKey || state === expectKeyOrObjectEnd)) {
          at = this.#readKey(bytes, at, end);
          continue;
        }
        if (state >= inEscape) this.#readInside(byte, this.#base + at);
        else if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) {
          this.#readStructure(byte, this.#base + at);
        }
        at += 1;
      }
    }
    this.#offset = this.#base + end;
    this.#begun = undefined;
    this.#kept.settle();
  }

  /** Reads on behind the bytes that this document shares with one before; gives where. */
  #resume(bytes: Uint8Array, start: number, end: number): number {
    this.#begun = bytes;
    const place = this.#bookmark.find(bytes, start, end);
    if (place === undefined) return start;
    const { depth, watches } = place;
    this.#depth = depth;
    for (let index = 1; index <= depth; index += 1) {
      this.#containers[index] = place.containers[index] ?? 0;
      this.#filled[index] = place.filled[index] ?? 0;
      this.#starts[index] = place.starts[index] ?? 0;
      this.#watches[index] = watches[index];
    }
    this.#watch = place.watch;
    this.#keep(false);
    this.#valueStart = place.length - 1;
    this.#isKey = false;
    this.#state = place.state;
    // A text is the last place of a document.
    if (place.state === inString) this.#begun = undefined;
    return start + place.length;
  }

  /** Marks the place behind this byte, with all bytes before it; in a text, no other follows. */
  #mark(offset: number): void {
    const bytes = this.#begun;
    if (bytes === undefined || this.#sink.mayResume?.() !== true) return;
    if (this.#state === inString) this.#begun = undefined;
    const position = {
      state: this.#state,
      depth: this.#depth,
      containers: this.#containers,
      filled: this.#filled,
      starts: this.#starts,
      watches: this.#watches,
      watch: this.#watch,
    };
    this.#bookmark.set(bytes, -this.#base, { length: offset + 1, position });
  }

  /** Ends the document. Throws `JsonFault` when it is not whole. */
  end(): void {
    if (this.#state >= inNumber && this.#depth === 0) this.#endNumber(this.#offset);
    if (this.#state !== expectNothing) {
      throw new JsonFault("truncated", this.#offset, "The JSON ends before it is complete.");
    }
  }

  #readStructure(byte: number, offset: number): void {
    switch (this.#state) {
      case expectValue:
        return this.#startValue(byte, offset);
      case expectValueOrArrayEnd:
        return byte === 0x5d ? this.#close(inArray, offset) : this.#startValue(byte, offset);
      case expectKeyOrObjectEnd:
        if (byte === 0x7d) return this.#close(inObject, offset);
        throw syntaxFault(offset, "a field name in double quotes");
      case expectKey:
        throw syntaxFault(offset, "a field name in double quotes");
      case expectColon:
        if (byte !== 0x3a) throw syntaxFault(offset, "a colon");
        this.#state = expectValue;
        return;
      case expectCommaOrEnd:
        return this.#readCommaOrEnd(byte, offset);
      default:
        throw syntaxFault(offset, "the end");
    }
  }

  #readCommaOrEnd(byte: number, offset: number): void {
    const container = this.#containers[this.#depth];
    if (byte === 0x2c) {
      if (container === inObject) {
        this.#state = expectKey;
      } else {
        this.#state = expectValue;
        this.#watch = this.#watches[this.#depth]?.items;
      }
    } else if (byte === 0x7d) {
      this.#close(inObject, offset);
    } else if (byte === 0x5d) {
      this.#close(inArray, offset);
    } else {
      throw syntaxFault(offset, container === inObject ? "a comma or }" : "a comma or ]");
    }
  }

  /** Reads a field name: where it stands whole and plain in this part, as nearly all do, in one go with its colon. */
  #readKey(bytes: Uint8Array, start: number, end: number): number {
    const nameAt = start + 1;
    const nameEnd = plainEnd(bytes, nameAt, end);
    this.#filled[this.#depth] = 1;
    const fields = this.#watches[this.#depth]?.fields;
    if (nameEnd === end || bytes[nameEnd] !== 0x22) {
      this.#isKey = true;
      this.#state = inString;
      this.#keep((fields?.length ?? 0) > 0);
      return nameAt;
    }
    const likes = fields?.[nameEnd - nameAt];
    this.#watch = likes === undefined ? undefined : watchOf(likes, bytes, nameAt);
    const isFollowed = nameEnd + 1 < end && bytes[nameEnd + 1] === 0x3a;
    this.#state = isFollowed ? expectValue : expectColon;
    return isFollowed ? nameEnd + 2 : nameEnd + 1;
  }

  #startValue(byte: number, offset: number): void {
    this.#filled[this.#depth] = 1;
    const watch = this.#watch;
    // Of what nobody watches, nobody asks for the text.
    if (watch === undefined) this.#keeps = false;
    else this.#keep(watch.capture);
    this.#valueStart = offset;
    if (byte === 0x22) {
      this.#isKey = false;
      this.#state = inString;
      if (watch?.resumes === true) this.#mark(offset);
    } else if (byte === 0x7b) {
      this.#open(inObject, offset);
    } else if (byte === 0x5b) {
      this.#open(inArray, offset);
      if (watch?.resumes === true) this.#mark(offset);
    } else if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) {
      this.#state = firstNumberState(byte);
      if (this.#keeps) this.#kept.add(byte);
    } else {
      this.#startLiteral(byte, offset);
    }
  }

  #startLiteral(byte: number, offset: number): void {
    const literal = literalOf(byte);
    if (literal === undefined) throw syntaxFault(offset, "a value");
    this.#literal = literal;
    this.#progress = 1;
    this.#state = inLiteral;
  }

  #open(container: number, offset: number): void {
    if (this.#depth >= this.#depthMax) {
      throw new JsonFault(
        "depth",
        offset,
        `The JSON is nested deeper than ${this.#depthMax} levels at byte ${offset}.`,
      );
    }
    this.#depth += 1;
    this.#containers[this.#depth] = container;
    this.#filled[this.#depth] = 0;
    this.#starts[this.#depth] = offset;
    this.#watches[this.#depth] = this.#watch;
    this.#state = container === inObject ? expectKeyOrObjectEnd : expectValueOrArrayEnd;
    this.#watch = container === inArray ? this.#watch?.items : undefined;
  }

  #close(container: number, offset: number): void {
    if (this.#containers[this.#depth] !== container) {
      throw syntaxFault(offset, container === inObject ? "]" : "}");
    }
    const watch = this.#watches[this.#depth];
    this.#valueStart = this.#starts[this.#depth] ?? 0;
    this.#valueFilled = this.#filled[this.#depth] === 1;
    this.#watches[this.#depth] = undefined;
    this.#depth -= 1;
    this.#watch = watch;
    this.#endValue(container === inObject ? "object" : "array", offset + 1);
  }

  #endValue(kind: JsonKind, end: number): void {
    this.#state = this.#depth === 0 ? expectNothing : expectCommaOrEnd;
    const watch = this.#watch;
    if (watch === undefined) return;
    this.#valueEnd = end;
    this.#sink.onValue(watch.id, kind, this);
  }

  #readString(bytes: Uint8Array, start: number, end: number): number {
    const at = plainEnd(bytes, start, end);
    if (this.#keeps) this.#kept.addRun(bytes, start, at);
    if (at === end) return at;
    const byte = bytes[at] ?? 0;
    if (byte === 0x22) {
      this.#endString(this.#base + at);
    } else if (byte === 0x5c) {
      this.#state = inEscape;
      if (this.#keeps) this.#kept.addEscape();
    } else {
      throw syntaxFault(this.#base + at, "an escape instead of a control character");
    }
    return at + 1;
  }

  #endString(offset: number): void {
    if (!this.#isKey) {
      this.#valueFilled = offset > this.#valueStart + 1;
      this.#endValue("string", offset + 1);
      return;
    }
    this.#state = expectColon;
    const fields = this.#watches[this.#depth]?.fields;
    this.#watch = this.#keeps && fields !== undefined ? this.#kept.find(fields) : undefined;
  }

  /** The bytes of an escape or a literal. */
  #readInside(byte: number, offset: number): void {
    if (this.#state === inLiteral) {
      const { kind, bytes } = this.#literal;
      if (byte !== bytes[this.#progress]) throw syntaxFault(offset, kind);
      this.#progress += 1;
      if (this.#progress === bytes.length) this.#endValue(kind, offset + 1);
      return;
    }
    if (this.#keeps) this.#kept.add(byte);
    if (this.#state === inUnicodeEscape) {
      if (!isHexDigit(byte)) throw syntaxFault(offset, "four hexadecimal digits");
      this.#progress += 1;
      if (this.#progress === 4) this.#state = inString;
    } else if (byte === 0x75) {
      this.#progress = 0;
      this.#state = inUnicodeEscape;
    } else if (isSimpleEscape(byte)) {
      this.#state = inString;
    } else {
      throw syntaxFault(offset, 'one of "\\/bfnrtu after a backslash');
    }
  }

  #readNumber(bytes: Uint8Array, start: number, end: number): number {
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at] ?? 0;
      const next = nextNumberState(this.#state, byte);
      if (next === undefined) {
        this.#endNumber(this.#base + at);
        return at;
      }
      this.#state = next;
      if (this.#keeps) this.#kept.add(byte);
    }
    return end;
  }

  #endNumber(offset: number): void {
    if (!numberMayEnd(this.#state)) throw syntaxFault(offset, "a digit");
    this.#endValue("number", offset);
  }

  #keep(keeps: boolean): void {
    this.#keeps = keeps;
    this.#kept.clear();
  }
}
