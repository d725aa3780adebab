/** `faultline journal`: looks into the logs on disk, says what is lost, and makes them open again. */

import {
  examineLog,
  JournalError,
  LogReader,
  logPosition,
  type LogReport,
  repairLog,
} from "@faultline/journal";

import { type Command, type CommandContext, UsageError } from "../command.ts";
import { textOption } from "../connection.ts";
import { findLogs } from "../journal/find-logs.ts";
import {
  damageLine,
  logJson,
  logSummary,
  logTable,
  newerLine,
  repairLines,
} from "../journal/log-text.ts";

/** Something is damaged, or a repair has found records lost. */
const exitDamaged = 1;
/** As for `check`: something could not be read. */
const exitUnreadable = 2;
const recordCountMax = 10_000;
/** How much of a record's content a line shows. */
const previewBytesMax = 60;

type Format = "text" | "json";

export const command: Command = {
  summary: "look into the journals on disk, say what is lost, make them open again",
  usage: [
    "journal inspect FOLDER [--format FORMAT] [--records COUNT] [--from POSITION]",
    "journal verify FOLDER [--format FORMAT]",
    "journal repair FOLDER [--format FORMAT]",
  ],
  options: {
    format: { type: "string", value: "FORMAT", description: "text or json (default: text)" },
    records: {
      type: "string",
      value: "COUNT",
      description: "inspect: print so many records too, with position and length",
    },
    from: {
      type: "string",
      value: "POSITION",
      description: "inspect: where the first of these records stands (default: the oldest)",
    },
  },
  notes: [
    "FOLDER is that of a journal, or one above several, such as the data folder; all below it are taken.",
    "inspect and verify change nothing and may run beside a writer; then the last write may show as unfinished.",
    "repair wants the writer stopped. It puts gaps in the place of what cannot be read, so that every other record",
    "keeps its position, and first copies each segment that it changes aside, as it is, to NAME.damaged-1.",
    "An unfinished write at the end is none that anybody was told about; opening the journal cuts it off.",
    "The format is described in docs/formats/journal.md.",
    "",
    "Exit codes: 0 whole, 1 damaged (repair: records were lost), 2 something could not be read or is in use.",
  ],
  async run(context) {
    const [action, folder, ...rest] = context.positionals;
    if (action !== "inspect" && action !== "verify" && action !== "repair") {
      throw new UsageError(`'${action ?? ""}' is none of inspect, verify, repair.`);
    }
    if (folder === undefined || rest.length > 0) {
      throw new UsageError(`journal ${action} takes one FOLDER.`);
    }
    const format = readFormat(context);
    const folders = await foldersOf(context, folder);
    if (folders === undefined) return exitUnreadable;
    const call = { context, format };
    switch (action) {
      case "inspect":
        return await inspect(call, folders);
      case "verify":
        return await verify(call, folders);
      case "repair":
        return await repair(call, folders);
      default:
        return action;
    }
  },
};

interface Call {
  readonly context: CommandContext;
  readonly format: Format;
}

async function inspect({ context, format }: Call, folders: readonly string[]): Promise<number> {
  const { terminal, signal } = context;
  const records = readNumber(context, "records", recordCountMax);
  const from = readNumber(context, "from", Number.MAX_SAFE_INTEGER) ?? 0;
  if (records === undefined && context.options.from !== undefined) {
    throw new UsageError("--from says where --records starts.");
  }
  const results: object[] = [];
  for (const folder of folders) {
    const report = await examine(context, folder);
    if (report === undefined) return exitUnreadable;
    const lines =
      records === undefined ? [] : await readRecords({ context, folder, from, records });
    if (lines === undefined) return exitUnreadable;
    results.push({
      ...logJson(folder, report),
      ...(records === undefined ? {} : { records: lines }),
    });
    signal.throwIfAborted();
    if (format === "json") continue;
    terminal.print(logTable(folder, report, terminal));
    for (const line of [...report.damages.map(damageLine), newerLine(report) ?? ""]) {
      if (line !== "") terminal.print(`  ${line}`);
    }
    for (const { position, bytes, content } of lines) {
      terminal.print(`${position}  ${bytes} bytes  ${content}`);
    }
  }
  if (format === "json") printJson(context, { journals: results });
  return 0;
}

