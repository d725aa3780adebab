/** Prints the report of a check in the form that was asked for. */

import {
  type CheckReport,
  type Evidence,
  junitReport,
  markdownReport,
  printable,
  sarifReport,
  textReport,
} from "@faultline/contracts";

import type { Terminal } from "../terminal.ts";
import { version } from "../version.ts";

/** The forms of a report. */
export const reportFormats = ["text", "json", "sarif", "junit", "markdown"] as const;
export type ReportFormat = (typeof reportFormats)[number];

/** Prints a report. Who reads a form for programs still sees on standard error what could not be read. */
export function printReport(
  report: CheckReport,
  { format, evidence }: { readonly format: ReportFormat; readonly evidence: readonly Evidence[] },
  terminal: Terminal,
): void {
  switch (format) {
    case "text": {
      const { colour, columns } = terminal;
      terminal.print(textReport(report, { colour, columns, evidence }));
      return;
    }
    case "json":
      writeJson(report, terminal);
      break;
    case "sarif":
      terminal.print(JSON.stringify(sarifReport(report, { toolVersion: version() }), undefined, 2));
      break;
    case "junit":
      terminal.write(junitReport(report));
      break;
    case "markdown":
      terminal.write(markdownReport(report));
      break;
  }
  for (const { name, message, where, expected } of report.unreadable) {
    const place = where === undefined ? "" : ` (${where})`;
    terminal.note(printable(`faultline check: ${name}${place}: ${message} Expected: ${expected}.`));
  }
}

/**
 * Findings that are written at once. All of them as one text would take more memory than checking did, and so would texts that
 * are large enough for the engine to keep them apart: those are given up only when all memory is looked through.
 */
const findingsAtOnce = 16;
const emptyFindings = '\n  "findings": []';

/** The report as JSON with an indentation of two. No other field stands at the depth of the findings by their name. */
function writeJson(report: CheckReport, terminal: Terminal): void {
  const [before = "", after = ""] = JSON.stringify({ ...report, findings: [] }, undefined, 2).split(
    emptyFindings,
  );
  const { findings } = report;
  if (findings.length === 0) {
    terminal.print(before + emptyFindings + after);
    return;
  }
  terminal.write(`${before}${emptyFindings.slice(0, -1)}`);
  for (let from = 0; from < findings.length; from += findingsAtOnce) {
    const texts = findings
      .slice(from, from + findingsAtOnce)
      .map((finding) => `\n${JSON.stringify(finding, undefined, 2)}`.replaceAll("\n", "\n    "));
    terminal.write(`${from === 0 ? "" : ","}${texts.join(",")}`);
  }
  terminal.print(`\n  ]${after}`);
}
