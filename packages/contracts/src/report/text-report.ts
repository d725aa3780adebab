/** The report that a person reads in a terminal: by boundary, evidence quoted, what to do last. */

import type { Evidence, EvidenceReference } from "../model/evidence.ts";
import type { Finding } from "../model/finding.ts";
import type { UnreadableFile } from "../readers/read-evidence.ts";
import { plural } from "../text/plural.ts";
import type { CheckReport } from "./check-report.ts";
import { evidenceWords } from "./evidence-words.ts";
import { type Colour, type Paint, paintFor, printable, wrap } from "./terminal-text.ts";

export interface TextReportOptions {
  readonly colour: boolean;
  /** Columns of the terminal; a pipe has none to obey and gets 100. */
  readonly columns?: number;
  /** What was read, for a report that has no finding. */
  readonly evidence?: readonly Evidence[];
}

const columnsDefault = 100;
const columnsMin = 40;
const quotesShownMax = 3;
const passedOverShownMax = 5;
const marks: Readonly<Record<Finding["verdict"], { colour: Colour; word: string }>> = {
  violated: { colour: "red", word: "✗ violated" },
  holds: { colour: "green", word: "✓ holds" },
  inconclusive: { colour: "yellow", word: "? inconclusive" },
};
const verdictOrder: readonly Finding["verdict"][] = ["violated", "inconclusive", "holds"];

/** The report as text, without a line break at its end. */
export function textReport(report: CheckReport, options: TextReportOptions): string {
  const writer = new ReportWriter(report, options);
  return writer.write();
}

class ReportWriter {
  readonly #report: CheckReport;
  readonly #paint: Paint;
  readonly #columns: number;
  readonly #evidence: readonly Evidence[] | undefined;
  readonly #lines: string[] = [];

  constructor(report: CheckReport, options: TextReportOptions) {
    this.#report = report;
    this.#paint = paintFor(options.colour);
    this.#evidence = options.evidence;
    this.#columns = Math.max(columnsMin, options.columns ?? columnsDefault);
  }

  write(): string {
    const { findings } = this.#report;
    for (const boundary of new Set(findings.map((finding) => finding.boundary))) {
      this.#heading(boundary);
      const here = findings.filter((finding) => finding.boundary === boundary);
      for (const verdict of verdictOrder) {
        for (const finding of here) if (finding.verdict === verdict) this.#finding(finding);
      }
    }
    this.#remedies();
    this.#unreadable();
    this.#summary();
    return this.#lines.join("\n");
  }

