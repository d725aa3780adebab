/**
 * Reads dumps of goroutines: what `debug=2` answers, and what a program prints when it panics or gets a SIGQUIT. A dump
 * is read as it comes in; of goroutines that do the same only the first is looked at closely, the others are known by a
 * hash of their functions and lines.
 */

import type { StackFrame } from "../../model/goroutines.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput, FormatStream } from "../format.ts";
import { nameRecording } from "../recording/name-recording.ts";
import { GoroutineTable, noteId, type OpenGroup } from "./goroutine-table.ts";
import { IdList } from "./id-list.ts";
import { goroutineLimits } from "./limits.ts";
import { parkedFrameCount, printedStateOf } from "./park-state.ts";
import { RecordScan } from "./record-scan.ts";

const headerLine = /^goroutine \d+ (?:gp=\S+ m=\S+ (?:mp=\S+ )?)?\[[^\]\n]+\]:[ \r]*$/m;
/** Groups that are known by their hash; of a dump with more, the rest is looked at closely. */
const knownCountMax = 200_000;
/** What may stand above the first goroutine: why the program stopped. */
const prefaceLengthMax = 4_096;

/** Whether a text is a dump, and no log that has a stack trace in it. */
export function recogniseDump(head: string): boolean {
  const header = headerLine.exec(head);
  if (header === null || header.index > prefaceLengthMax) return false;
  const preface = head.slice(0, header.index).trim();
  if (preface === "") return true;
  // A log that ends in a panic stays a log: it has one goroutine, or few.
  const isStop = /^(?:SIG[A-Z]+: |PC=|fatal error: |panic: |runtime: |unexpected fault)/.test(
    preface,
  );
  return isStop && (head.match(new RegExp(headerLine, "gm"))?.length ?? 0) >= stoppedCountMin;
}

const stoppedCountMin = 8;

interface Known {
  readonly check: number;
  readonly group: OpenGroup;
}

/** Takes a dump piece by piece. */
export class DumpReading implements FormatStream {
  readonly spanCount = 0;
  readonly #file: Pick<FormatInput, "name" | "folder">;
  readonly #table = new GoroutineTable();
  readonly #scan = new RecordScan();
  readonly #ids = new IdList();
  /** By the first hash of what a goroutine does; several where first hashes are equal. */
  readonly #known = new Map<number, Known[]>();
  readonly #decoder = new TextDecoder("utf-8");
  #rest: Uint8Array = new Uint8Array(0);
  #cutCount = 0;

  constructor(file: Pick<FormatInput, "name" | "folder">) {
    this.#file = file;
  }

  push(chunk: Uint8Array): void {
    const bytes = joined(this.#rest, chunk);
    const at = this.#read(bytes, false);
    this.#rest = bytes.slice(at);
    if (this.#rest.length > goroutineLimits.recordBytesMax) {
      throw new EvidenceError("A goroutine of the dump does not end.", {
        expected: `at most ${goroutineLimits.recordBytesMax} bytes for each goroutine`,
      });
    }
  }

  end(): FileContent {
    this.#read(this.#rest, true);
    if (this.#table.goroutineCount === 0) {
      throw new EvidenceError("The dump has no goroutine with a stack.", {
        expected: "goroutine N [state]: with a stack below it",
        where: "line 1, column 1",
      });
    }
    this.#ids.close();
    const content = this.#table.content(nameRecording(this.#file), "dump", (id) =>
      this.#ids.has(id),
    );
    content.idMax = this.#ids.max;
    const notes =
      this.#cutCount === 0
        ? []
        : [
            `${this.#cutCount} stacks were cut to their ${goroutineLimits.stackDepthMax} innermost frames.`,
          ];
    return { contents: [content], notes };
  }

  /** Reads what is complete; gives how far it came. */
  #read(bytes: Uint8Array, isLast: boolean): number {
    const scan = this.#scan;
    let at = 0;
    while (at < bytes.length) {
      if (scan.take(bytes, at, isLast)) {
        this.#add(bytes.subarray(at, scan.end));
        at = scan.end;
      } else if (scan.isIncomplete) break;
      else {
        const next = bytes.indexOf(10, at);
        if (next < 0) return isLast || !scan.mayBegin(bytes, at) ? bytes.length : at;
        at = next + 1;
      }
    }
    return at;
  }

  #add(record: Uint8Array): void {
    const scan = this.#scan;
    const group = this.#groupOf(record);
    if (group === undefined) return;
    this.#table.add(group, 1);
    this.#ids.add(scan.id);
    if (scan.id > 0) noteId(group, scan.id);
    group.waits ??= new Map();
    group.waits.set(scan.minutes, (group.waits.get(scan.minutes) ?? 0) + 1);
    if (scan.creatorId > 0) (group.creatorIds ??= []).push(scan.creatorId);
  }

  #groupOf(record: Uint8Array): OpenGroup | undefined {
    const { hash, check } = this.#scan;
    const list = this.#known.get(hash);
    if (list !== undefined) {
      for (const known of list) if (known.check === check) return known.group;
    }
    const group = this.#lookAt(this.#decoder.decode(record));
    if (group === undefined || this.#known.size >= knownCountMax) return group;
    if (list === undefined) this.#known.set(hash, [{ check, group }]);
    else list.push({ check, group });
    return group;
  }

  #lookAt(record: string): OpenGroup | undefined {
    const [header = "", ...lines] = record.split(/\r?\n/);
    const printed = /\[([^\],]*)/.exec(header)?.[1] ?? "";
    const { frames, creator } = framesOf(lines);
    if (frames.length === 0) return undefined;
    const functions = frames.map((frame) => frame.function);
    const { state, isLeaked } = printedStateOf(printed.replace(/ labels:\{.*/, ""), functions);
    const kept = frames.slice(parkedFrameCount(functions), goroutineLimits.stackDepthMax);
    if (frames.length > goroutineLimits.stackDepthMax) this.#cutCount += 1;
    return this.#table.group({
      state,
      isLeaked,
      stack: kept.map((frame) => this.#table.frames.add(frame)),
      creator: creator === undefined ? undefined : this.#table.frames.add(creator),
    });
  }
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length === 0) return right;
  const bytes = new Uint8Array(left.length + right.length);
  bytes.set(left);
  bytes.set(right, left.length);
  return bytes;
}

interface Frames {
  readonly frames: StackFrame[];
  readonly creator: StackFrame | undefined;
}

/** Lines of a stack: a function, and below it where it is. */
function framesOf(lines: readonly string[]): Frames {
  const frames: StackFrame[] = [];
  let creator: StackFrame | undefined;
  for (const [index, line] of lines.entries()) {
    const place = placeOf(lines[index + 1] ?? "");
    if (line.startsWith("\t") || line === "" || place === undefined) continue;
    const created = /^created by (.+?)(?: in goroutine \d+)?$/.exec(line)?.[1];
    if (created !== undefined) creator = { function: created, ...place };
    else frames.push({ function: functionOf(line), ...place });
  }
  return { frames: frames.filter((frame) => frame.function !== "runtime.goexit"), creator };
}

/** The function of a line, without its arguments; what follows a point in brackets is its receiver. */
function functionOf(line: string): string {
  const begin = line.search(/(?<!\.)\(/);
  return begin > 0 ? line.slice(0, begin) : line;
}

function placeOf(line: string): { file: string; line: number } | undefined {
  const match = /^\t(.+?):(\d{1,9})(?: \+0x[0-9a-f]+| [a-z]{2}=0x[0-9a-f]+)*$/.exec(line);
  if (match === null) return undefined;
  return { file: match[1] ?? "", line: Number(match[2]) };
}
