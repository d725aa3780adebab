/** `faultline check`: runs the contracts on files and says what they show. */

import { readFile } from "node:fs/promises";
import {
  checkReport,
  type CheckReport,
  checkSnapshot,
  compareWithBaseline,
  type Contract,
  EvidenceError,
  type FailOn,
  failOnChoices,
  readBaseline,
  snapshotOf,
} from "@faultline/contracts";

import { chooseContracts } from "../check/choose-contracts.ts";
import { printReport, type ReportFormat, reportFormats } from "../check/print-report.ts";
import { FileWatch } from "../check/watch-files.ts";
import { type Command, type CommandContext, UsageError } from "../command.ts";
import { switchOption, textListOption, textOption } from "../connection.ts";
import { readEvidenceAt } from "../evidence-files.ts";

export const command: Command = {
  summary: "run the contracts on files: traces, Kubernetes objects, transcripts, logs, snapshots",
  usage: [
    "check PATH… [--format FORMAT] [--contract ID] [--contracts FILE] [--set ID.OPTION=VALUE]",
    "check PATH… [--baseline FILE] [--fail-on VERDICT] [--watch]",
    "check - < FILE",
  ],
  options: {
    format: {
      type: "string",
      value: "FORMAT",
      description:
        "text, json (docs/reference/check-report.schema.json), sarif, junit or markdown (default: text)",
    },
    contract: {
      type: "string",
      multiple: true,
      value: "ID",
      description: "run only this contract; may be given several times",
    },
    contracts: {
      type: "string",
      multiple: true,
      value: "FILE",
      description: "run the contracts of this YAML file too (docs/contracts/own-contracts.md)",
    },
    set: {
      type: "string",
      multiple: true,
      value: "ID.OPTION=VALUE",
      description: "set an option of a contract; 'faultline contract explain ID' lists them",
    },
    baseline: {
      type: "string",
      value: "FILE",
      description: "an earlier JSON report: what it has as violated does not fail the check again",
    },
    "fail-on": {
      type: "string",
      value: "VERDICT",
      description:
        "violated, inconclusive (violated too) or never (always exit 0) (default: violated)",
    },
    watch: { type: "boolean", description: "check again whenever a file changes" },
  },
  stopsAtOnce: true,
  notes: [
    "A PATH is a file, a folder (hidden names and node_modules are passed over) or - for standard input.",
    "In folders, files in no known form are passed over and named; one that is named itself counts as unreadable.",
    "Formats are recognised by content; docs/formats/evidence.md lists them. Each is read as gzip too.",
    "",
    "Exit codes: 0 holds, 1 violated, 2 something could not be read, 3 inconclusive only, or nothing to judge;",
    "1 over 2 over 3. Nothing to judge means: what was read does not concern any of the contracts.",
    "",
    "'faultline contract list' shows the contracts, 'faultline contract explain ID' what one of them does.",
  ],
  async run(context) {
    const check = await prepare(context);
    return switchOption(context, "watch")
      ? await runOnChanges(check, context)
      : await runOnce(check, context);
  },
};

/** Checks now and after every change, until it is interrupted. */
async function runOnChanges(check: PreparedCheck, context: CommandContext): Promise<number> {
  const { clock, signal, terminal } = context;
  // Opened first, so that what changes during the first check is seen.
  using watch = await watchFiles(context);
  let exitCode = await runOnce(check, context);
  terminal.note("Watching for changes; Ctrl-C ends it.");
  for await (const _change of watch.changes(signal)) {
    terminal.note(terminal.style("dim", `─── ${new Date(clock.nowMs()).toISOString()} ───`));
    exitCode = (await runAgain(context)) ?? exitCode;
  }
  return exitCode;
}

/** Checks with the contracts and the baseline as they are now; what is wrong with these is told, and ends nothing. */
async function runAgain(context: CommandContext): Promise<number | undefined> {
  try {
    return await runOnce(await prepare(context), context);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    context.terminal.note(error.message);
    return undefined;
  }
}

/** Watches what is checked, and what it is checked with. */
async function watchFiles(context: CommandContext): Promise<FileWatch> {
  const baseline = textOption(context, "baseline");
  const paths = [
    ...context.positionals,
    ...textListOption(context, "contracts"),
    ...(baseline === undefined ? [] : [baseline]),
  ];
  try {
    return await FileWatch.open(paths, context);
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new UsageError(`--watch cannot watch all of these paths: ${cause.message}`);
  }
}

/** What the words of a call ask for, checked before anything is read. */
interface PreparedCheck {
  readonly contracts: readonly Contract[];
  readonly format: ReportFormat;
  readonly failOn: FailOn;
  readonly baseline: CheckReport | undefined;
}

async function prepare(context: CommandContext): Promise<PreparedCheck> {
  const format = oneOf(context, "format", reportFormats) ?? "text";
  const failOn = oneOf(context, "fail-on", failOnChoices) ?? "violated";
  const contracts = await chooseContracts(context);
  if (context.positionals.length === 0) {
    throw new UsageError("check needs a file, a folder, or - for standard input.");
  }
  if (switchOption(context, "watch") && context.positionals.includes("-")) {
    throw new UsageError("--watch needs files or folders; standard input does not change.");
  }
  const baseline = textOption(context, "baseline");
  return {
    contracts,
    format,
    failOn,
    baseline: baseline === undefined ? undefined : await baselineAt(baseline),
  };
}

async function runOnce(check: PreparedCheck, context: CommandContext): Promise<number> {
  const { contracts, format, failOn, baseline } = check;
  const { terminal, positionals, signal } = context;
  const read = await readEvidenceAt(positionals, { terminal, signal });
  const snapshot = snapshotOf(read.evidence);
  const whole = checkReport(
    {
      snapshot,
      contracts,
      findings: checkSnapshot(snapshot, contracts),
      unreadable: read.unreadable,
      passedOver: read.passedOver,
    },
    failOn,
  );
  const report = baseline === undefined ? whole : compareWithBaseline(whole, baseline, failOn);
  printReport(report, { format, evidence: snapshot.evidence }, terminal);
  return report.exitCode;
}

async function baselineAt(path: string): Promise<CheckReport> {
  try {
    return readBaseline(await readFile(path, "utf8"));
  } catch (cause) {
    if (cause instanceof EvidenceError) {
      const where = cause.where === undefined ? "" : ` (${cause.where})`;
      throw new UsageError(
        `The baseline ${path} cannot be used${where}: ${cause.message} Expected: ${cause.expected}.`,
      );
    }
    if (!(cause instanceof Error)) throw cause;
    throw new UsageError(`The baseline ${path} cannot be read: ${cause.message}`);
  }
}

function oneOf<Choice extends string>(
  context: CommandContext,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const text = textOption(context, name);
  if (text === undefined) return undefined;
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined) {
    throw new UsageError(`--${name} takes one of ${choices.join(", ")}; '${text}' is none.`);
  }
  return choice;
}
