/** Reads logs: lines of text or of records, mixed as they come, with the container that wrote them where it is told. */

import type { LogsContent } from "../../model/evidence.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { stripWrapper } from "../kubernetes/recorded-call.ts";
import {
  aboutOf,
  aboutOfCommand,
  aboutOfHeader,
  aboutOfName,
  type AboutParts,
  errorOfHeader,
  isCommand,
  type LogAbout,
} from "./about.ts";
import { LineJoiner } from "./join-lines.ts";
import { LineRoom } from "./kept-lines.ts";
import { logLimits } from "./limits.ts";
import { type ParsedLine, parseLine } from "./parse-line.ts";

/** Reads a log, recorded or plain. */
export function readLog({ bytes, name }: FormatInput): FileContent {
  // Whatever its bytes: one broken character must not hide a whole log.
  return readLogText(new TextDecoder("utf-8").decode(bytes), name);
}

/** Reads the whole text of a log from a file of this name. */
export function readLogText(text: string, name: string): FileContent {
  const { header, body } = stripWrapper(text);
  const log = logBelow(header, body);
  const outer = [log.about, aboutOfName(name)];
  const notes = notesOfText(text.includes("\uFFFD"));
  if (log.refusal !== undefined) return nothingPrinted(outer, log.refusal, notes);
  const lines = new LogReading(outer);
  lines.push(log.text);
  lines.end();
  return { contents: lines.contents(), notes: [...notes, ...lines.notes()] };
}

/** What is said of a text of which some bytes were no characters. */
export function notesOfText(hasBroken: boolean): string[] {
  return hasBroken ? ["Bytes that are not UTF-8 stand as \uFFFD."] : [];
}

/** The call is known, and that it printed no log; that is not the same as an empty log. */
export function nothingPrinted(
  outer: readonly AboutParts[],
  reason: string,
  notes: readonly string[],
): FileContent {
  const about = aboutOf(...outer);
  const empty: LogsContent = { kind: "logs", ...(about === undefined ? {} : { about }), lines: [] };
  return { contents: [empty], notes: [...notes, `No log was printed: ${reason.slice(0, 500)}`] };
}

interface RecordedLog {
  readonly text: string;
  readonly about: AboutParts;
  /** What was printed in place of a log. */
  readonly refusal?: string;
}

/** Why there is no log where nothing was printed at all. */
export const emptyAnswer = "the answer is empty";

const refusal = /^\s*(?:error: )?(?:error from server|unable to retrieve container logs)[^\n]*/i;
const defaulted = /^Defaulted container "([^"\n]{1,253})" out of: [^\n]*(?:\n|$)/m;
/** What tools add below a log about the query. */
const trailer = /(?:^|\n)={20,}\r?\nLOG QUERY METADATA\r?\n={20,}/;

