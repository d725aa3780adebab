/** Reads a log as its bytes come in. */

import type { FileContent, FormatInput, FormatStream } from "../format.ts";
import { stripWrapper } from "../kubernetes/recorded-call.ts";
import { aboutOfName, type AboutParts } from "./about.ts";
import {
  emptyAnswer,
  logBelow,
  LogReading,
  notesOfText,
  nothingPrinted,
  readLogText,
} from "./read-log.ts";

/** Characters of the beginning in which the call and what kubectl says itself are looked for. */
const beginningLength = 8_192;

/**
 * Begins to read a log of which the beginning is known; `undefined` where a recorder wrote around it, because what it
 * wrote below is only found from the end.
 */
export function openLog({ head, name }: FormatInput): FormatStream | undefined {
  if (head === undefined || !hasPlainBeginning(head)) return undefined;
  return new LogStream(name);
}

/** Whether the first line ends within the beginning, and nothing of a recorder stands there. */
function hasPlainBeginning(head: string): boolean {
  if (!head.includes("\n") || head.slice(0, beginningLength).trim() === "") return false;
  const text = head.startsWith("\uFEFF") ? head.slice(1) : head;
  const { header, body } = stripWrapper(text);
  return header === "" && body === text;
}

class LogStream implements FormatStream {
  readonly spanCount = 0;
  readonly #name: string;
  readonly #decoder = new TextDecoder("utf-8");
  #hasBroken = false;
  #beginning = "";
  #reading: LogReading | undefined;
  #outer: readonly AboutParts[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  push(chunk: Uint8Array): void {
    this.#take(this.#decoder.decode(chunk, { stream: true }));
  }

  end(): FileContent {
    this.#take(this.#decoder.decode());
    const reading = this.#reading;
    if (reading === undefined) return readLogText(this.#beginning, this.#name);
    const notes = notesOfText(this.#hasBroken);
    if (reading.isEmpty) return nothingPrinted(this.#outer, emptyAnswer, notes);
    reading.end();
    return { contents: reading.contents(), notes: [...notes, ...reading.notes()] };
  }

  #take(text: string): void {
    this.#hasBroken ||= text.includes("\uFFFD");
    if (this.#reading !== undefined) {
      this.#reading.push(text);
      return;
    }
    this.#beginning += text;
    if (this.#beginning.length < beginningLength) return;
    const log = logBelow("", stripWrapper(this.#beginning).body);
    this.#outer = [log.about, aboutOfName(this.#name)];
    this.#reading = new LogReading(this.#outer);
    this.#beginning = "";
    this.#reading.push(log.text);
  }
}
