/** What a finding cites: where it lies in which file, in its own words. */

import type { CheckReport, EvidenceReference } from "@faultline/contracts";

const quotesShownMax = 3;

export function EvidenceQuotes({
  references,
  evidence,
}: {
  references: readonly EvidenceReference[];
  evidence: CheckReport["evidence"];
}) {
  if (references.length === 0) return null;
  const sources = new Map(evidence.map(({ id, source }) => [id, source.name]));
  const shown = references.slice(0, quotesShownMax);
  return (
    <ul aria-label="Evidence" className="flex flex-col gap-1.5">
      {shown.map(({ evidenceId, locator, quote }, index) => (
        <li
          key={`${evidenceId}\u0000${locator ?? ""}\u0000${index}`}
          className="rounded-lg border-l-2 border-line-strong bg-sunken px-3 py-1.5 text-xs"
        >
          {quote !== undefined && (
            <p className="font-mono wrap-anywhere whitespace-pre-wrap text-ink">{quote}</p>
          )}
          <p className="wrap-anywhere text-ink-3">
            {sources.get(evidenceId) ?? evidenceId.slice(0, 19)}
            {locator !== undefined && <span className="font-mono"> {locator}</span>}
          </p>
        </li>
      ))}
      {references.length > shown.length && (
        <li className="text-xs text-ink-3">
          and {references.length - shown.length} more in the JSON report
        </li>
      )}
    </ul>
  );
}
