/** Joins what is found about several pods of one workload into one finding. */

import type { Verdict } from "../model/finding.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { compareText } from "../text/compare-text.ts";

/** How much a verdict matters: what is violated is never hidden by a pod that is well. */
const order: Readonly<Record<Verdict, number>> = { violated: 0, inconclusive: 1, holds: 2 };

/** What is said about one subject, and how surely its cause is known. */
export interface Judgement {
  readonly parts: FindingParts;
  /** Greater is surer; of two violations the surer one gives the words. */
  readonly weight?: number;
}

/** One finding for each subject, in the order of the subjects. Evidence of the same verdict is kept together. */
export function gather(judgements: readonly Judgement[]): FindingParts[] {
  const bySubject = Map.groupBy(
    judgements,
    ({ parts }) => `${parts.subject.name}\n${parts.subject.kind}`,
  );
  return [...bySubject]
    .sort(([left], [right]) => compareText(left, right))
    .flatMap(([, about]) => {
      const [first, ...rest] = [...about].sort(compareJudgements);
      if (first === undefined) return [];
      const alike = rest.filter(({ parts }) => parts.verdict === first.parts.verdict);
      if (alike.length === 0) return [first.parts];
      const evidence = [first, ...alike].flatMap(({ parts }) => parts.evidence ?? []);
      return [{ ...first.parts, evidence }];
    });
}

function compareJudgements(left: Judgement, right: Judgement): number {
  return (
    order[left.parts.verdict] - order[right.parts.verdict] ||
    (right.weight ?? 0) - (left.weight ?? 0) ||
    compareText(left.parts.title, right.parts.title) ||
    compareText(left.parts.actual, right.parts.actual)
  );
}
