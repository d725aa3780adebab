/** What a line of plain text says about itself at its beginning: when, how severe, and from where. */

import type { LogSeverity } from "../../model/evidence.ts";
import { timeAt } from "../time-text.ts";
import { severityOfSyslog, severityOfWord } from "./severity.ts";

/** What was recognised of a line. */
export interface LineMarks {
  readonly timeMicros?: number;
  /** A time that stands where a log's time stands, also one that names no day or year. */
  readonly hasTime: boolean;
  readonly hasZone?: boolean;
  readonly severity?: LogSeverity;
  /** The severity comes from a level, not from words of the message. */
  readonly hasLevel: boolean;
}

/** The marks of a line that has none. */
export const noMarks: LineMarks = { hasTime: false, hasLevel: false };

/** How far into a line its time and level are looked for. */
const prefixLengthMax = 160;

const word =
  "TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|SEVERE|PANIC|DPANIC|EMERG|ALERT|CRIT|ERR|DBG|INF|WRN|FTL";
const anyCase =
  "trace|debug|info|notice|warn|warning|error|fatal|critical|severe|panic|emerg|alert|crit|err";
/** `[ERROR]`, `<Warning>`, `|INFO|`, `(debug)`: a level that is set apart, in any case. */
const framed = new RegExp(`[[(<|] ?(${anyCase}) ?[\\])>|]`, "i");
/** `ERROR` among blanks and separators: only capitals, since small words are words. */
const bare = new RegExp(`(?:^|[\\s:,|-])(${word})(?=[\\s:,|-]|$)`);
/** A level that begins a line without a time, below at most two framed or numeric words. */
const leading = new RegExp(
  `^(?:(?:\\[[^\\]]{1,60}\\]|[\\d:.,/]{1,30})\\s{1,4}){0,2}(?:(${word})(?=[\\s:|\\]-]|$)|(${anyCase})(?:\\[\\d+\\])?(?=: |:$))`,
);
const leadingAnyCase = new RegExp(`^(${anyCase}): `, "i");
/** Levels of PostgreSQL and of Java's own logger, which are words of other meaning elsewhere. */
const database = /(?:^|\s)(LOG|DETAIL|HINT|STATEMENT|CONFIG|FINE|FINER|FINEST): /;
const klog = /^([IWEF])(\d{2})(\d{2}) (\d{2}):(\d{2}):(\d{2})\.(\d{6})\s+\d+ [^\s\]]{1,200}\] /;
const syslogDate = /^(?:<\d{1,3}>)?[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} /;
const clockOnly = /^[[(]?\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?[\])]?\s/;
const priority = /^<(\d{1,3})>/;

/** The marks of one line. */
export function marksOf(line: string): LineMarks {
  const log = klog.exec(line);
  if (log !== null) {
    // klog prints no year, so the day is known and the moment is not.
    const severity = severityOfWord(log[1] ?? "");
    return {
      ...(severity === undefined ? {} : { severity }),
      hasTime: true,
      hasLevel: true,
    };
  }
  const head = line.slice(0, prefixLengthMax);
  const time = timeIn(head);
  const rest = time === undefined ? head : head.slice(time.end);
  const level = levelOf(head, rest, time !== undefined);
  const severity = level ?? severityOfMessage(time === undefined ? line : rest);
  return {
    ...(time === undefined ? {} : { timeMicros: time.micros, hasZone: time.hasZone }),
    ...(severity === undefined ? {} : { severity }),
    hasTime: time !== undefined || syslogDate.test(head) || clockOnly.test(head),
    hasLevel: level !== undefined,
  };
}

interface TimeInLine {
  readonly micros: number;
  readonly start: number;
  readonly end: number;
  readonly hasZone: boolean;
}

/** Where a time can begin: at digits or the name of a day or month, at the beginning or behind a separator. */
const timeStart =
  /(?:^|[\s["'(|:=])(?=\d{4}[-/.]\d|\d{1,2}[ /-][A-Z][a-z]{2}[ /-]\d{4}|[A-Z][a-z]{2},? )/g;
const candidateCountMax = 4;
/** A time further inside a sentence is what the line tells of, not when it was written. */
const wordsBeforeTimeMax = 4;

function timeIn(head: string): TimeInLine | undefined {
  if (!/\d{2}:\d{2}/.test(head)) return undefined;
  let candidates = 0;
  for (const found of head.matchAll(timeStart)) {
    candidates += 1;
    if (candidates > candidateCountMax) return undefined;
    const start = found.index + found[0].length;
    const before = head.slice(0, start);
    if (before.trim().split(/\s+/).length > wordsBeforeTimeMax) return undefined;
    const time = timeAt(head, start);
    // A comma or a tab behind it is a column of a table.
    if (time !== undefined && !/^[,;\t]/.test(head.slice(time.end))) return { ...time, start };
  }
  return undefined;
}

function levelOf(head: string, rest: string, hasTime: boolean): LogSeverity | undefined {
  const tagged = framed.exec(head) ?? (hasTime ? (bare.exec(rest) ?? bare.exec(head)) : null);
  const found = tagged?.[1] ?? leadingLevel(rest.trimStart());
  if (found !== undefined) return severityOfWord(found);
  const other = database.exec(head)?.[1];
  if (other !== undefined) return other === "LOG" || other === "CONFIG" ? "info" : "debug";
  const number = priority.exec(head)?.[1];
  return number === undefined ? undefined : severityOfSyslog(Number(number) % 8);
}

function leadingLevel(text: string): string | undefined {
  const match = leading.exec(text);
  const found = match?.[1] ?? match?.[2] ?? leadingAnyCase.exec(text)?.[1];
  // So programs in JavaScript print what was thrown; it is a failure, but no level.
  return found === "Error" ? undefined : found;
}

/** Words by which runtimes begin the news of a failure. */
const failures: readonly (readonly [RegExp, LogSeverity])[] = [
  [
    /^\s*(?:panic: |fatal error: |FATAL ERROR: |thread '[^']{0,80}' panicked at |runtime: out of memory)/,
    "fatal",
  ],
  [/^\s*(?:Segmentation fault|Bus error|Killed$|OOMKilled)/, "fatal"],
  [/^\s*Traceback \(most recent call last\):/, "error"],
  [/^\s*(?:Exception in thread|Caused by: |Unhandled |Uncaught |npm ERR! |npm error )/, "error"],
  [/^\s*(?:[a-zA-Z_$][\w$]{0,80}\.){0,8}[A-Z][\w$]{0,80}(?:Error|Exception)\b(?:: |$|:$)/, "error"],
  [/^\s*Error(?: from server)?\b[ :(]/, "error"],
  [/^\s*(?:fatal|Fatal): /, "fatal"],
  [/curl: \(\d{1,3}\) /, "error"],
  [/^[A-Z][\w ]{0,80}(?:Exception|Error):/, "error"],
  [/: (?:command not found|No such file or directory|Permission denied|not found)$/, "error"],
];

/** A word that each of them has, so that most lines need one look. */
const failureWord =
  /panic|fatal|error|exception|fault|kill|traceback|caused by|unhandled|uncaught|curl: \(|not found|no such|denied|err!|memory/i;

/** The severity that the message itself makes plain, where the line has no level. */
function severityOfMessage(text: string): LogSeverity | undefined {
  const head = text.slice(0, 1_024);
  if (!failureWord.test(head)) return undefined;
  return failures.find(([pattern]) => pattern.test(head))?.[1];
}