/** The log below the lines about its call, without what kubectl and the recorder say themselves. */
export function logBelow(header: string, body: string): RecordedLog {
  let text = body;
  let about = header === "" ? {} : aboutOfHeader(header);
  const command = text.slice(0, 2_048).split("\n", 1)[0];
  if (header === "" && isCommand(command)) {
    about = aboutOfCommand(command.replace(/^\s*[$#>]\s+/, ""));
    text = text.slice(command.length + 1);
  }
  const end = header === "" ? undefined : trailer.exec(text)?.index;
  if (end !== undefined) text = text.slice(0, end);
  const container = defaulted.exec(text.slice(0, 4_096));
  if (container !== null) {
    about = { ...about, container: about.container ?? container[1] };
    text = text.slice(0, container.index) + text.slice(container.index + container[0].length);
  }
  const said = text.length < 4_096 ? refusal.exec(text)?.[0] : undefined;
  const isEmpty = text.trim() === "";
  if (said !== undefined) return { text: "", about, refusal: said.trim() };
  if (!isEmpty) return { text, about };
  return { text: "", about, refusal: errorOfHeader(header) ?? emptyAnswer };
}

/** Lines on their way into logs, one log for each container that they name. */
export class LogReading {
  readonly #outer: readonly AboutParts[];
  readonly #room = new LineRoom();
  readonly #logs = new Map<string, { about: LogAbout | undefined; joiner: LineJoiner }>();
  #last: LineJoiner | undefined;
  /** The beginning of a line whose end has not come, as much of it as is looked at, and whether anything is on it. */
  #begun = "";
  #isCut = false;
  #hasBegunText = false;
  #lineCount = 0;
  #cutCount = 0;
  #assumesUtc = false;

  /** `outer` is what is known of the container from around the lines. */
  constructor(outer: readonly AboutParts[]) {
    this.#outer = outer;
  }

  /** Whether no line had anything on it so far. */
  get isEmpty(): boolean {
    return this.#lineCount === 0 && !this.#hasBegunText;
  }

  /** Takes text that may begin and end within a line. */
  push(text: string): void {
    let from = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
      if (this.#begun === "") this.#readLine(text.slice(from, end));
      else {
        this.#begin(text.slice(from, end));
        this.#finishLine();
      }
      from = end + 1;
    }
    if (from < text.length) this.#begin(text.slice(from));
  }

  end(): void {
    if (this.#begun !== "") this.#finishLine();
  }

  /** Of a line that is longer than what is looked at, the rest is only asked whether anything stands in it. */
  #begin(piece: string): void {
    if (!this.#hasBegunText) this.#hasBegunText = !isBlank(piece);
    const room = begunLengthMax - this.#begun.length;
    if (piece.length > room) this.#isCut = true;
    this.#begun += piece.slice(0, room);
  }

  #finishLine(): void {
    const line = this.#begun;
    const isTextBehind = this.#hasBegunText && this.#isCut;
    this.#begun = "";
    this.#isCut = false;
    this.#hasBegunText = false;
    if (isTextBehind) this.#add(line);
    else this.#readLine(line);
  }

  #readLine(line: string): void {
    if (isBlank(line)) this.#last?.addBlank();
    else this.#add(line.endsWith("\r") ? line.slice(0, -1) : line);
  }

  contents(): LogsContent[] {
    return [...this.#logs.values()].map(({ about, joiner }) => ({
      kind: "logs",
      ...(about === undefined ? {} : { about }),
      lines: joiner.finish(),
    }));
  }

  notes(): string[] {
    const notes: string[] = [];
    const dropped = [...this.#logs.values()].reduce((sum, log) => sum + log.joiner.droppedCount, 0);
    if (this.#assumesUtc) notes.push("Times without a zone were taken as UTC.");
    if (this.#cutCount > 0) {
      notes.push(`${this.#cutCount} lines were cut at ${logLimits.textLengthMax} characters.`);
    }
    if (dropped > 0) notes.push(`${dropped} lines of entries that were too long were dropped.`);
    return notes;
  }

  #add(raw: string): void {
    if (raw.length > logLimits.textLengthMax) this.#cutCount += 1;
    this.addParsed(parseLine(raw));
  }

  /** Adds a line that is parsed already. */
  addParsed(parsed: ParsedLine): void {
    this.#lineCount += 1;
    if (this.#lineCount > logLimits.lineCountMax) {
      throw new EvidenceError("The log has too many lines.", {
        expected: `at most ${logLimits.lineCountMax} lines`,
        where: `line ${logLimits.lineCountMax + 1}`,
      });
    }
    this.#assumesUtc ||= parsed.assumesUtc;
    this.#last = this.#logOf(parsed.about);
    this.#last.add(parsed);
  }

  #logOf(parts: AboutParts): LineJoiner {
    const { pod, namespace, container } = parts;
    const key = pod === undefined ? "" : `${namespace ?? ""}/${pod}/${container ?? ""}`;
    const known = this.#logs.get(key);
    if (known !== undefined) return known.joiner;
    if (this.#logs.size === logLimits.containerCountMax) {
      throw new EvidenceError("The log is of too many containers.", {
        expected: `at most ${logLimits.containerCountMax} containers in one file`,
      });
    }
    const log = { about: aboutOf(parts, ...this.#outer), joiner: new LineJoiner(this.#room) };
    this.#logs.set(key, log);
    return log.joiner;
  }
}

/** What is kept of a line that has not ended: all that is looked at, and the end of the line if it follows at once. */
const begunLengthMax = logLimits.lineLengthMax + 2;

function isBlank(line: string): boolean {
  return !/\S/.test(line);
}
