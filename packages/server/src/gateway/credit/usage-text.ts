/**
 * Uses as text, for the journal and for the reports to the control process: those of one reserve on the same terms stand
 * together, below what they have in common. The text of a use is made once and serves both. Amounts are whole numbers that a
 * double holds exactly.
 */

import type { LeaseCharge } from "#ledger/index.ts";
import type { TenantId, UseDetails } from "@faultline/protocol";

import { detailsOf, type TermsForm, type UseTerms, type UseTokens } from "./use-terms.ts";

/** The text of a use that begins. Ids of uses are made of ids of ours, so that nothing in them needs an escape. */
export function admittedText(usageId: string, micros: number): string {
  return `["${usageId}",${micros}]`;
}

/** A use that has ended, until the ledger has it. */
export class SettledUse implements LeaseCharge {
  readonly usageId: string;
  readonly terms: UseTerms;
  readonly micros: number;
  readonly text: string;

  /** Of a call that was not made, no tokens are known. */
  constructor(
    { usageId, terms }: { readonly usageId: string; readonly terms: UseTerms },
    micros: number,
    tokens: UseTokens | undefined,
  ) {
    this.usageId = usageId;
    this.terms = terms;
    this.micros = micros;
    this.text =
      tokens === undefined
        ? `["${usageId}",${micros}]`
        : `["${usageId}",${micros},${tokens.inputTokens},${tokens.cachedInputTokens},${tokens.outputTokens},${tokens.reasoningTokens}]`;
  }

  get usageKind(): LeaseCharge["usageKind"] {
    return this.terms.usageKind;
  }

  get attribution(): LeaseCharge["attribution"] {
    return this.terms.attribution;
  }

  get amountMicros(): bigint {
    return BigInt(this.micros);
  }
}

/** What uses are paid out of: a lease, or the hold of one call. */
export interface Reserve {
  readonly tenantId: TenantId;
  readonly reserveId: string;
}

/** Uses of a reserve on the same terms. */
export class UsageSection {
  readonly reserve: Reserve;
  readonly terms: UseTerms;
  /** Texts of uses. */
  readonly admitted: string[] = [];
  readonly settled: string[] = [];

  constructor(reserve: Reserve, terms: UseTerms) {
    this.reserve = reserve;
    this.terms = terms;
  }

  isOf({ reserveId, tenantId }: Reserve, terms: UseTerms): boolean {
    const own = this.reserve;
    return this.terms === terms && own.reserveId === reserveId && own.tenantId === tenantId;
  }

  toText(): string {
    const { tenantId, reserveId } = this.reserve;
    const ids = `"tenantId":${JSON.stringify(tenantId)},"reserveId":${JSON.stringify(reserveId)}`;
    const uses = `"admitted":[${this.admitted.join(",")}],"settled":[${this.settled.join(",")}]`;
    return `{${ids},"terms":${this.terms.text},${uses}}`;
  }
}

type Row =
  | readonly [usageId: string, micros: number]
  | readonly [
      usageId: string,
      micros: number,
      inputTokens: number,
      cachedInputTokens: number,
      outputTokens: number,
      reasoningTokens: number,
    ];

/** What a section says. */
export interface SectionForm {
  readonly tenantId: TenantId;
  readonly reserveId: string;
  readonly terms: TermsForm;
  readonly admitted: readonly Row[];
  readonly settled: readonly Row[];
}

/** The text of a report: uses of one lease. */
export function toReportText(uses: readonly SettledUse[]): string {
  const byTerms = new Map<UseTerms, string[]>();
  let [terms, texts]: [UseTerms | undefined, string[]] = [undefined, []];
  for (const use of uses) {
    if (use.terms !== terms) {
      terms = use.terms;
      texts = byTerms.get(terms) ?? [];
      byTerms.set(terms, texts);
    }
    texts.push(use.text);
  }
  const parts = [...byTerms].map(
    ([{ text }, own]) => `{"terms":${text},"settled":[${own.join(",")}]}`,
  );
  return `[${parts.join(",")}]`;
}

/** What a text of `toReportText` says. */
export function fromReportText(text: string): {
  readonly charges: LeaseCharge[];
  readonly details: ReadonlyMap<string, UseDetails>;
} {
  // Both processes are of one release.
  const sections = JSON.parse(text) as readonly Pick<SectionForm, "terms" | "settled">[];
  const charges: LeaseCharge[] = [];
  const details = new Map<string, UseDetails>();
  for (const { terms, settled } of sections) {
    for (const row of settled) {
      charges.push(toCharge(terms, row));
      const known = toDetails(terms, row);
      if (known !== undefined) details.set(row[0], known);
    }
  }
  return { charges, details };
}

/** What a row charges. */
export function toCharge({ usageKind, attribution }: TermsForm, row: Row): LeaseCharge {
  const [usageId, micros] = row;
  return { usageId, usageKind, amountMicros: BigInt(micros), attribution };
}

/** What a row tells of its use beyond its cost. */
export function toDetails(terms: TermsForm, row: Row): UseDetails | undefined {
  if (row.length === 2) return undefined;
  const [, , inputTokens, cachedInputTokens, outputTokens, reasoningTokens] = row;
  return detailsOf(terms, { inputTokens, cachedInputTokens, outputTokens, reasoningTokens });
}