  #heading(title: string): void {
    const rule = "─".repeat(Math.max(4, this.#columns - title.length - 1));
    this.#lines.push(`${this.#paint("bold", title)} ${this.#paint("dim", rule)}`, "");
  }

  #finding(finding: Finding): void {
    const { colour, word } = marks[finding.verdict];
    this.#lines.push(
      `${this.#paint(colour, this.#paint("bold", word))}  ${this.#paint("bold", printable(finding.subject.name))}  ${this.#paint("dim", `${finding.subject.kind} · ${finding.contract}`)}`,
    );
    this.#paragraph("  ", printable(finding.title));
    if (finding.verdict !== "holds") {
      this.#field("expected", finding.expected);
      this.#field("actual", finding.actual);
    }
    for (const missing of finding.missing) this.#field("missing", missing);
    this.#quotes(finding.evidence);
    this.#lines.push("");
  }

  #quotes(references: readonly EvidenceReference[]): void {
    for (const [index, reference] of references.slice(0, quotesShownMax).entries()) {
      const at = reference.locator === undefined ? "" : ` ${printable(reference.locator)}`;
      const quote = reference.quote === undefined ? "" : `  ${printable(reference.quote)}`;
      this.#field(
        index === 0 ? "evidence" : "",
        `${reference.evidenceId.slice(0, 19)}…${at}${quote}`,
      );
    }
    const hidden = references.length - quotesShownMax;
    if (hidden > 0) this.#field("", `and ${hidden} more (--format json shows all)`);
  }

  #remedies(): void {
    const remedies = this.#report.findings.filter(
      (finding) => finding.fixes.length > 0 || finding.nextChecks.length > 0,
    );
    if (remedies.length === 0) return;
    this.#heading("what to do");
    for (const finding of remedies) {
      this.#lines.push(this.#paint("bold", printable(finding.subject.name)));
      for (const fix of finding.fixes) {
        const verified = fix.verified ? " (verified by checking again with it)" : "";
        this.#field("fix", `${fix.description}${verified}`);
      }
      for (const check of finding.nextChecks) this.#field("next check", check);
      this.#lines.push("");
    }
  }

  #unreadable(): void {
    const { unreadable } = this.#report;
    if (unreadable.length === 0) return;
    this.#heading("could not be read");
    // Files with one and the same fault are listed together, so that the expectation is read once.
    const groups = new Map<string, UnreadableFile[]>();
    for (const file of unreadable) {
      const key = `${file.message}\n${file.expected}`;
      groups.set(key, [...(groups.get(key) ?? []), file]);
    }
    for (const files of groups.values()) {
      for (const { name, where } of files) {
        const place = where === undefined ? "" : this.#paint("dim", `  ${printable(where)}`);
        this.#lines.push(`${this.#paint("yellow", printable(name))}${place}`);
      }
      this.#field("fault", files[0]?.message ?? "");
      this.#field("expected", files[0]?.expected ?? "");
      this.#lines.push("");
    }
  }

  #summary(): void {
    const { summary, evidenceCount, contracts } = this.#report;
    const parts = [
      this.#paint(summary.violated > 0 ? "red" : "dim", `${summary.violated} violated`),
      this.#paint(summary.holds > 0 ? "green" : "dim", `${summary.holds} hold`),
      this.#paint(
        summary.inconclusive > 0 ? "yellow" : "dim",
        `${summary.inconclusive} inconclusive`,
      ),
      this.#paint(summary.unreadable > 0 ? "yellow" : "dim", `${summary.unreadable} unreadable`),
    ];
    this.#passedOver();
    this.#silence();
    this.#baseline();
    this.#lines.push(
      `${parts.join(" · ")}  ${this.#paint("dim", `(${plural(contracts.length, "contract")} on ${plural(evidenceCount, "piece")} of evidence)`)}`,
    );
  }

  #passedOver(): void {
    const names = this.#report.passedOver ?? [];
    if (names.length === 0) return;
    const hidden = names.length - passedOverShownMax;
    const shown = names.slice(0, passedOverShownMax).map(printable).join(", ");
    this.#paragraph(
      "",
      `${plural(names.length, "file")} in no known form passed over: ${shown}${hidden > 0 ? ` and ${hidden} more` : ""}`,
    );
    this.#lines.push("");
  }

  #baseline(): void {
    const { baseline } = this.#report;
    if (baseline === undefined) return;
    for (const { subject, contract } of baseline.fixed) {
      this.#lines.push(
        `${this.#paint("green", "✓ fixed")}  ${printable(subject.name)}  ${this.#paint("dim", contract)}`,
      );
    }
    this.#lines.push(
      `${plural(baseline.knownCount, "violation")} known from the baseline, ${baseline.fixed.length} fixed since.`,
      "",
    );
  }

  /** Without a finding nothing is known to hold, and the report must not look as if it did. */
  #silence(): void {
    const { findings, evidenceCount, unreadable } = this.#report;
    if (findings.length > 0 || (evidenceCount === 0 && unreadable.length > 0)) return;
    const read =
      this.#evidence === undefined
        ? `${plural(evidenceCount, "piece")} of evidence`
        : evidenceWords(this.#evidence);
    const text =
      evidenceCount === 0
        ? "Nothing was read: no contract had anything to judge."
        : `${read}: no contract had anything to judge.`;
    this.#lines.push(`${this.#paint("yellow", text)} That does not show that they hold.`, "");
  }

  #field(label: string, value: string): void {
    const indent = " ".repeat(13);
    const lines = wrap(printable(value), this.#columns - indent.length);
    for (const [index, line] of lines.entries()) {
      const lead = index === 0 ? `  ${this.#paint("dim", label.padEnd(10))} ` : indent;
      this.#lines.push(`${lead}${line}`);
    }
  }

  #paragraph(indent: string, text: string): void {
    for (const line of wrap(text, this.#columns - indent.length))
      this.#lines.push(`${indent}${line}`);
  }
}
