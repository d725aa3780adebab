/** What a case keeps of its findings; its snapshot gives them all again. Pure. */

import type { Finding } from "@faultline/contracts";

import { caseLimits } from "./limits.ts";

const importance: readonly Finding["verdict"][] = ["violated", "inconclusive", "holds"];

/** The most important findings, in the order in which they came, each with its first references. */
export function keepFindings(findings: readonly Finding[]): Finding[] {
  const kept = new Set(
    [...findings]
      .sort((left, right) => importance.indexOf(left.verdict) - importance.indexOf(right.verdict))
      .slice(0, caseLimits.findingCountMax),
  );
  return findings
    .filter((finding) => kept.has(finding))
    .map((finding) => ({
      ...finding,
      evidence: finding.evidence.slice(0, caseLimits.findingReferenceCountMax),
    }));
}
