/** `faultline snapshot`: freezes evidence into one file, shows it, and takes secrets out of it. */

import { mkdir, open, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  decodeSnapshotFile,
  encodeSnapshotFile,
  type Evidence,
  EvidenceError,
  plural,
  type RedactedSnapshot,
  redactSnapshot,
  type Snapshot,
  snapshotOf,
} from "@faultline/contracts";
import { PlatformError } from "@faultline/protocol";

import { type Command, type CommandContext, UsageError } from "../command.ts";
import { switchOption, textOption } from "../connection.ts";
import { readEvidenceAt, readEvidenceFiles } from "../evidence-files.ts";
import { collectLive } from "../live/collect-live.ts";
import { liveProgress } from "../live/live-progress.ts";
import { liveOptions, liveSources, liveWindow, sourceDurationMs } from "../live/live-options.ts";
import type { LiveSource } from "../live/live-source.ts";
import { layoutTable } from "../table.ts";

/** As for `check`: something could not be read. */
const exitUnreadable = 2;

export const command: Command = {
  summary: "freeze evidence into one file, show it, take secrets out of it",
  usage: [
    "snapshot create PATH… --out FILE",
    "snapshot create --kube-context CONTEXT --prometheus URL --tempo URL --loki URL --pprof URL [--since 15m] --out FILE",
    "snapshot show FILE [--json]",
    "snapshot redact FILE --out FILE [--json]",
  ],
  options: {
    out: { type: "string", short: "o", value: "FILE", description: "the .faultline file to write" },
    json: { type: "boolean", description: "print the result as JSON" },
    ...liveOptions,
  },
  stopsAtOnce: true,
  notes: [
    "A snapshot holds the evidence and its hashes; equal evidence gives equal bytes. Check it anywhere with",
    "`faultline check FILE`. Redacting replaces keys, tokens, e-mail addresses, card numbers, literals in SQL,",
    "password fields and Kubernetes Secrets; free text may still name people, so read it before you hand it on.",
    "",
    "What is read of live systems is redacted before it is written, unless --raw is given; an address may carry",
    "a user and a password. Files may be named beside them. What one system cannot give takes nothing from another.",
    "",
    "Exit codes: 0 written or shown, 2 something could not be read (what could be read is written).",
  ],
  async run(context) {
    const [action, ...paths] = context.positionals;
    switch (action) {
      case "create":
        return await create(context, paths);
      case "show":
        return await show(context, onlyFile(action, paths));
      case "redact":
        return await redact(context, onlyFile(action, paths));
      default:
        throw new UsageError(`'${action ?? ""}' is none of create, show, redact.`);
    }
  },
};

async function create(context: CommandContext, paths: readonly string[]): Promise<number> {
  const out = outOption(context, "create");
  const sources = liveSources(context);
  if (sources.length > 0) return await createLive(context, { out, paths, sources });
  if (paths.length === 0)
    throw new UsageError("snapshot create needs at least one file, folder or live system.");
  const { evidence, isWhole } = await readPaths(context, paths, out);
  if (evidence.length === 0) {
    context.terminal.note("Nothing was written: no file holds evidence.");
    return exitUnreadable;
  }
  await write(context, out, snapshotOf(evidence));
  return isWhole ? 0 : exitUnreadable;
}

async function readPaths(
  context: CommandContext,
  paths: readonly string[],
  out: string,
): Promise<{ readonly evidence: readonly Evidence[]; readonly isWhole: boolean }> {
  const { terminal } = context;
  // The file that is about to be written is no evidence, even when it lies in a folder that is read.
  const read = await readEvidenceAt(paths, { terminal, signal: context.signal, passOver: out });
  for (const fault of read.unreadable) noteUnreadable(context, fault);
  for (const name of read.passedOver)
    terminal.note(`Passed over, in no known form: ${printable(name)}`);
  return { evidence: read.evidence, isWhole: read.unreadable.length === 0 };
}

interface LiveCall {
  readonly out: string;
  readonly paths: readonly string[];
  readonly sources: readonly LiveSource[];
}