async function verify({ context, format }: Call, folders: readonly string[]): Promise<number> {
  const { terminal } = context;
  let exitCode = 0;
  const results: object[] = [];
  for (const folder of folders) {
    const report = await examine(context, folder);
    if (report === undefined) return exitUnreadable;
    results.push(logJson(folder, report));
    if (report.state === "newer") exitCode = exitUnreadable;
    else if (report.state === "damaged") exitCode = Math.max(exitCode, exitDamaged);
    if (format === "json") continue;
    const verdict = report.state === "damaged" ? terminal.style("red", "Damaged") : "Whole";
    terminal.print(newerLine(report) ?? `${verdict}: ${folder}: ${logSummary(report)}`);
    for (const damage of report.damages) terminal.print(`  ${damageLine(damage)}`);
  }
  if (format === "json") printJson(context, { journals: results });
  else if (exitCode === exitDamaged) {
    terminal.note(
      `'${terminal.program} journal repair FOLDER' makes what is whole readable again.`,
    );
  }
  return exitCode;
}

async function repair({ context, format }: Call, folders: readonly string[]): Promise<number> {
  const { terminal, signal, clock } = context;
  let exitCode = 0;
  const results: object[] = [];
  for (const folder of folders) {
    const report = await orNothing(context, async () => await repairLog({ folder, signal, clock }));
    if (report === undefined) return exitUnreadable;
    const { before, after, keptAside, madeAnew } = report;
    if (before.damages.some(({ kind }) => kind === "range" || kind === "missing")) {
      exitCode = Math.max(exitCode, exitDamaged);
    }
    if (after.state !== "whole") exitCode = exitUnreadable;
    results.push({ ...logJson(folder, after), found: before.damages, keptAside, madeAnew });
    if (format === "json") continue;
    if (keptAside.length + madeAnew.length === 0) {
      terminal.print(`Nothing to repair: ${folder}: ${logSummary(after)}`);
      continue;
    }
    terminal.print(`${after.state === "whole" ? "Repaired" : "Still damaged"}: ${folder}`);
    for (const line of repairLines(report)) terminal.print(`  ${line}`);
  }
  if (format === "json") printJson(context, { journals: results });
  return exitCode;
}

interface RecordLine {
  readonly position: number;
  readonly bytes: number;
  /** The first bytes; what is no printable ASCII as `\xNN`. */
  readonly content: string;
}

async function readRecords(call: {
  context: CommandContext;
  folder: string;
  from: number;
  records: number;
}): Promise<RecordLine[] | undefined> {
  const { context, folder, from, records } = call;
  const lines: RecordLine[] = [];
  if (records === 0) return lines;
  return await orNothing(context, async () => {
    const reader = new LogReader({ folder, from: logPosition(from) });
    for await (const { position, record } of reader.read(context.signal)) {
      const content = escapeBytes(record.subarray(0, previewBytesMax));
      lines.push({ position, bytes: record.length, content });
      if (lines.length >= records) break;
    }
    return lines;
  });
}

function escapeBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) =>
    byte >= 0x20 && byte < 0x7f && byte !== 0x5c
      ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).padStart(2, "0")}`,
  ).join("");
}

async function examine(context: CommandContext, folder: string): Promise<LogReport | undefined> {
  const { signal } = context;
  return await orNothing(context, async () => await examineLog({ folder, signal }));
}

/** Runs it; when the journal refuses, says so and gives nothing. */
async function orNothing<Result>(
  { terminal }: CommandContext,
  run: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof JournalError)) throw error;
    terminal.note(`${terminal.style(["red", "bold"], "error")} ${error.code}: ${error.message}`);
    return undefined;
  }
}

async function foldersOf(context: CommandContext, folder: string): Promise<string[] | undefined> {
  const { terminal, signal } = context;
  let words: string;
  try {
    const folders = await findLogs(folder, signal);
    if (folders.length > 0) return folders;
    words = `There is no journal in ${folder}.`;
  } catch (error) {
    if (signal.aborted) throw error;
    words = `${folder} cannot be read: ${error instanceof Error ? error.message : String(error)}.`;
  }
  terminal.note(`${terminal.style(["red", "bold"], "error")} ${words}`);
  return undefined;
}

function readFormat(context: CommandContext): Format {
  const format = textOption(context, "format") ?? "text";
  if (format !== "text" && format !== "json") {
    throw new UsageError(`--format takes text or json; '${format}' is none.`);
  }
  return format;
}

function readNumber(context: CommandContext, name: string, max: number): number | undefined {
  const text = textOption(context, name);
  if (text === undefined) return undefined;
  const number = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  if (!(number <= max)) {
    throw new UsageError(`--${name} takes a whole number up to ${max}; '${text}' is none.`);
  }
  return number;
}

function printJson(context: CommandContext, value: object): void {
  context.terminal.print(JSON.stringify(value, undefined, 2));
}
