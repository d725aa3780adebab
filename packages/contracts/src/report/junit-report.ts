/** The report as JUnit XML, for build servers: a suite for each contract, a case for each subject. */

import type { Finding } from "../model/finding.ts";
import type { UnreadableFile } from "../readers/read-evidence.ts";
import type { CheckReport } from "./check-report.ts";

/** The report as a document that ends with a line break. */
export function junitReport(report: CheckReport): string {
  const { summary } = report;
  const total = summary.violated + summary.holds + summary.inconclusive + summary.unreadable;
  const suites = report.contracts.flatMap((contract) => {
    const findings = report.findings.filter((finding) => finding.contract === contract.id);
    return findings.length === 0 ? [] : suiteOf(contract.id, findings);
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="faultline check" tests="${total}" failures="${summary.violated}" errors="${summary.unreadable}" skipped="${summary.inconclusive}">`,
    ...suites,
    ...unreadSuite(report.unreadable),
    "</testsuites>",
    "",
  ].join("\n");
}

function suiteOf(contract: string, findings: readonly Finding[]): string[] {
  const count = (verdict: Finding["verdict"]): number =>
    findings.filter((finding) => finding.verdict === verdict).length;
  return [
    `  <testsuite name="${inAttribute(contract)}" tests="${findings.length}" failures="${count("violated")}" errors="0" skipped="${count("inconclusive")}">`,
    ...findings.flatMap(caseOf),
    "  </testsuite>",
  ];
}

function caseOf(finding: Finding): string[] {
  const open = `    <testcase classname="${inAttribute(finding.contract)}" name="${inAttribute(`${finding.subject.kind} ${finding.subject.name}`)}">`;
  switch (finding.verdict) {
    case "holds":
      return [`${open}</testcase>`];
    case "violated":
      return [
        open,
        `      <failure message="${inAttribute(finding.title)}" type="violated">${escape(wordsOf(finding))}</failure>`,
        "    </testcase>",
      ];
    case "inconclusive":
      return [
        open,
        `      <skipped message="${inAttribute([finding.title, ...finding.missing.map((missing) => `missing: ${missing}`)].join(" "))}"/>`,
        "    </testcase>",
      ];
  }
}

function unreadSuite(unreadable: readonly UnreadableFile[]): string[] {
  if (unreadable.length === 0) return [];
  return [
    `  <testsuite name="evidence" tests="${unreadable.length}" failures="0" errors="${unreadable.length}" skipped="0">`,
    ...unreadable.flatMap(({ name, message, expected, where }) => [
      `    <testcase classname="evidence" name="${inAttribute(name)}">`,
      `      <error message="${inAttribute(message)}" type="evidence_unreadable">${escape(`${where ?? ""}\nexpected: ${expected}`)}</error>`,
      "    </testcase>",
    ]),
    "  </testsuite>",
  ];
}

function wordsOf({ expected, actual, evidence, fixes, nextChecks }: Finding): string {
  return [
    `expected: ${expected}`,
    `actual: ${actual}`,
    ...evidence
      .slice(0, 20)
      .map(({ locator, quote }) => `evidence: ${locator ?? ""} ${quote ?? ""}`),
    ...fixes.map((fix) => `fix: ${fix.description}`),
    ...nextChecks.map((check) => `next check: ${check}`),
  ].join("\n");
}

/** Text for XML: what XML cannot carry at all becomes a mark. */
function escape(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, "\u{fffd}")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** Text for an attribute, in which a reader of XML would make spaces of line breaks. */
function inAttribute(text: string): string {
  return escape(text).replaceAll("\t", "&#9;").replaceAll("\n", "&#10;").replaceAll("\r", "&#13;");
}
