/** Makes findings: fills in what is usual, and keeps every text and list within the bounds of the schema. */

import { cutText, flatText, shorten } from "../text/cut-text.ts";
import type { Contract } from "./contract.ts";
import type { EvidenceReference } from "./evidence.ts";
import type { Boundary, CauseKind, Finding, Fix, Subject, Verdict } from "./finding.ts";

/** What a contract says about a subject. */
export interface FindingParts {
  readonly verdict: Verdict;
  readonly subject: Subject;
  /** One sentence that names the fault, the good state, or what is missing. */
  readonly title: string;
  readonly actual: string;
  /** The contract's promise when left out. */
  readonly expected?: string;
  /** The contract's boundary when left out. */
  readonly boundary?: Boundary;
  /** `none` when left out, as it must be unless the verdict is `violated`. */
  readonly causeKind?: CauseKind;
  /** Names with their unit last; what is `undefined` is left out. */
  readonly measures?: Readonly<Record<string, number | string | boolean | undefined>>;
  readonly evidence?: readonly EvidenceReference[];
  readonly missing?: readonly string[];
  readonly fixes?: readonly (Omit<Fix, "verified"> & { readonly verified?: boolean })[];
  readonly nextChecks?: readonly string[];
}

const limits = { name: 1_024, title: 1_024, text: 4_096, line: 1_024, fix: 2_048, quote: 2_048 };
const evidenceCountMax = 256;
const listLengthMax = 64;

/** The finding of a contract. Evidence that is named twice stands in it once. */
export function makeFinding(
  contract: Pick<Contract, "id" | "version" | "boundary" | "promise">,
  parts: FindingParts,
): Finding {
  return {
    contract: contract.id,
    contractVersion: contract.version,
    boundary: parts.boundary ?? contract.boundary,
    verdict: parts.verdict,
    subject: {
      kind: cutText(parts.subject.kind, 64),
      name: keptText(parts.subject.name, limits.name),
    },
    title: keptText(parts.title, limits.title),
    expected: shorten(parts.expected ?? contract.promise, limits.text),
    actual: keptText(parts.actual, limits.text),
    causeKind: parts.causeKind ?? "none",
    measures: measuresOf(parts.measures ?? {}),
    evidence: referencesOf(parts.evidence ?? []),
    missing: linesOf(parts.missing ?? []),
    fixes: fixesOf(parts.fixes ?? []),
    nextChecks: linesOf(parts.nextChecks ?? []),
  };
}

/** A finding stays until the report is written, and there may be one for each of many thousand subjects. */
function keptText(text: string, lengthMax: number): string {
  return flatText(shorten(text, lengthMax));
}

function measuresOf(measures: NonNullable<FindingParts["measures"]>): Finding["measures"] {
  if (Object.isFrozen(measures) && isKept(measures)) return measures;
  const kept: Finding["measures"] = {};
  for (const [name, value] of Object.entries(measures)) {
    // A measure that is no finite number has no place in JSON, and nothing to say.
    if (value === undefined || (typeof value === "number" && !Number.isFinite(value))) continue;
    kept[name] = typeof value === "string" ? shorten(value, limits.text) : value;
  }
  return kept;
}

/** Whether frozen measures, which were made for many findings, stand in each of them as they are. */
function isKept(measures: NonNullable<FindingParts["measures"]>): measures is Finding["measures"] {
  return Object.values(measures).every((value) =>
    typeof value === "string"
      ? value.length <= limits.text
      : typeof value === "boolean" || Number.isFinite(value),
  );
}

function referencesOf(references: readonly EvidenceReference[]): EvidenceReference[] {
  const [first] = references;
  // Most findings have one, and a list that is made so takes no more memory than it needs.
  if (first !== undefined && references.length === 1) return [boundedReference(first)];
  const kept = new Map<string, EvidenceReference>();
  for (const reference of references) {
    if (kept.size === evidenceCountMax) break;
    const bounded = boundedReference(reference);
    const { evidenceId, locator = "", quote = "" } = bounded;
    kept.set(`${evidenceId}\n${locator}\n${quote}`, bounded);
  }
  return Array.from(kept.values());
}

/** A frozen reference was made for many findings: it stands in each of them as it is. */
function boundedReference(reference: EvidenceReference): EvidenceReference {
  const { evidenceId, locator, quote } = reference;
  const isBounded = (locator?.length ?? 0) <= limits.line && (quote?.length ?? 0) <= limits.quote;
  if (isBounded && Object.isFrozen(reference)) return reference;
  const bounded: EvidenceReference = { evidenceId };
  if (locator !== undefined) bounded.locator = keptText(locator, limits.line);
  if (quote !== undefined) bounded.quote = keptText(quote, limits.quote);
  return bounded;
}

// Lists of a finding are not changed any more, as the frozen type would say if the schema's types knew it.
const noFixes = Object.freeze<Fix[]>([]) as Fix[];
const noLines = Object.freeze<string[]>([]) as string[];

function fixesOf(fixes: NonNullable<FindingParts["fixes"]>): Fix[] {
  if (fixes.length === 0) return noFixes;
  return fixes.slice(0, listLengthMax).map((fix) => ({
    ...fix,
    description: shorten(fix.description, limits.fix),
    verified: fix.verified ?? false,
  }));
}

function linesOf(lines: readonly string[]): string[] {
  if (lines.length === 0) return noLines;
  return [...new Set(lines)].slice(0, listLengthMax).map((line) => shorten(line, limits.line));
}
