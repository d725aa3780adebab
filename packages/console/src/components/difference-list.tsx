/** What a reconciliation found: each with what it means, its evidence, and the entry that would settle it. */

import type { LedgerDifference } from "@faultline/protocol";

import { Amount } from "../ui/amount.tsx";
import { Badge } from "../ui/badge.tsx";
import { Icon } from "../ui/icon.tsx";
import { differenceMeaning, differenceName } from "../util/difference-words.ts";
import { formatMicros } from "../util/money.ts";
import { OpenLedgerCase } from "./open-ledger-case.tsx";

type Proposal = NonNullable<LedgerDifference["proposal"]>;

/** What a proposed entry does. */
function deedOf({ direction, holdId }: Proposal): string {
  return direction === "take" && holdId !== undefined
    ? "charging the use, as it was made:"
    : deeds[direction];
}

const deeds = {
  give: "an adjustment that gives",
  take: "an adjustment that takes",
  release: "ending the hold, which frees",
} as const;

export function DifferenceList({
  differences,
  applied,
}: {
  differences: readonly LedgerDifference[];
  /** Ids of the entries that were made. */
  applied: readonly string[];
}) {
  return (
    <ul className="divide-y divide-line">
      {differences.map((difference, index) => (
        // One subject may be found by two checks.
        <li key={`${index}${difference.kind}${difference.subject}`} className="px-4 py-3">
          <Difference
            difference={difference}
            isApplied={applied.includes(difference.proposal?.commandId ?? "")}
          />
        </li>
      ))}
    </ul>
  );
}

function Difference(props: { difference: LedgerDifference; isApplied: boolean }) {
  const { kind, message, subject, evidence, proposal, expectedMicros, actualMicros } =
    props.difference;
  // The subject of a balance names its currency; most others belong to the account in dollars.
  const currency = proposal?.currency ?? (subject.endsWith("/credits") ? "credits" : "USD");
  return (
    <article
      aria-label={`${differenceName(kind)}: ${subject}`}
      className="flex flex-col gap-1.5 text-sm"
    >
      <p className="flex flex-wrap items-center gap-2">
        <Badge tone="bad" icon="warning">
          {differenceName(kind)}
        </Badge>
        <code className="font-mono text-xs wrap-anywhere text-ink-2">{subject}</code>
      </p>
      <p className="wrap-anywhere">{message}</p>
      <p className="text-xs text-ink-2">{differenceMeaning(kind)}</p>
      <dl className="flex flex-wrap gap-x-6 gap-y-1 text-xs text-ink-2">
        <div>
          <dt className="inline text-ink-3">expected </dt>
          <dd className="inline">
            <Amount micros={expectedMicros} currency={currency} />
          </dd>
        </div>
        <div>
          <dt className="inline text-ink-3">found </dt>
          <dd className="inline">
            <Amount micros={actualMicros} currency={currency} />
          </dd>
        </div>
        <div className="min-w-0">
          <dt className="inline text-ink-3">evidence </dt>
          <dd className="inline font-mono wrap-anywhere">{evidence.join(", ")}</dd>
        </div>
      </dl>
      {proposal !== undefined && (
        <p className="flex items-start gap-2 rounded-lg bg-sunken px-3 py-2 text-xs">
          <Icon name={props.isApplied ? "check" : "arrow"} className="mt-0.5 size-3 text-accent" />
          <span>
            {props.isApplied ? "Settled by" : "Would be settled by"} {deedOf(proposal)}{" "}
            <span className="font-semibold">
              {formatMicros(proposal.amountMicros, proposal.currency)}
            </span>{" "}
            <code className="font-mono wrap-anywhere text-ink-3">{proposal.commandId}</code>
          </span>
        </p>
      )}
      <OpenLedgerCase difference={props.difference} />
    </article>
  );
}
