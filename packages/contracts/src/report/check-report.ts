/** The report of one check as data: what was read, what was run, what was found, what could not be read. */

import { type Static, Type } from "typebox";

import type { Contract } from "../model/contract.ts";
import { EvidenceId, EvidenceSource } from "../model/evidence.ts";
import { Boundary, Finding, Subject } from "../model/finding.ts";
import type { Snapshot } from "../model/snapshot.ts";
import type { UnreadableFile } from "../readers/read-evidence.ts";
import { idIfKnown } from "../snapshot/later-id.ts";

const Unreadable = Type.Object(
  {
    name: Type.String(),
    message: Type.String(),
    where: Type.Optional(Type.String()),
    expected: Type.String(),
    code: Type.Union([Type.Literal("evidence_unreadable"), Type.Literal("snapshot_corrupt")]),
  },
  { additionalProperties: false },
);

export const CheckReport = Type.Object(
  {
    format: Type.Literal("faultline-check"),
    formatVersion: Type.Literal(1),
    /** 0 holds, 1 violated, 2 something could not be read, 3 inconclusive only, or nothing to judge; 1 over 2 over 3. */
    exitCode: Type.Integer({ minimum: 0, maximum: 3 }),
    summary: Type.Object(
      {
        violated: Type.Integer({ minimum: 0 }),
        holds: Type.Integer({ minimum: 0 }),
        inconclusive: Type.Integer({ minimum: 0 }),
        unreadable: Type.Integer({ minimum: 0 }),
      },
      { additionalProperties: false },
    ),
    /** The contracts that were asked, in the order in which they ran. */
    contracts: Type.Array(
      Type.Object(
        {
          id: Type.String(),
          version: Type.Integer({ minimum: 1 }),
          boundary: Type.Unsafe<Boundary>(Boundary),
          promise: Type.String(),
        },
        { additionalProperties: false },
      ),
    ),
    /** How many pieces of evidence were read. */
    evidenceCount: Type.Integer({ minimum: 0 }),
    /** The pieces to which findings refer. */
    evidence: Type.Array(
      Type.Object(
        { id: EvidenceId, kind: Type.String(), source: EvidenceSource },
        { additionalProperties: false },
      ),
    ),
    findings: Type.Array(Finding),
    unreadable: Type.Array(Unreadable),
    /** Files that were found in folders and are in no known form; they do not count as unreadable. */
    passedOver: Type.Optional(Type.Array(Type.String())),
    /** Present when an earlier report was given: violations of both are counted here and left out above. */
    baseline: Type.Optional(
      Type.Object(
        {
          knownCount: Type.Integer({ minimum: 0 }),
          /** Violated then, and its contract holds about the same subject now. */
          fixed: Type.Array(
            Type.Object(
              { contract: Type.String(), subject: Subject, title: Type.String() },
              { additionalProperties: false },
            ),
          ),
        },
        { additionalProperties: false },
      ),
    ),
  },
  {
    additionalProperties: false,
    title: "Report of faultline check",
    description: "What `faultline check --format json` prints.",
  },
);
export type CheckReport = Static<typeof CheckReport>;

/** What one check read, ran and found. */
export interface CheckOutcome {
  readonly snapshot: Snapshot;
  readonly contracts: readonly Contract[];
  readonly findings: readonly Finding[];
  readonly unreadable: readonly UnreadableFile[];
  /** Names of files that were found in folders and are in no known form. */
  readonly passedOver?: readonly string[];
}

/** From which verdict on a check fails: `inconclusive` is stricter than usual, `never` reports alone. */
export const failOnChoices = ["violated", "inconclusive", "never"] as const;
export type FailOn = (typeof failOnChoices)[number];

/** The report of a check. */
export function checkReport(outcome: CheckOutcome, failOn: FailOn = "violated"): CheckReport {
  const summary = summaryOf(outcome.findings, outcome.unreadable.length);
  return {
    format: "faultline-check",
    formatVersion: 1,
    exitCode: exitCodeOf(summary, failOn),
    summary,
    contracts: outcome.contracts.map(({ id, version, boundary, promise }) => ({
      id,
      version,
      boundary,
      promise,
    })),
    evidenceCount: outcome.snapshot.evidence.length,
    evidence: quotedEvidence(outcome),
    findings: [...outcome.findings],
    unreadable: outcome.unreadable.map(({ isUnknownForm: _form, ...file }) => file),
    ...(outcome.passedOver === undefined || outcome.passedOver.length === 0
      ? {}
      : { passedOver: [...outcome.passedOver] }),
  };
}

function quotedEvidence({ snapshot, findings }: CheckOutcome): CheckReport["evidence"] {
  const quoted = new Set(
    findings.flatMap((finding) => finding.evidence.map((reference) => reference.evidenceId)),
  );
  return snapshot.evidence.flatMap((item) => {
    const id = idIfKnown(item);
    if (id === undefined || !quoted.has(id)) return [];
    return [{ id, kind: item.content.kind, source: item.source }];
  });
}

/** How many findings there are of each verdict. */
export function summaryOf(
  findings: readonly Finding[],
  unreadableCount: number,
): CheckReport["summary"] {
  const count = (verdict: Finding["verdict"]): number =>
    findings.filter((finding) => finding.verdict === verdict).length;
  return {
    violated: count("violated"),
    holds: count("holds"),
    inconclusive: count("inconclusive"),
    unreadable: unreadableCount,
  };
}

/** The exit code of a check with these counts. */
export function exitCodeOf(summary: CheckReport["summary"], failOn: FailOn): number {
  if (failOn === "never") return 0;
  if (summary.violated > 0) return 1;
  if (failOn === "inconclusive" && summary.inconclusive > 0) return 1;
  if (summary.unreadable > 0) return 2;
  // Silence is no health: where no contract had anything to judge, nothing is known to hold.
  return summary.holds === 0 ? 3 : 0;
}
