/** `faultline check`: runs the contracts on files and says what they show. */

import {
  checkReport,
  type CheckReport,
  checkSnapshot,
  type Contract,
  contracts as shippedContracts,
  controls,
  type Evidence,
  nearestName,
  readEvidence,
  sarifReport,
  snapshotOf,
  textReport,
} from "@faultline/contracts";

import { type Command, type CommandContext, UsageError } from "../command.ts";
import { textOption } from "../connection.ts";
import { readEvidenceFiles } from "../evidence-files.ts";
import { version } from "../version.ts";

const formats = ["text", "json", "sarif"] as const;
type Format = (typeof formats)[number];

export const command: Command = {
  summary: "run the contracts on files: traces, Kubernetes objects, transcripts, snapshots",
  usage: ["check PATH… [--format text|json|sarif] [--contract ID]", "check - < FILE"],
  options: {
    format: {
      type: "string",
      value: "FORMAT",
      description: "text, json (docs/reference/check-report.schema.json) or sarif (default: text)",
    },
    contract: {
      type: "string",
      multiple: true,
      value: "ID",
      description: "run only this contract; may be given several times",
    },
  },
  stopsAtOnce: true,
  notes: [
    "A PATH is a file, a folder (hidden names and node_modules are passed over) or - for standard input.",
    "Formats are recognised by content: OTLP traces (JSON, protobuf), kubectl output (JSON, YAML, describe,",
    "tables, events), tool-call transcripts, .faultline snapshots; each also as gzip.",
    "",
    "Exit codes: 0 holds, 1 violated, 2 something could not be read, 3 inconclusive only, or nothing to judge;",
    "1 over 2 over 3. Nothing to judge means: what was read does not concern any of the contracts.",
    "",
    "Contracts:",
    ...shippedContracts.map((contract) => `  ${contract.id.padEnd(26)} ${contract.promise}`),
    "Only when asked for:",
    ...controls.map((contract) => `  ${contract.id.padEnd(26)} ${contract.promise}`),
  ],
  async run(context) {
    const { terminal, positionals, signal } = context;
    const format = readFormat(textOption(context, "format") ?? "text");
    const contracts = chooseContracts(context);
    if (positionals.length === 0) {
      throw new UsageError("check needs a file, a folder, or - for standard input.");
    }
    const found = await readEvidenceFiles(positionals, terminal, signal);
    const read = readEvidence(found.files);
    const snapshot = snapshotOf(read.evidence);
    const report = checkReport({
      snapshot,
      contracts,
      findings: checkSnapshot(snapshot, contracts),
      unreadable: [...found.unreadable, ...read.unreadable],
    });
    print(report, { format, evidence: snapshot.evidence }, context);
    return report.exitCode;
  },
};

function print(
  report: CheckReport,
  { format, evidence }: { readonly format: Format; readonly evidence: readonly Evidence[] },
  { terminal }: CommandContext,
): void {
  switch (format) {
    case "text": {
      const { colour, columns } = terminal;
      terminal.print(textReport(report, { colour, columns, evidence }));
      return;
    }
    case "json":
      terminal.print(JSON.stringify(report, undefined, 2));
      break;
    case "sarif":
      terminal.print(JSON.stringify(sarifReport(report, { toolVersion: version() }), undefined, 2));
      break;
  }
  // Who reads standard output is a program; a person still has to see what was not read.
  for (const { name, message, where, expected } of report.unreadable) {
    const place = where === undefined ? "" : ` (${where})`;
    terminal.note(`faultline check: ${name}${place}: ${message} Expected: ${expected}.`);
  }
}

function readFormat(text: string): Format {
  const format = formats.find((name) => name === text);
  if (format === undefined) {
    throw new UsageError(`--format takes one of ${formats.join(", ")}; '${text}' is none.`);
  }
  return format;
}

function chooseContracts(context: CommandContext): readonly Contract[] {
  const wanted = context.options.contract;
  if (!Array.isArray(wanted)) return shippedContracts;
  const known = [...shippedContracts, ...controls];
  const ids = known.map((contract) => contract.id);
  for (const id of wanted) {
    if (ids.includes(id)) continue;
    const near = nearestName(id, ids);
    throw new UsageError(
      `There is no contract '${id}'. ${near === undefined ? `There are ${ids.join(", ")}.` : `Did you mean ${near}?`}`,
    );
  }
  return known.filter((contract) => wanted.includes(contract.id));
}
