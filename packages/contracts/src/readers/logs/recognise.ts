/** Tells logs from other text: by the marks of their lines, never because nothing else fits. */

import type { FormatInput } from "../format.ts";
import { stripWrapper } from "../kubernetes/recorded-call.ts";
import { aboutOfName, isCommand } from "./about.ts";
import { logLimits } from "./limits.ts";
import { parseLine } from "./parse-line.ts";

/** Whether lines about a recorded call, or the command itself, say that the rest is what a container printed. */
export function recogniseRecordedLog({ head, name }: FormatInput): boolean {
  if (head === undefined) return false;
  const { header, holds, body } = stripWrapper(head);
  if (holds === "logs") return true;
  if (header !== "") return false;
  return isCommand(body.slice(0, 2_048).split("\n", 1)[0]) || aboutOfName(name).pod !== undefined;
}

/** Whether the lines are records of a log in JSON, one on each line. */
export function recogniseJsonLog(input: FormatInput): boolean {
  const { head } = input;
  if (head === undefined || !/^\s*\{/.test(head)) return false;
  const lines = wholeLines(head);
  const records = lines.filter((line) => line.startsWith("{")).map((line) => parseLine(line));
  const sure = records.filter(({ likeness }) => likeness === "sure").length;
  const likely = records.filter(({ likeness }) => likeness !== "none").length;
  // Where a record tells no level, its name or its number must show that it is one of many.
  const isLog = sure > 0 || (likely >= 2 && likely === records.length) || isLogName(input.name);
  return likely > 0 && isLog && likely >= shareMin * lines.length;
}

/** The share of the lines that begin an entry which must look like a log's. */
const shareMin = 0.5;

/** Whether a text is a log by the marks of its lines, or by its name and nothing against it. */
export function recogniseTextLog({ head, name }: FormatInput): boolean {
  if (head === undefined || isForeignName(name) || stripWrapper(head).header !== "") return false;
  const lines = wholeLines(head).filter((line) => line.length > 0);
  if (lines.length === 0 || isDocument(lines[0] ?? "")) return false;
  let marked = 0;
  let unmarked = 0;
  for (const line of lines) {
    if (isContinuation(line)) continue;
    if (parseLine(line).likeness === "none") unmarked += 1;
    else marked += 1;
  }
  if (isLogName(name)) return true;
  return marked > 0 && marked >= unmarked ? true : showsStack(head);
}

/** The lines of the beginning that are complete, without those that are blank. */
function wholeLines(head: string): string[] {
  const lines = head.replace(/^\uFEFF/, "").split("\n", logLimits.recognitionLineCountMax + 1);
  if (lines.length > 1) lines.pop();
  return lines.filter((line) => /\S/.test(line)).map((line) => line.replace(/\r$/, ""));
}

function isDocument(line: string): boolean {
  if (/^\s*\{/.test(line)) return parseLine(line).likeness === "none";
  if (/^\s*\[\s*(?:$|[{["\]-]|\d+(?:\.\d+)?\s*[,\]])/.test(line)) return true;
  return /^\s*(?:<[a-z!?]|%PDF|#!|---\s*$|diff --git |From \S+@)/i.test(line);
}

function isContinuation(line: string): boolean {
  return /^(?:\s|Caused by: |goroutine \d+ \[|created by |at |\.\.\. \d+ more|[}\])]+$)/.test(line);
}

/** A stack trace at the left margin with its frames below. */
function showsStack(head: string): boolean {
  const isLong = /^Traceback \(most recent call last\):\r?\n {2}File "/m.test(head);
  const isPanic = /^(?:panic: |fatal error: ).*\r?\n(?:.*\r?\n){1,4}goroutine \d+ \[/m.test(head);
  const isJava =
    /^(?:Exception in thread ".*" )?[\w.$]+(?:Exception|Error)\b.*\r?\n\s+at \S+\(/m.test(head);
  const isNode = /^(?:Uncaught )?\w*Error: .*\r?\n(?:.*\r?\n){0,3} {4}at /m.test(head);
  const begins =
    /^(?:\s*\S.*\r?\n){0,3}?(?:Traceback \(|panic: |fatal error: |Exception in thread|[\w.$]+(?:Exception|Error)\b|\S+:\d+\r?\n)/.test(
      head,
    );
  return begins && (isLong || isPanic || isJava || isNode);
}

function isLogName(name: string): boolean {
  if (/changelog/i.test(name)) return false;
  return /(?:\.log(?:\.\d+|-\d+)?|(?:^|[._-])logs?[._-]?.*\.txt|logs?\.(?:txt|out|ndjson|jsonl|json)|(?:^|[._-])(?:stdout|stderr)(?:\.txt|\.out)?)(?:\.gz)?$/i.test(
    name,
  );
}

/** Names of what is written by people or read by programs. */
function isForeignName(name: string): boolean {
  return /\.(?:md|mdx|rst|adoc|html?|xml|svg|ya?ml|toml|ini|cfg|conf|lock|[cm]?[jt]sx?|py|go|rs|java|kt|rb|php|c|h|cc|cpp|hpp|cs|sh|bash|sql|css|scss|csv|tsv|patch|diff|proto|tf|json|ipynb|tex)$/i.test(
    name,
  );
}