/** Freezes what live systems say, and files beside it, without their secrets. */
async function createLive(context: CommandContext, call: LiveCall): Promise<number> {
  const { terminal, signal, clock } = context;
  const { out, paths, sources } = call;
  const names = sources.map(({ name }) => name);
  const progress = liveProgress(names, terminal);
  const options = {
    window: liveWindow(context),
    sourceDurationMs: sourceDurationMs(context),
    clock,
    signal,
    progress,
  };
  const live = await collectLive(sources, options).finally(() => progress.end());
  for (const fault of live.unreadable) noteUnreadable(context, fault);
  const files = await readPaths(context, paths, out);
  const evidence = [...files.evidence, ...live.evidence];
  const isMissed = live.sources.some(({ missed }) => missed.length > 0);
  const isWhole = files.isWhole && !isMissed && live.unreadable.length === 0;
  if (evidence.length === 0) {
    terminal.note("Nothing was written: no system gave evidence.");
    return exitUnreadable;
  }
  const whole = snapshotOf(evidence);
  const redacted = switchOption(context, "raw") ? undefined : redactSnapshot(whole);
  await write(context, out, redacted?.snapshot ?? whole);
  if (switchOption(context, "json")) {
    const { redactedCount = 0, counts = {} } = redacted ?? {};
    const result = {
      out,
      evidenceCount: evidence.length,
      sources: live.sources,
      unreadable: live.unreadable.map(({ isUnknownForm: _form, ...file }) => file),
      isRedacted: redacted !== undefined,
      redactedCount,
      counts,
    };
    terminal.print(JSON.stringify(result, undefined, 2));
  } else if (redacted !== undefined) printRedacted(context, redacted);
  else terminal.note("Nothing was redacted (--raw): the file may hold secrets.");
  return isWhole ? 0 : exitUnreadable;
}

async function show(context: CommandContext, file: string): Promise<number> {
  const snapshot = await readSnapshot(context, file);
  if (snapshot === undefined) return exitUnreadable;
  const { terminal } = context;
  if (switchOption(context, "json")) {
    const evidence = snapshot.evidence.map((item) => ({
      id: item.id,
      kind: item.content.kind,
      size: sizeOf(item),
      source: item.source,
    }));
    terminal.print(
      JSON.stringify({ formatVersion: snapshot.formatVersion, evidence }, undefined, 2),
    );
    return 0;
  }
  const header = ["ID", "KIND", "SIZE", "FORMAT", "FROM"].map((word) =>
    terminal.style("dim", word),
  );
  const rows = snapshot.evidence.map((item) => [
    `${item.id.slice(0, 19)}…`,
    item.content.kind,
    sizeOf(item),
    printable(item.source.format),
    printable(item.source.name),
  ]);
  terminal.print(layoutTable([header, ...rows]));
  terminal.print(`${snapshot.evidence.length} pieces of evidence, every hash verified.`);
  return 0;
}

async function redact(context: CommandContext, file: string): Promise<number> {
  const out = outOption(context, "redact");
  const original = await readSnapshot(context, file);
  if (original === undefined) return exitUnreadable;
  const redacted = redactSnapshot(original);
  const { snapshot, counts, redactedCount } = redacted;
  const { terminal } = context;
  if (switchOption(context, "json")) {
    await writeFile(out, encodeSnapshotFile(snapshot));
    terminal.print(JSON.stringify({ out, redactedCount, counts }, undefined, 2));
    return 0;
  }
  await write(context, out, snapshot);
  printRedacted(context, redacted);
  return 0;
}

function printRedacted({ terminal }: CommandContext, redacted: RedactedSnapshot): void {
  const found = Object.entries(redacted.counts).filter(([, count]) => count > 0);
  if (found.length > 0)
    terminal.print(layoutTable(found.map(([kind, count]) => [kind, String(count)])));
  terminal.print(`${redacted.redactedCount} places redacted.`);
}

async function write(context: CommandContext, out: string, snapshot: Snapshot): Promise<void> {
  const bytes = encodeSnapshotFile(snapshot);
  await writeFile(out, bytes);
  const count = snapshot.evidence.length;
  context.terminal.note(
    `Wrote ${out}: ${count} ${count === 1 ? "piece" : "pieces"} of evidence, ${bytes.length} bytes. Check it with: faultline check ${out}`,
  );
}

