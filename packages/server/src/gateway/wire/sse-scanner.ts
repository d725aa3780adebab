/** One incremental scanner of server-sent events on bytes: finds where events end and what their data says. */

import { JsonFault } from "./json-fault.ts";
import type { ReplyReader } from "../calls/reply-reader.ts";

/**
 * What one event was. `comment` has no data; `line-feed` is the second half of the line end that closed the event
 * before, and shares its fate.
 */
export type FrameKind = "data" | "done" | "comment" | "malformed" | "line-feed";

export interface SseSink {
  /** Called at the end of each event; `end` is the index behind its last byte in the part being read. */
  onFrame(kind: FrameKind, end: number): void;
}

const atLineStart = 0;
const inName = 1;
const afterColon = 2;
const inData = 3;
const inIgnored = 4;

const dataName = Buffer.from("data");
const doneText = Buffer.from("[DONE]");

export class SseScanner {
  readonly #reader: ReplyReader;
  readonly #sink: SseSink;
  #state = atLineStart;
  #nameProgress = 0;
  /** The last byte was a carriage return: a line feed right after it belongs to the same line end. */
  #afterReturn = false;
  #frameEmpty = true;
  #hasData = false;
  #dataFilled = false;
  #malformed = false;
  /** How far the data equals `[DONE]`; -1 once it differs. */
  #doneProgress = 0;
  /** Where in the part being read the event begins, and its data; -1 when it does not, or not in one line. */
  #frameStart = -1;
  #dataStart = -1;

  constructor(reader: ReplyReader, sink: SseSink) {
    this.#reader = reader;
    this.#sink = sink;
  }

  /** Whether the bytes so far end within an event. */
  get midFrame(): boolean {
    return !this.#frameEmpty;
  }

  /** Reads the next part of the stream. Never throws on what the upstream sent. */
  write(bytes: Uint8Array): void {
    const end = bytes.length;
    let at = 0;
    this.#frameStart = -1;
    while (at < end) {
      if (this.#frameEmpty && !this.#afterReturn) {
        const likeEnd = this.#reader.readLike(bytes, at);
        if (likeEnd >= 0) {
          at = likeEnd;
          this.#sink.onFrame("data", at);
          continue;
        }
        this.#frameStart = at;
      }
      const byte = bytes[at] ?? 0;
      if (this.#afterReturn) {
        this.#afterReturn = false;
        if (byte === 0x0a) {
          at += 1;
          // The frame ended at the carriage return; its line feed still belongs to it.
          if (this.#frameEmpty) this.#sink.onFrame("line-feed", at);
          continue;
        }
      }
      if (byte === 0x0a || byte === 0x0d) {
        this.#afterReturn = byte === 0x0d;
        at += 1;
        this.#endLine(bytes, at);
      } else {
        this.#frameEmpty = false;
        at = this.#readInLine(bytes, at, end);
      }
    }
  }

  #readInLine(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    const byte = bytes[at] ?? 0;
    switch (this.#state) {
      case atLineStart:
        this.#state = byte === dataName[0] ? inName : inIgnored;
        this.#nameProgress = 1;
        return at + 1;
      case inName:
        if (this.#nameProgress === dataName.length) {
          this.#state = byte === 0x3a ? afterColon : inIgnored;
        } else if (byte === dataName[this.#nameProgress]) {
          this.#nameProgress += 1;
        } else {
          this.#state = inIgnored;
        }
        return at + 1;
      case afterColon:
        this.#state = inData;
        this.#startData();
        return byte === 0x20 ? at + 1 : at;
      default:
        while (at < end && bytes[at] !== 0x0a && bytes[at] !== 0x0d) at += 1;
        if (this.#state === inData) this.#readData(bytes, start, at);
        return at;
    }
  }

  #startData(): void {
    if (this.#hasData) return;
    this.#hasData = true;
    this.#reader.startDocument(true);
  }

  #readData(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    this.#dataStart = this.#dataFilled ? -1 : start;
    this.#dataFilled = true;
    if (this.#doneProgress >= 0) {
      while (at < end && bytes[at] === doneText[this.#doneProgress]) {
        this.#doneProgress += 1;
        at += 1;
      }
      if (at === end) return;
      const matched = this.#doneProgress;
      this.#doneProgress = -1;
      // What looked like the beginning of `[DONE]` is JSON after all, or garbage.
      if (matched > 0) this.#readJson(doneText, 0, matched);
    }
    this.#readJson(bytes, at, end);
  }

  #readJson(bytes: Uint8Array, start: number, end: number): void {
    if (this.#malformed) return;
    try {
      this.#reader.write(bytes, start, end);
    } catch (error) {
      if (!(error instanceof JsonFault)) throw error;
      this.#malformed = true;
    }
  }

  #endLine(bytes: Uint8Array, end: number): void {
    const wasEmpty = this.#state === atLineStart;
    if (this.#state === afterColon) this.#startData();
    if (this.#state === inName && this.#nameProgress === dataName.length) this.#startData();
    this.#state = atLineStart;
    if (!wasEmpty) return;
    const kind = this.#frameKind();
    const [start, dataStart] = [this.#frameStart, this.#dataStart];
    if (kind === "data" && start >= 0 && dataStart >= 0 && !this.#afterReturn) {
      this.#reader.learn(bytes, { start, dataStart, end });
    }
    this.#frameEmpty = true;
    this.#hasData = false;
    this.#dataFilled = false;
    this.#malformed = false;
    this.#doneProgress = 0;
    this.#sink.onFrame(kind, end);
  }

  #frameKind(): FrameKind {
    if (!this.#dataFilled) return "comment";
    if (this.#doneProgress === doneText.length) return "done";
    if (this.#malformed || this.#doneProgress > 0) return "malformed";
    return this.#reader.endDocument() ? "data" : "malformed";
  }
}
