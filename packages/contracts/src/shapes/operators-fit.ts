/** Operators on tensors get the shapes and types that they can take. */

import { defineContract } from "../model/define-contract.ts";
import type { Contract } from "../model/contract.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { evidenceOfKind, type EvidenceOf } from "../model/snapshot.ts";
import { plural } from "../text/plural.ts";
import { judgeOperators, nameOf } from "./judge-operators.ts";
import { toldRefusals } from "./told-refusals.ts";

const missingListedMax = 20;

export const operatorsFit: Contract = defineContract({
  id: "shapes/operators-fit",
  version: 3,
  boundary: "tensor-operator",
  promise:
    "Every operator gets tensors of shapes and types that it can take, and gives the shape that follows from them.",
  reads: ["operators", "logs"],
  options: {},
  check: (snapshot, _options, found) => {
    const lists = evidenceOfKind(snapshot, "operators").map((list) => verdictOf(list));
    return [...lists, ...toldRefusals(snapshot)].map(found);
  },
});

function verdictOf(list: EvidenceOf<"operators">): FindingParts {
  const { content } = list;
  const { fault, judgedCount, missing } = judgeOperators(content);
  const base = {
    subject: { kind: "operators", name: content.name },
    measures: { operatorCount: content.operators.length, judgedCount, faultyIndex: fault?.index },
  };
  if (fault !== undefined) {
    const where = `operator ${fault.index}, ${nameOf(fault.operator)}`;
    const quote = `${nameOf(fault.operator)}: ${fault.actual}`;
    return {
      ...base,
      verdict: "violated",
      title: `The first operator that cannot fit is ${where}`,
      expected: `${nameOf(fault.operator)} takes ${fault.expected}.`,
      actual: `${fault.actual}.`,
      causeKind: "change",
      evidence: [{ evidenceId: list.id, locator: fault.operator.pointer, quote }],
      fixes: [
        {
          description: `Change what goes into ${where}, or its settings, so that it has ${fault.expected}.`,
          cost: 1,
        },
      ],
    };
  }
  if (missing.length > 0 || content.operators.length === 0) {
    return {
      ...base,
      verdict: "inconclusive",
      title: `Of ${plural(content.operators.length, "operator")}, ${judgedCount} fit and the others were not judged`,
      actual: "No operator was found that cannot run.",
      missing:
        missing.length === 0 ? ["At least one operator."] : missing.slice(0, missingListedMax),
    };
  }
  return {
    ...base,
    verdict: "holds",
    title: `All ${plural(content.operators.length, "operator")} fit`,
    actual: "The shape of every output follows from its inputs.",
  };
}