/** Writes beside the target first, so that a reader never sees half a file. */
async function writeFile(out: string, bytes: Uint8Array): Promise<void> {
  const folder = dirname(out);
  const draft = join(folder, `.${basename(out)}.${process.pid}.part`);
  await mkdir(folder, { recursive: true });
  try {
    await using file = await open(draft, "wx", 0o600);
    await file.writeFile(bytes);
    await file.sync();
    await rename(draft, out);
  } catch (cause) {
    await unlink(draft).catch(() => undefined);
    throw new PlatformError("request_invalid", `The snapshot cannot be written to ${out}.`, {
      cause,
      hint: cause instanceof Error ? cause.message : "Choose another path with --out.",
    });
  }
}

/** The snapshot in a file, or `undefined` when there is none, after saying why. */
async function readSnapshot(context: CommandContext, path: string): Promise<Snapshot | undefined> {
  const { files, unreadable } = await readEvidenceFiles([path], context);
  const [file] = files;
  if (unreadable[0] !== undefined) noteUnreadable(context, unreadable[0]);
  else if (file === undefined || files.length > 1) {
    throw new UsageError(`${path} is a folder; one .faultline file was expected.`);
  } else {
    try {
      return decodeSnapshotFile(file.bytes);
    } catch (error) {
      if (!(error instanceof EvidenceError)) throw error;
      noteUnreadable(context, {
        name: path,
        message: error.message,
        where: error.where,
        expected: error.expected,
      });
    }
  }
  return undefined;
}

function noteUnreadable({ terminal }: CommandContext, fault: Unread): void {
  const place = fault.where === undefined ? "" : ` (${fault.where})`;
  terminal.note(
    `faultline snapshot: ${fault.name}${place}: ${fault.message} Expected: ${fault.expected}.`,
  );
}

interface Unread {
  readonly name: string;
  readonly message: string;
  readonly where?: string | undefined;
  readonly expected: string;
}

function sizeOf({ content }: Evidence): string {
  switch (content.kind) {
    case "trace":
      return plural(content.spans.length, "span");
    case "kubernetes":
      return plural(content.objects.length, "object");
    case "transcript":
      return plural(content.turns.length, "turn");
    case "trace-population":
      return `${content.traceCountKept} of ${content.traceCountSeen} traces`;
    case "metrics":
      return `${content.series.length} series`;
    case "logs":
      return plural(content.lines.length, "line");
    case "environment":
      return plural(Object.keys(content.facts).length, "fact");
    case "goroutines":
      return plural(content.goroutineCount, "goroutine");
    case "profile":
      return plural(content.samples.length, "sample");
    case "resources":
      return plural(content.held.length, "kind");
    case "changes":
      return plural(content.events.length, "change");
    case "training":
      return plural(content.steps.length, "step");
    case "operators":
      return plural(content.operators.length, "operator");
    case "outputs":
      return plural(content.outputs.length, "output");
    case "incident": {
      const { alerts, statuses, patterns } = content;
      return plural(alerts.length + statuses.length + patterns.length, "report");
    }
    case "topology":
      return plural(content.calls.length, "call");
    case "evaluation":
      return plural(content.cases.length, "case");
    case "bundle":
      return plural(1, "version");
    case "ledger": {
      const { entries, uses, invoice } = content;
      const count = (entries?.length ?? 0) + (uses?.length ?? 0) + (invoice?.length ?? 0);
      return plural(count, "line");
    }
    case "model-release":
      return plural(content.parts.length, "part");
  }
}

function outOption(context: CommandContext, action: string): string {
  const out = textOption(context, "out");
  if (out === undefined || out === "") throw new UsageError(`snapshot ${action} needs --out FILE.`);
  return out;
}

function onlyFile(action: string, paths: readonly string[]): string {
  const [path] = paths;
  if (path === undefined || paths.length > 1)
    throw new UsageError(`snapshot ${action} takes one file.`);
  return path;
}

function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, "\u{fffd}");
}
