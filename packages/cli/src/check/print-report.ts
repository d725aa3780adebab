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
      terminal.print(JSON.stringify(report, undefined, 2));
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
