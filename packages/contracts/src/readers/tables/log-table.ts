/** Lines of logs as rows of a table. */

import type { LogLine } from "../../model/evidence.ts";
import { cutText } from "../../text/cut-text.ts";
import { parseForeignJson } from "../../text/foreign-json.ts";
import { serviceOfPod } from "../../text/service-of-pod.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent } from "../format.ts";
import { KeptLines, LineRoom } from "../logs/kept-lines.ts";
import { logLimits } from "../logs/limits.ts";
import { severityOfWord } from "../logs/severity.ts";
import { timeOfText } from "../time-text.ts";
import { hexadecimalId } from "../tracing/ids.ts";
import { columnOf } from "./column-names.ts";
import type { RowSink } from "./table-stream.ts";

/** Which column holds what. */
export interface LogColumns {
  readonly times: readonly number[];
  readonly text: number;
  readonly service: number | undefined;
  readonly severity: number | undefined;
  readonly trace: number | undefined;
  readonly span: number | undefined;
}

/** The columns of a header that has a time, a text, and somebody who wrote it. */
export function logColumnsOf(header: readonly string[]): LogColumns | undefined {
  const column = (names: string): number | undefined => columnOf(header, names.split(" "));
  const times = ["timeunixnano", "timestamp", "ts", "time", "datetime", "date"].flatMap((name) => {
    const index = columnOf(header, [name]);
    return index === undefined ? [] : [index];
  });
  const text = column("message log body msg logmessage content logs value text line");
  const service = column("containername service servicename podname cmdbid container app pod");
  const severity = column("level severity loglevel severitytext");
  const isLog = text !== undefined && times.length > 0 && service !== undefined;
  if (!isLog) return undefined;
  // A column that is only called `value` or `text` is one of a log only beside the name of the log.
  const isPlain = column("message log body msg logmessage content") !== undefined;
  if (!isPlain && column("logname logid") === undefined) return undefined;
  return {
    times,
    text,
    service,
    severity,
    trace: column("traceid"),
    span: column("spanid"),
  };
}

/** Rows on their way into one log. */
export class LogRows implements RowSink {
  readonly spanCount = 0;
  readonly #columns: LogColumns;
  readonly #lines = new KeptLines(new LineRoom());
  #lineCount = 0;
  #cutCount = 0;
  #untimedCount = 0;

  constructor(columns: LogColumns) {
    this.#columns = columns;
  }

  add(cells: readonly string[]): void {
    const at = (index: number | undefined): string =>
      index === undefined ? "" : (cells[index] ?? "");
    const { times, text, service, severity, trace, span } = this.#columns;
    const written = textOf(at(text));
    if (written.trim() === "") return;
    this.#lineCount += 1;
    if (this.#lineCount > logLimits.lineCountMax) {
      throw new EvidenceError("The log has too many lines.", {
        expected: `at most ${logLimits.lineCountMax} lines`,
      });
    }
    if (written.length > logLimits.textLengthMax) this.#cutCount += 1;
    const timeMicros = times
      .map((index) => timeOfText(at(index)))
      .find((micros) => micros !== undefined);
    if (timeMicros === undefined) this.#untimedCount += 1;
    const level = severityOfWord(at(severity)) ?? severityIn(written);
    const writer = serviceOfPod(at(service));
    const traceId = idOf(at(trace), 32);
    const spanId = idOf(at(span), 16);
    const line: LogLine = {
      ...(timeMicros === undefined ? {} : { timeMicros }),
      ...(level === undefined ? {} : { severity: level }),
      text: cutText(written.toWellFormed(), logLimits.textLengthMax),
      ...(writer === "" ? {} : { service: cutText(writer.toWellFormed(), 256) }),
      ...(traceId === undefined ? {} : { traceId }),
      ...(spanId === undefined ? {} : { spanId }),
    };
    this.#lines.push(line);
  }

  content(): FileContent {
    if (this.#lineCount === 0) {
      throw new EvidenceError("The table holds no line of a log.", {
        expected: "at least one row with a text",
        where: "line 2",
      });
    }
    const notes = [
      ...(this.#cutCount > 0
        ? [`${this.#cutCount} lines were cut at ${logLimits.textLengthMax} characters.`]
        : []),
      ...(this.#untimedCount > 0
        ? [`${this.#untimedCount} lines have no time that can be read.`]
        : []),
    ];
    return { contents: [{ kind: "logs", lines: this.#lines.list() }], notes };
  }
}

/** What Docker wrote around a line: `{"log":"…","stream":"stdout"}`. */
function textOf(cell: string): string {
  if (!cell.startsWith('{"log":')) return cell;
  try {
    const parsed: unknown = parseForeignJson(cell);
    const isWrapped = typeof parsed === "object" && parsed !== null && "log" in parsed;
    return isWrapped && typeof parsed.log === "string" ? parsed.log : cell;
  } catch {
    // It only looked like a wrapper; the line is what it is.
    return cell;
  }
}

const levelAt =
  /"(?:severity|level|log_?level)"\s*:\s*"([a-z]{1,16})"|\b(?:level|severity)[=:]\s*"?([a-z]{1,16})|(?:^|[\s[|])(TRACE|DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL|CRITICAL)(?=[\s\]:|])/i;
/** Characters in which a level is looked for. */
const levelLength = 400;

function severityIn(text: string): LogLine["severity"] {
  const match = levelAt.exec(text.slice(0, levelLength));
  const word = match?.[1] ?? match?.[2] ?? match?.[3];
  return word === undefined ? undefined : severityOfWord(word);
}

function idOf(text: string, length: 16 | 32): string | undefined {
  if (text === "" || /^(?:0+|nan|none|null)$/i.test(text)) return undefined;
  return hexadecimalId(text, length).id;
}
