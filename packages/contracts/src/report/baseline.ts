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
  if (Value.Check(CheckReport, value)) {
    // What it left out as known would come back as new.
    if ((value.baseline?.knownCount ?? 0) === 0) return value;
    throw new EvidenceError(
      "This report was itself held against a baseline, and leaves out what was known.",
      {
        expected: "a report that was printed without --baseline",
        where: "/baseline/knownCount",
      },
    );
  }
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
  const fresh = freshOf(report.findings, before);
  const findings = report.findings.filter(
    (finding) => finding.verdict !== "violated" || fresh.has(finding),
  );
  const holding = new Set(
    report.findings.filter(({ verdict }) => verdict === "holds").map(subjectKeyOf),
  );
  const fixed = [...before.values()]
    .flat()
    .filter((finding) => !now.has(fingerprintOf(finding)) && holding.has(subjectKeyOf(finding)));
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

/** The violations that the baseline does not have: of equal fingerprints, as many as there were are known. */
function freshOf(
  findings: readonly Finding[],
  before: ReadonlyMap<string, readonly Finding[]>,
): ReadonlySet<Finding> {
  const fresh = new Set<Finding>();
  for (const [fingerprint, alike] of violatedBy(findings)) {
    const known = before.get(fingerprint) ?? [];
    if (known.length >= alike.length) continue;
    // Those whose words are the same to the number are known before others are.
    const titles = new Set(known.map(({ title }) => title));
    const ordered = [
      ...alike.filter(({ title }) => titles.has(title)),
      ...alike.filter(({ title }) => !titles.has(title)),
    ];
    for (const finding of ordered.slice(known.length)) fresh.add(finding);
  }
  return fresh;
}

/** The violations among findings by their fingerprint. */
function violatedBy(findings: readonly Finding[]): Map<string, Finding[]> {
  const violated = findings.filter(({ verdict }) => verdict === "violated");
  return Map.groupBy(violated, fingerprintOf);
}

function subjectKeyOf({ contract, subject }: Finding): string {
  return `${contract}:${subject.kind}:${subject.name}`;
}
