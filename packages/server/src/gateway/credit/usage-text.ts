/**
 * Uses as text, for the journal and for the reports to the control process: those of one reserve on the same terms stand
 * together, below what they have in common. The text of a use is made once and serves both. Amounts are whole numbers that a
 * double holds exactly.
 */

import { assert } from "#kernel/index.ts";
import type { LeaseCharge } from "#ledger/index.ts";
import type { TenantId, UseDetails } from "@faultline/protocol";

import { detailsOf, type TermsForm, type UseTerms, type UseTokens } from "./use-terms.ts";

/** The text of a use that begins. Ids of uses are made of ids of ours, so that nothing in them needs an escape. */
export function admittedText(usageId: string, micros: number): string {
  return `["${usageId}",${micros}]`;
}

/** The text of a use that has ended. Of a call that was not made, no tokens are known. */
export function settledText(
  usageId: string,
  micros: number,
  tokens: UseTokens | undefined,
): string {
  if (tokens === undefined) return `["${usageId}",${micros}]`;
  const { inputTokens, cachedInputTokens, outputTokens, reasoningTokens } = tokens;
  return `["${usageId}",${micros},${inputTokens},${cachedInputTokens},${outputTokens},${reasoningTokens}]`;
}

/** What uses are paid out of: a lease, or the hold of one call. */
export interface Reserve {
  readonly tenantId: TenantId;
  readonly reserveId: string;
}

/** Uses of a reserve on the same terms, in one turn. */
export class UsageSection implements Reserve {
  readonly tenantId: TenantId;
  readonly reserveId: string;
  readonly terms: UseTerms;
  #admitted: string[] = [];
  #settled: string[] | undefined = [];
  /** Of the settled uses, once the turn is over: many objects that live until they are reported burden each collection. */
  #settledText = "";
  #settledCount = 0;

  constructor({ tenantId, reserveId }: Reserve, terms: UseTerms) {
    this.tenantId = tenantId;
    this.reserveId = reserveId;
    this.terms = terms;
  }

  isOf({ reserveId, tenantId }: Reserve, terms: UseTerms): boolean {
    return this.terms === terms && this.reserveId === reserveId && this.tenantId === tenantId;
  }

  /** Takes a text of `admittedText`. */
  admit(text: string): void {
    this.#admitted.push(text);
  }

  /** Takes a text of `settledText`. */
  settle(text: string): SettledUse {
    assert(this.#settled !== undefined, "a turn that is over settles nothing");
    this.#settled.push(text);
    this.#settledCount += 1;
    return new SettledUse(this, this.#settledCount - 1);
  }

  /** Ends the turn, and gives what there is to write down of it. */
  close(): string {
    const ids = `"tenantId":${JSON.stringify(this.tenantId)},"reserveId":${JSON.stringify(this.reserveId)}`;
    const admitted = this.#admitted.join(",");
    this.#settledText = (this.#settled ?? []).join(",");
    this.#admitted = [];
    this.#settled = undefined;
    const uses = `"admitted":[${admitted}],"settled":[${this.#settledText}]`;
    return `{${ids},"terms":${this.terms.text},${uses}}`;
  }

  /** What the uses at these places say, one after another. */
  settledTextOf(places: readonly number[]): string {
    if (this.#settled === undefined && places.length === this.#settledCount)
      return this.#settledText;
    const texts = this.#settled ?? this.rows().map((row) => JSON.stringify(row));
    return places.map((place) => texts[place]).join(",");
  }

  /** What its settled uses say. */
  rows(): readonly Row[] {
    const text = this.#settled === undefined ? this.#settledText : this.#settled.join(",");
    return JSON.parse(`[${text}]`) as readonly Row[];
  }
}

/** A use that has ended, until the ledger has it: what it says stands in its section. */
export class SettledUse implements LeaseCharge {
  readonly section: UsageSection;
  readonly place: number;

  constructor(section: UsageSection, place: number) {
    this.section = section;
    this.place = place;
  }

  get usageId(): string {
    return this.#charge.usageId;
  }

  get usageKind(): LeaseCharge["usageKind"] {
    return this.section.terms.usageKind;
  }

  get attribution(): LeaseCharge["attribution"] {
    return this.section.terms.attribution;
  }

  get amountMicros(): bigint {
    return this.#charge.amountMicros;
  }

  get #charge(): LeaseCharge {
    const row = this.section.rows()[this.place];
    assert(row !== undefined, "a section has the uses that it gave");
    return toCharge(this.section.terms, row);
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
  const placesBySection = new Map<UsageSection, number[]>();
  let [section, places]: [UsageSection | undefined, number[]] = [undefined, []];
  for (const use of uses) {
    if (use.section !== section) {
      section = use.section;
      places = placesBySection.get(section) ?? [];
      placesBySection.set(section, places);
    }
    places.push(use.place);
  }
  const byTerms = Map.groupBy(placesBySection, ([{ terms }]) => terms);
  const parts = [...byTerms].map(([{ text }, own]) => {
    const texts = own.map(([one, ownPlaces]) => one.settledTextOf(ownPlaces));
    return `{"terms":${text},"settled":[${texts.join(",")}]}`;
  });
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
