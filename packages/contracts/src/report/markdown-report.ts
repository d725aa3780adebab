/** The report as Markdown, for pull requests and incident notes. */

import type { Finding } from "../model/finding.ts";
import { shorten } from "../text/cut-text.ts";
import { plural } from "../text/plural.ts";
import type { CheckReport } from "./check-report.ts";
import { printable } from "./terminal-text.ts";

/** Places, fixes, next checks and missing things of one finding that are listed, of each. */
const linesShownMax = 5;
/** Length of one text of a finding, so that the whole document stays below what hosts of code take. */
const textLengthMax = 1_000;
/** Findings of one verdict that are told in full; a comment on a pull request has a bound. */
const findingsShownMax = 50;

/** The report as a document that ends with a line break. */
export function markdownReport(report: CheckReport): string {
  const { summary, findings, unreadable, baseline } = report;
  const of = (verdict: Finding["verdict"]): Finding[] =>
    findings.filter((finding) => finding.verdict === verdict);
  const lines = [
    `# Faultline check: ${headline(report)}`,
    "",
    "| violated | holds | inconclusive | unreadable |",
    "| ---: | ---: | ---: | ---: |",
    `| ${summary.violated} | ${summary.holds} | ${summary.inconclusive} | ${summary.unreadable} |`,
    "",
    ...(baseline === undefined
      ? []
      : [
          `${plural(baseline.knownCount, "violation")} known from the baseline, ${baseline.fixed.length} fixed since.`,
          "",
        ]),
    ...section("Violated", of("violated"), violatedLines),
    ...section("Inconclusive", of("inconclusive"), inconclusiveLines),
    ...section("Holds", of("holds"), (finding) => [`- ${nameOf(finding)}: ${text(finding.title)}`]),
  ];
  if (unreadable.length > 0) {
    lines.push("## Could not be read", "");
    for (const { name, message, where, expected } of unreadable.slice(0, findingsShownMax)) {
      const place = where === undefined ? "" : ` (${text(where)})`;
      lines.push(`- ${code(name)}${place}: ${text(message)} Expected: ${text(expected)}.`);
    }
    const hidden = unreadable.length - findingsShownMax;
    lines.push(...(hidden > 0 ? ["", `And ${hidden} more.`] : []), "");
  }
  const passedOver = report.passedOver ?? [];
  if (passedOver.length > 0) {
    lines.push(`${plural(passedOver.length, "file")} in no known form passed over.`, "");
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

function headline({ summary, exitCode }: CheckReport): string {
  if (summary.violated > 0) return plural(summary.violated, "contract violation");
  if (summary.unreadable > 0) return "not everything could be read";
  return exitCode === 0 ? "what was judged holds" : "nothing firm";
}

function section(
  title: string,
  findings: readonly Finding[],
  linesOf: (finding: Finding) => readonly string[],
): string[] {
  if (findings.length === 0) return [];
  const hidden = findings.length - findingsShownMax;
  return [
    `## ${title}`,
    "",
    ...findings.slice(0, findingsShownMax).flatMap(linesOf),
    ...(hidden > 0 ? ["", `And ${hidden} more.`] : []),
    "",
  ];
}

function violatedLines(finding: Finding): string[] {
  const quotes = finding.evidence
    .slice(0, linesShownMax)
    .map(({ evidenceId, locator, quote }) =>
      [code(locator ?? evidenceId), ...(quote === undefined ? [] : [text(quote)])].join(" "),
    );
  const hidden = finding.evidence.length - linesShownMax;
  return [
    `### ${nameOf(finding)}`,
    "",
    text(finding.title),
    "",
    `- **Contract:** ${code(finding.contract)}, boundary ${code(finding.boundary)}`,
    `- **Expected:** ${text(finding.expected)}`,
    `- **Actual:** ${text(finding.actual)}`,
    ...quotes.map((quote) => `- **Evidence:** ${quote}`),
    ...(hidden > 0 ? [`- and ${hidden} more`] : []),
    ...finding.fixes
      .slice(0, linesShownMax)
      .map((fix) => `- **Fix${fix.verified ? " (verified)" : ""}:** ${text(fix.description)}`),
    ...finding.nextChecks
      .slice(0, linesShownMax)
      .map((check) => `- **Next check:** ${text(check)}`),
    "",
  ];
}

function inconclusiveLines(finding: Finding): string[] {
  return [
    `- ${nameOf(finding)}: ${text(finding.title)} (${code(finding.contract)})`,
    ...finding.missing.slice(0, linesShownMax).map((missing) => `  - missing: ${text(missing)}`),
  ];
}

function nameOf({ subject }: Finding): string {
  return `${text(subject.kind)} ${code(subject.name)}`;
}

/**
 * Text of the evidence as text of the document: nothing in it is markup, a link or a mention. Hosts of code look for
 * mentions, issues and addresses after markup was resolved, so a mark without width breaks these.
 */
function text(value: string): string {
  return printable(shorten(value, textLengthMax))
    .replaceAll(/[\\`*_{}[\]<>|~!&$]/g, "\\$&")
    .replaceAll("#", "\\#\u{200b}")
    .replaceAll("@", "@\u{200b}")
    .replaceAll(/:(?=\/\/)|\bwww(?=\.)|\bmailto(?=:)|\bGH(?=-\d)/gi, "$&\u{200b}")
    .replace(/^[-+=]/, "\\$&")
    .replace(/^(\d+)([.)])/, "$1\\$2");
}

function code(value: string): string {
  const plain = printable(shorten(value, textLengthMax));
  if (plain === "") return "(no name)";
  const fence = "`".repeat(
    1 + Math.max(0, ...[...plain.matchAll(/`+/g)].map(([run]) => run.length)),
  );
  return fence.length === 1 ? `\`${plain}\`` : `${fence} ${plain} ${fence}`;
}
