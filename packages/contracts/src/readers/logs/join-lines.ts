/** Joins the lines that belong to one entry: stack traces, panics, and what is indented below a line. */

import type { LogLine } from "../../model/evidence.ts";
import { cutText } from "../../text/cut-text.ts";
import { KeptLines, type LineRoom } from "./kept-lines.ts";
import { logLimits } from "./limits.ts";
import type { ParsedLine } from "./parse-line.ts";

/** Which runtime's failure an entry tells of; it decides what may follow. */
type Shape = "python" | "go" | "node" | "other";

interface OpenEntry {
  readonly line: LogLine;
  readonly texts: string[];
  length: number;
  severity: LogLine["severity"];
  shape: Shape;
  /** Lines of its own followed the first one. */
  lineCount: number;
  blankCount: number;
  isPartial: boolean;
  /** Of Python: the line that names the exception has come. */
  isClosed: boolean;
}

/** Takes the lines of one log in their order. */
export class LineJoiner {
  /** Lines that were dropped, because their entry was full. */
  droppedCount = 0;
  readonly #lines: KeptLines;
  #open: OpenEntry | undefined;

  constructor(room: LineRoom) {
    this.#lines = new KeptLines(room);
  }

  add(parsed: ParsedLine): void {
    const open = this.#open;
    if (open?.isPartial === true) {
      this.#append(open, parsed, "");
    } else if (open !== undefined && !parsed.startsEntry && continues(parsed.line.text, open)) {
      this.#append(open, parsed, "\n".repeat(open.blankCount + 1));
    } else {
      this.#close();
      this.#open = entryOf(parsed);
      return;
    }
    open.blankCount = 0;
  }

  /** A line with nothing on it: it may stand within a panic, and else ends an entry. */
  addBlank(): void {
    if (this.#open !== undefined) this.#open.blankCount += 1;
  }

  finish(): LogLine[] {
    this.#close();
    return this.#lines.list();
  }

  #close(): void {
    const open = this.#open;
    if (open === undefined) return;
    const text = cutText(open.texts.join(""), logLimits.textLengthMax);
    const { severity } = open;
    this.#lines.push({ ...open.line, ...(severity === undefined ? {} : { severity }), text });
    this.#open = undefined;
  }

  #append(open: OpenEntry, parsed: ParsedLine, separator: string): void {
    const { text, severity } = parsed.line;
    open.isPartial = parsed.isPartial;
    open.lineCount += 1;
    open.severity ??= severity;
    noteShape(open, text);
    const isFull =
      open.length >= logLimits.textLengthMax || open.lineCount > logLimits.joinedLineCountMax;
    if (isFull) {
      this.droppedCount += 1;
      return;
    }
    open.texts.push(separator, text);
    open.length += separator.length + text.length;
  }
}

function entryOf({ line, isPartial }: ParsedLine): OpenEntry {
  const open: OpenEntry = {
    line,
    texts: [line.text],
    length: line.text.length,
    severity: line.severity,
    shape: "other",
    lineCount: 1,
    blankCount: 0,
    isPartial,
    isClosed: false,
  };
  noteShape(open, line.text);
  return open;
}

const traceback = /^(?:\s*\+ )?\s*(?:Exception Group )?Traceback \(most recent call last\):/;
const panic = /^(?:panic: |fatal error: |goroutine \d+ \[|SIG[A-Z]{3,6}: |runtime: )/;
const thrown =
  /^(?:(?:file:\/\/|node:|\/|[A-Z]:\\)\S{1,512}:\d+$|(?:Uncaught )?[A-Z]\w{0,80}Error\b|Error: )/;

function noteShape(open: OpenEntry, text: string): void {
  if (traceback.test(text)) {
    open.shape = "python";
    open.isClosed = false;
  } else if (open.shape === "other" && panic.test(text)) open.shape = "go";
  else if (open.shape === "other" && thrown.test(text)) open.shape = "node";
}

const goLine =
  /^(?:goroutine \d+ |\[signal |created by |exit status |runtime stack:|panic: |\t|\s*\[recovered\]|[\w./*()${}·[\]-]{1,512}\(.*\)$)/;
const pythonBetween =
  /^(?:During handling of the above exception|The above exception was the direct cause)/;
const pythonEnd = /^[A-Za-z_][\w.]{0,200}(?:: .*|:)?$/;
const frame =
  /^(?:Caused by: |Suppressed: |\.\.\. \d+ (?:more|common frames)|--- End of |Stack trace:|#\d{1,4} |at \S.{0,500}[):]\d*\)?$|note: run with `RUST_BACKTRACE|stack backtrace:)/;
const exception = /^(?:[a-zA-Z_$][\w$]{0,80}\.){1,8}[A-Z][\w$]{0,80}(?:Error|Exception)\b/;
/** Numbers in columns, as of a progress meter, that end in the news of a failure. */
const meterFailure = /^\s+\d.{0,200}curl: \(\d+\) /;

/** Whether a line without a time and level of its own goes on with the entry before it. */
function continues(text: string, open: OpenEntry): boolean {
  if (meterFailure.test(text)) return false;
  const isApart = open.blankCount > 0;
  if (/^\s/.test(text) && !isApart) return true;
  switch (open.shape) {
    case "python":
      return continuesPython(text, open);
    case "go":
      return goLine.test(text);
    case "node":
      if (/^(?:Node\.js v\d|\S{0,80}Error\b)/.test(text)) return true;
      break;
    case "other":
      break;
  }
  if (isApart) return false;
  if (/^[}\])]{1,3}[,;]?$/.test(text)) return open.lineCount > 1;
  if (frame.test(text)) return true;
  // Loggers print the exception below the line that reports it.
  const isReport = open.severity === "error" || open.severity === "fatal";
  return isReport && open.lineCount === 1 && (traceback.test(text) || exception.test(text));
}

function continuesPython(text: string, open: OpenEntry): boolean {
  if (pythonBetween.test(text)) return true;
  if (traceback.test(text)) return !open.isClosed || open.blankCount > 0;
  if (open.blankCount > 0 || open.isClosed) return false;
  if (!pythonEnd.test(text)) return false;
  open.isClosed = true;
  return true;
}
