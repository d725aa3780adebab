/** Where scheduler and ledger differ, as a finding with the entry that would settle it. */

import { unreachable } from "#kernel/index.ts";
import { proposalId } from "#ledger/index.ts";
import type { LedgerDifference } from "@faultline/protocol";

import { findingCountMax } from "./limits.ts";
import type { WorkDifference } from "./reservation-ledger.ts";

const currency = "USD";

/** Those that one comparison tells: of each kind the first, so that of none that is cut it goes unsaid. */
export function toldOf(differences: readonly WorkDifference[]): readonly WorkDifference[] {
  return [...Map.groupBy(differences, ({ kind }) => kind).values()].flatMap((group) =>
    group.slice(0, findingCountMax),
  );
}

/** `holdId` is that of the reservation. */
export function workFinding(difference: WorkDifference, holdId: string): LedgerDifference {
  const common = { kind: difference.kind, subject: holdId, evidence: [holdId] };
  const { reservationId } = difference;
  switch (difference.kind) {
    case "hold-without-work": {
      const amountMicros = String(difference.remainingMicros);
      const commandId = proposalId("hold", [holdId]);
      return {
        ...common,
        expectedMicros: "0",
        actualMicros: amountMicros,
        message: `The hold ${holdId} reserves ${amountMicros}, and no reservation is at work on it.`,
        proposal: { commandId, currency, direction: "release", amountMicros, holdId },
      };
    }
    case "work-without-hold":
      return {
        ...common,
        expectedMicros: String(difference.amountMicros),
        actualMicros: "0",
        message: `The reservation ${reservationId} is at work and has no open hold: what it uses is charged to other credit.`,
      };
    case "work-differs":
      return { ...common, ...chargesFinding(difference, holdId) };
    default:
      return unreachable(difference);
  }
}

type ChargesDiffer = WorkDifference & { readonly kind: "work-differs" };

function chargesFinding(
  difference: ChargesDiffer,
  holdId: string,
): Pick<LedgerDifference, "expectedMicros" | "actualMicros" | "message" | "proposal"> {
  const { reservationId, isOpen, workedMicros, chargedMicros } = difference;
  const { missingCount, missingMicros, beyondCount, beyondMicros } = difference;
  const parts = [
    ...(missingCount > 0 ? [`${missingCount} worked and not charged (${missingMicros})`] : []),
    ...(beyondCount > 0 ? [`${beyondCount} charged and not worked (${beyondMicros})`] : []),
  ];
  const owedMicros = missingMicros - beyondMicros;
  const isTaken = owedMicros > 0n;
  const words = {
    expectedMicros: String(workedMicros),
    actualMicros: String(chargedMicros + beyondMicros),
    message: `Of the intervals of the reservation ${reservationId}, ${parts.join(", and ")}.`,
  };
  // What is at work is charged as it goes on; an entry would settle it twice.
  if (isOpen || owedMicros === 0n) return words;
  return {
    ...words,
    proposal: {
      commandId: proposalId("work", [holdId, owedMicros]),
      currency,
      direction: isTaken ? "take" : "give",
      amountMicros: String(isTaken ? owedMicros : -owedMicros),
    },
  };
}
