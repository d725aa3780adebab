/** What is wrong with an entry to the cluster: an Ingress, a route of a Gateway, a load balancer. */

import type { EvidenceReference } from "../model/evidence.ts";
import type { CauseKind, Subject } from "../model/finding.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { plural } from "../text/plural.ts";

/** A fault of an entry, or something about it that the evidence does not tell. */
export interface EntryFault {
  /** Nothing of it is a guess. What is not sure must name what is missing. */
  readonly isSure: boolean;
  /** A clause without a full stop. */
  readonly what: string;
  readonly causeKind?: CauseKind;
  readonly fixes?: NonNullable<FindingParts["fixes"]>;
  readonly missing?: readonly string[];
  readonly evidence?: readonly EvidenceReference[];
  readonly nextChecks?: readonly string[];
}

export interface Entry {
  readonly subject: Subject;
  /** As people call it, for example `Ingress shop/web`. */
  readonly words: string;
  readonly reference: EvidenceReference;
  /** What it leads to when all is well, as a clause. */
  readonly good: string;
  readonly measures?: FindingParts["measures"];
}

/** The finding about an entry with these faults. */
export function entryFinding(entry: Entry, faults: readonly EntryFault[]): FindingParts {
  const sure = faults.filter((fault) => fault.isSure);
  const shown = sure.length > 0 ? sure : faults;
  const [first] = shown;
  const base = {
    subject: entry.subject,
    measures: { ...entry.measures, faultCount: sure.length },
    evidence: [entry.reference, ...shown.flatMap((fault) => fault.evidence ?? [])],
  };
  if (first === undefined) {
    return {
      ...base,
      verdict: "holds",
      title: `${entry.words} ${entry.good}.`,
      actual: `It ${entry.good}.`,
    };
  }
  const what = shown.map((fault) => fault.what).join("; ");
  const more = shown.length === 1 ? "" : ` (and ${plural(shown.length - 1, "more fault")})`;
  const rest = {
    actual: `${what}.`,
    fixes: shown.flatMap((fault) => fault.fixes ?? []),
    nextChecks: shown.flatMap((fault) => fault.nextChecks ?? []),
  };
  if (sure.length > 0) {
    return {
      ...base,
      ...rest,
      verdict: "violated",
      title: `${entry.words}: ${first.what}${more}.`,
      causeKind: first.causeKind ?? "configuration",
    };
  }
  return {
    ...base,
    ...rest,
    verdict: "inconclusive",
    title: `${entry.words}: ${what}.`,
    missing: shown.flatMap((fault) => fault.missing ?? [fault.what]),
  };
}
