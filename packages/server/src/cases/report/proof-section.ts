/** The proof of a case: the contract and its control before and after the repair, and what was covered. */

import type { CaseDetail, Verification } from "@faultline/protocol";

import type { Block, Section } from "./document.ts";
import { moment, outcomeWords, paragraph, toneOfOutcome } from "./wording.ts";

/** The verification that proves, else the last one. */
export function proofSection({ verifications }: CaseDetail): Section {
  const last =
    verifications.findLast(({ outcome }) => outcome === "proved") ?? verifications.at(-1);
  if (last === undefined) {
    return {
      title: "Proof",
      blocks: [paragraph("No repair has been verified: nothing is proved.")],
    };
  }
  return {
    title: "Proof",
    blocks: [
      {
        kind: "verdict",
        tone: toneOfOutcome(last.outcome),
        text: `${outcomeWords[last.outcome]}, ${moment(last.verifiedAt)}`,
      },
      { kind: "list", items: last.reasons },
      {
        kind: "table",
        columns: ["Role", "Contract", "Before", "After", "What they say"],
        rows: [
          [
            "subject",
            last.contract.contract,
            last.contract.before,
            last.contract.after,
            last.contract.summary,
          ],
          [
            "control",
            last.control.contract,
            last.control.before,
            last.control.after,
            last.control.summary,
          ],
        ],
      },
      {
        kind: "table",
        columns: ["Coverage", "Expected", "Actual", "Met"],
        rows: last.coverage.map((item) => [
          item.name,
          item.expected,
          item.actual,
          item.met ? "yes" : "no",
        ]),
        tones: last.coverage.map(({ met }) => (met ? "good" : "bad")),
      },
      {
        kind: "facts",
        rows: [
          ["Snapshot before", last.beforeSnapshot],
          ["Snapshot after", last.afterSnapshot],
        ],
      },
      ...earlierBlocks(verifications, last),
    ],
  };
}

function earlierBlocks(verifications: readonly Verification[], shown: Verification): Block[] {
  const others = verifications.filter((item) => item !== shown);
  if (others.length === 0) return [];
  const items = others.map(
    (item) => `${moment(item.verifiedAt)}: ${outcomeWords[item.outcome]}. ${item.reasons[0] ?? ""}`,
  );
  return [paragraph("Other verifications:"), { kind: "list", items }];
}
