/** Holds a report against an earlier one, so that only what is new breaks a build. */

import { Value } from "typebox/value";

import type { Finding } from "../model/finding.ts";
import { EvidenceError } from "../readers/evidence-error.ts";
import { parseJson } from "../readers/text.ts";
import { CheckReport, exitCodeOf, type FailOn, summaryOf } from "./check-report.ts";
import { fingerprintOf } from "./fingerprint.ts";

/** The report of an earlier run, from its JSON. Throws an `EvidenceError` that says what it is not. */
export function readBaseline(text: string): CheckReport {
  const value = parseJson(text);
  if (Value.Check(CheckReport, value)) return value;
  const fault = Value.Errors(CheckReport, value)[0];
  throw new EvidenceError("This is no report of an earlier check.", {
    expected: "what `faultline check --format json` printed",
    where: fault === undefined ? undefined : `${fault.instancePath || "/"}: ${fault.message}`,
  });
}

/**
 * The report without the violations that the baseline has too. What was violated then and is not any more counts as
 * fixed only where its contract holds now: silence is no repair.
 */
export function compareWithBaseline(
  report: CheckReport,
  baseline: CheckReport,
  failOn: FailOn,
): CheckReport {
  const before = violatedBy(baseline.findings);
  const now = violatedBy(report.findings);
  const findings = report.findings.filter(
    (finding) => finding.verdict !== "violated" || !before.has(fingerprintOf(finding)),
  );
  const holding = new Set(
    report.findings.filter(({ verdict }) => verdict === "holds").map(subjectKeyOf),
  );
  const fixed = [...before.values()].filter(
    (finding) => !now.has(fingerprintOf(finding)) && holding.has(subjectKeyOf(finding)),
  );
  const summary = summaryOf(findings, report.unreadable.length);
  const knownCount = report.findings.length - findings.length;
  return {
    ...report,
    findings,
    summary,
    // Something known to be violated is no health, and no new fault either.
    exitCode:
      knownCount > 0 && summary.violated === 0 && summary.unreadable === 0
        ? exitCodeOf({ ...summary, holds: summary.holds + knownCount }, failOn)
        : exitCodeOf(summary, failOn),
    baseline: {
      knownCount,
      fixed: fixed.map(({ contract, subject, title }) => ({ contract, subject, title })),
    },
  };
}

function violatedBy(findings: readonly Finding[]): Map<string, Finding> {
  return new Map(
    findings
      .filter(({ verdict }) => verdict === "violated")
      .map((finding) => [fingerprintOf(finding), finding]),
  );
}

function subjectKeyOf({ contract, subject }: Finding): string {
  return `${contract}:${subject.kind}:${subject.name}`;
}
