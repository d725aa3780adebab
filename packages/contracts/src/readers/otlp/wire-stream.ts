/** Reads spans from OTLP's protobuf as its bytes come in. Field numbers are those of OTLP's trace.proto. */

import type { Span } from "../../model/span.ts";
import { EvidenceError } from "../evidence-error.ts";
import { ByteWindow } from "./byte-window.ts";
import { OriginPool, originOf } from "./origin-pool.ts";
import { finishSpan } from "./span.ts";
import type { OtlpTally } from "./tally.ts";
import { asciiOf } from "./text-pool.ts";
import { otlpLimits } from "./value.ts";
import { wireError, WireReader } from "./wire.ts";
import { WireSpans } from "./wire-spans.ts";
import { readResource, readScope } from "./wire-value.ts";

/** A tag and a length take no more bytes, and neither does a number. */
const headerBytesMax = 20;

/** Depth of the messages that are entered: the request, its blocks of one resource, their groups of one scope. */
const requestDepth = 0;
const blockDepth = 1;
const groupDepth = 2;

/** Tags of length-delimited fields 1 and 2. */
const firstField = 10;
const secondField = 18;

/** Give bytes by `push`, then call `end`. Throws an `EvidenceError`; then it is not used any more. */
export class WireSpanStream {
  readonly #spans: Span[];
  readonly #tally: OtlpTally;
  readonly #window = new ByteWindow();
  readonly #reader = new WireReader(new Uint8Array(0));
  readonly #wireSpans = new WireSpans();
  readonly #origins = new OriginPool();
  /** Where the messages end that were entered, as offsets in the stream. */
  readonly #ends: number[] = [];
  #resource = this.#origins.noResource;
  #scope = this.#origins.noScope;
  #origin = originOf(this.#resource, this.#scope);
  #blockFrom = 0;
  #groupFrom = 0;

  constructor(spans: Span[], tally: OtlpTally) {
    this.#spans = spans;
    this.#tally = tally;
  }

  push(chunk: Uint8Array): void {
    this.#window.append(chunk);
    this.#run(false);
    this.#window.settle();
  }

  end(): void {
    this.#run(true);
  }

  #run(isLast: boolean): void {
    const window = this.#window;
    try {
      while (this.#step(isLast));
    } catch (error) {
      throw wireError(error, window.base + this.#reader.pos);
    }
    if (window.end - window.pos > otlpLimits.recordBytesMax) {
      throw new EvidenceError("A span, a resource or another part of the request is too long.", {
        expected: `at most ${otlpLimits.recordBytesMax} bytes in one of them`,
        where: `byte ${window.base + window.pos}`,
      });
    }
  }

  /** Reads one field, or enters or leaves a message; `false` when what comes next is not there yet. */
  #step(isLast: boolean): boolean {
    const window = this.#window;
    const reader = this.#reader;
    const messageEnd = this.#ends.at(-1);
    if (messageEnd === window.base + window.pos) {
      this.#ends.pop();
      return true;
    }
    reader.buf = window.bytes;
    reader.pos = window.pos;
    const left = window.end - window.pos;
    if (isLast && left === 0 && messageEnd !== undefined) {
      throw new RangeError("a message ends too early");
    }
    if (left === 0 || (left < headerBytesMax && !isLast)) return false;
    reader.len = Math.min(window.end, (messageEnd ?? Number.POSITIVE_INFINITY) - window.base);
    const isCut = reader.len === window.end && !isLast;
    const tag = reader.tag();
    if (tag === firstField || (tag === secondField && this.#ends.length > requestDepth)) {
      return this.#readMessage(tag, isCut);
    }
    try {
      reader.skipField(tag);
    } catch (error) {
      if (isCut && error instanceof RangeError) return false;
      throw error;
    }
    window.pos = reader.pos;
    return true;
  }

  #readMessage(tag: number, isCut: boolean): boolean {
    const window = this.#window;
    const reader = this.#reader;
    const size = reader.size();
    const end = reader.pos + size;
    const messageEnd = this.#ends.at(-1) ?? Number.POSITIVE_INFINITY;
    if (window.base + end > messageEnd || (end > reader.len && !isCut)) {
      throw new RangeError(`a message of ${size} bytes reaches beyond the one around it`);
    }
    const depth = this.#ends.length;
    const isContainer = tag === firstField ? depth === requestDepth : depth === blockDepth;
    if (isContainer) {
      this.#enter(window.base + end);
      window.pos = reader.pos;
      return true;
    }
    if (end > window.end) return false;
    reader.len = end;
    if (tag === secondField) this.#readSpan();
    else this.#readOrigin(depth);
    window.pos = end;
    return true;
  }

  #enter(end: number): void {
    this.#ends.push(end);
    if (this.#ends.length === blockDepth) {
      this.#resource = this.#origins.noResource;
      this.#blockFrom = this.#spans.length;
    } else {
      this.#scope = this.#origins.noScope;
      this.#groupFrom = this.#spans.length;
    }
    this.#origin = originOf(this.#resource, this.#scope);
  }

  #readSpan(): void {
    const draft = this.#wireSpans.read(this.#reader, this.#tally);
    const span = finishSpan(draft, this.#origin, this.#tally);
    if (span !== undefined) this.#spans.push(span);
  }

  /** Fields come in any order: spans that stood before their resource or scope get it now. */
  #readOrigin(depth: number): void {
    const reader = this.#reader;
    const text = asciiOf(reader.buf, reader.pos, reader.len);
    if (depth === groupDepth) {
      this.#scope = this.#origins.scope(text, () => readScope(reader));
    } else {
      const read = (): ReturnType<typeof readResource> => readResource(reader, this.#tally);
      this.#resource = this.#origins.resource(text, this.#tally, read);
    }
    this.#origin = originOf(this.#resource, this.#scope);
    const from = depth === groupDepth ? this.#groupFrom : this.#blockFrom;
    for (const span of this.#spans.slice(from)) {
      span.service = this.#resource.service;
      span.resource = this.#resource.attributes;
      if (depth === groupDepth) span.scope = this.#scope;
    }
  }
}
