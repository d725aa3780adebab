/** Runs the examples that stand beside own contracts. */

import type { Finding } from "../model/finding.ts";
import { readEvidence } from "../readers/read-evidence.ts";
import { snapshotOf } from "../snapshot/create-snapshot.ts";
import type { Example } from "./definition.ts";
import type { OwnContract } from "./read-own-contracts.ts";

/** How one example came out. */
export interface ExampleOutcome {
  readonly contract: string;
  readonly example: string;
  /** What differs from what the example says; absent where nothing does. */
  readonly fault?: string;
}

/** Runs every example of the contracts, in their order. */
export function runExamples(contracts: readonly OwnContract[]): ExampleOutcome[] {
  return contracts.flatMap((own) =>
    own.examples.map((example) => {
      const fault = faultOf(own, example);
      return {
        contract: own.contract.id,
        example: example.name,
        ...(fault === undefined ? {} : { fault }),
      };
    }),
  );
}

function faultOf({ contract }: OwnContract, example: Example): string | undefined {
  const files = example.evidence.map((document, index) => ({
    name: `evidence ${index + 1}`,
    bytes: new TextEncoder().encode(
      typeof document === "string" ? document : JSON.stringify(document),
    ),
  }));
  const { evidence, unreadable } = readEvidence(files);
  const [unread] = unreadable;
  if (unread !== undefined) return `${unread.name} cannot be read: ${unread.message}`;
  const findings = contract.check(snapshotOf(evidence));
  const about =
    example.subject === undefined
      ? findings
      : findings.filter((finding) => finding.subject.name === example.subject);
  const actual = overallVerdict(about);
  if (actual === example.verdict) return undefined;
  const seen = findings.map((finding) => `${finding.verdict}: ${finding.title}`).join("; ");
  return `expected ${example.verdict}, got ${actual}${seen === "" ? "" : ` (${seen})`}`;
}

/** The gravest verdict among findings, or `nothing`. */
function overallVerdict(findings: readonly Finding[]): Example["verdict"] {
  for (const verdict of ["violated", "inconclusive", "holds"] as const) {
    if (findings.some((finding) => finding.verdict === verdict)) return verdict;
  }
  return "nothing";
}
