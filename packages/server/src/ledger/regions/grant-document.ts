/**
 * Grant documents: what administrators set for a tenant. Each may be edited in any region, cut off or not; every edit carries a
 * vector clock, and edits that did not know of one another stand side by side until a person decides.
 */

import type { BudgetTerms, Currency } from "../rules/types.ts";
import {
  advanceClock,
  clockText,
  compareClocks,
  mergeClocks,
  type VectorClock,
} from "./vector-clock.ts";

/** Credit that somebody gave. */
export interface GivenCredit {
  readonly currency: Currency;
  readonly amountMicros: bigint;
  readonly priority: number;
  readonly expiresAtMs: number | undefined;
}

export type DocumentContent =
  /** All that was given under one id: more than one only where two regions used the id for different credit. */
  | { readonly kind: "grant"; readonly given: readonly GivenCredit[] }
  | { readonly kind: "budget"; readonly terms: BudgetTerms }
  | { readonly kind: "budget-removed"; readonly budgetId: string }
  /** How far an account may be used beyond its credit. */
  | { readonly kind: "line"; readonly currency: Currency; readonly limitMicros: bigint };

/** One edit. */
export interface DocumentVersion {
  readonly clock: VectorClock;
  /** Where it was made. */
  readonly region: string;
  readonly editedAtMs: number;
  readonly content: DocumentContent;
}

/** A document by its key: `grant/<id>`, `budget/<id>` or `line/<currency>`. */
export interface GrantDocument {
  readonly key: string;
  /** None of them knew of another. More than one is a conflict, unless all say the same. In one order everywhere. */
  readonly versions: readonly DocumentVersion[];
}

/** The key of what a content is about; a grant is named by its client. */
export function documentKey(content: Exclude<DocumentContent, { kind: "grant" }>): string {
  switch (content.kind) {
    case "budget":
      return `budget/${content.terms.budgetId}`;
    case "budget-removed":
      return `budget/${content.budgetId}`;
    case "line":
      return `line/${content.currency}`;
  }
}

/** The newest of two sets of versions, each once. Commutative, associative and idempotent. */
export function mergeVersions(
  left: readonly DocumentVersion[],
  right: readonly DocumentVersion[],
): DocumentVersion[] {
  const byText = new Map([...left, ...right].map((version) => [versionText(version), version]));
  const all = [...byText.entries()].sort(([one], [other]) => (one < other ? -1 : 1));
  return all
    .map(([, version]) => version)
    .filter(
      (version, _index, versions) =>
        !versions.some((other) => compareClocks(version.clock, other.clock) === "before"),
    );
}

/** An edit by somebody who saw these versions: it comes after all of them. No grant is ever taken out of a document. */
export function editVersions(
  known: readonly DocumentVersion[],
  edit: {
    readonly content: DocumentContent;
    readonly region: string;
    readonly editedAtMs: number;
  },
): DocumentVersion {
  const { content, region, editedAtMs } = edit;
  const clock = advanceClock(mergeClocks(known.map((version) => version.clock)), region);
  const isGrant = content.kind === "grant";
  const given = isGrant ? uniteGiven([...known.map((one) => one.content), content]) : [];
  return { clock, region, editedAtMs, content: isGrant ? { kind: "grant", given } : content };
}

/** Whether versions contradict one another, so that a person has to decide. */
export function isConflict(versions: readonly DocumentVersion[]): boolean {
  const texts = new Set(versions.map(({ content }) => contentText(content)));
  const [first] = versions;
  // Two grants under one id are both kept; somebody should see that they are two.
  if (first?.content.kind === "grant" && texts.size > 1)
    return uniteGiven(versions.map(({ content }) => content)).length > 1;
  return texts.size > 1;
}

/**
 * What holds while versions contradict one another: all that was given; of budgets the lowest limit, hard when one of them is,
 * and a removal only when all remove it; of credit lines the lowest.
 */
export function effectiveContent(
  versions: readonly DocumentVersion[],
): DocumentContent | undefined {
  const contents = versions.map(({ content }) => content);
  const [first] = contents;
  if (first === undefined) return undefined;
  if (first.kind === "grant") return { kind: "grant", given: uniteGiven(contents) };
  const isHard = contents.some((one) => one.kind === "budget" && one.terms.isHard);
  const [strictest = first] = contents.toSorted(
    (left, right) => compareMicros(strictness(left), strictness(right)) || compareText(left, right),
  );
  if (strictest.kind !== "budget") return strictest;
  return { kind: "budget", terms: { ...strictest.terms, isHard } };
}

/** One text for one content, whatever order its parts come in. */
export function contentText(content: DocumentContent): string {
  switch (content.kind) {
    case "grant":
      return `grant ${uniteGiven([content]).map(givenText).join()}`;
    case "budget":
      return `budget ${termsText(content.terms)}`;
    case "budget-removed":
      return `removed ${JSON.stringify(content.budgetId)}`;
    case "line":
      return `line ${content.currency} ${content.limitMicros}`;
  }
}

/** One text for one edit. */
export function versionText(version: DocumentVersion): string {
  const { clock, region, editedAtMs, content } = version;
  return `${clockText(clock)} ${region} ${editedAtMs} ${contentText(content)}`;
}

/** All that was given, each once, in one order. */
export function uniteGiven(contents: readonly DocumentContent[]): GivenCredit[] {
  const given = new Map<string, GivenCredit>();
  for (const content of contents) {
    if (content.kind !== "grant") continue;
    for (const one of content.given) given.set(givenText(one), one);
  }
  return [...given.keys()].sort().flatMap((text) => given.get(text) ?? []);
}

/** One text for one grant under an id. */
export function givenText({ currency, amountMicros, priority, expiresAtMs }: GivenCredit): string {
  return `${currency}/${amountMicros}/${priority}/${expiresAtMs ?? "never"}`;
}

function termsText(terms: BudgetTerms): string {
  const { budgetId, currency, scope, window, limitMicros, isHard, thresholdPercents } = terms;
  return JSON.stringify([
    budgetId,
    currency,
    scope.kind,
    scope.kind === "tenant" ? "" : scope.value,
    window.kind,
    window.kind === "rolling" ? window.durationMs : 0,
    String(limitMicros),
    isHard,
    thresholdPercents,
  ]);
}

/** The smaller the stricter. */
function strictness(content: DocumentContent): bigint | undefined {
  if (content.kind === "budget") return content.terms.limitMicros;
  return content.kind === "line" ? content.limitMicros : undefined;
}

function compareMicros(left: bigint | undefined, right: bigint | undefined): number {
  if (left === right) return 0;
  if (left === undefined) return 1;
  return right === undefined || left < right ? -1 : 1;
}

function compareText(left: DocumentContent, right: DocumentContent): number {
  const [one, other] = [contentText(left), contentText(right)];
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
