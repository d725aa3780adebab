/** What uses have in common that one key makes of one target: it is said once for all of them. */

import type { Attribution, LeaseCharge } from "#ledger/index.ts";
import type { UseDetails } from "@faultline/protocol";

import { creditLimits } from "./limits.ts";

/** As it stands in texts. */
export interface TermsForm {
  readonly usageKind: LeaseCharge["usageKind"];
  readonly attribution: Attribution;
  readonly provider: string;
  readonly priceVersion: string;
  readonly bundleHash?: string | undefined;
}

/** With its text, which is made once. */
export interface UseTerms extends TermsForm {
  readonly text: string;
}

/** Tokens of a use, by class. */
export type UseTokens = Required<
  Pick<UseDetails, "inputTokens" | "cachedInputTokens" | "outputTokens" | "reasoningTokens">
>;

/** Makes terms. */
export function toTerms(form: TermsForm): UseTerms {
  return { ...form, text: JSON.stringify(form) };
}

/** All that is known of a use. */
export function detailsOf(
  { attribution, provider, priceVersion, bundleHash }: TermsForm,
  tokens: UseTokens,
): UseDetails {
  const { keyId, userId, model = "", tags } = attribution;
  const { inputTokens, cachedInputTokens, outputTokens, reasoningTokens } = tokens;
  return {
    provider,
    model,
    inputTokens,
    cachedInputTokens,
    outputTokens,
    reasoningTokens,
    priceVersion,
    ...(bundleHash === undefined ? {} : { bundleHash }),
    ...(keyId === undefined ? {} : { keyId }),
    ...(userId === undefined ? {} : { userId }),
    ...(tags === undefined ? {} : { tags: [...tags] }),
  };
}

/** What decides about the terms of a call whose request names nobody. */
export interface TermsSubject extends Omit<TermsForm, "attribution"> {
  readonly keyId: string;
  readonly model: string;
}

/** The terms that the calls of each key were made on last. */
export class KnownTerms {
  readonly #byKey = new WeakMap<object, UseTerms[]>();

  /** Those of a call; `key` is forgotten with all that is known of it. */
  of(key: object, subject: TermsSubject): UseTerms {
    let known = this.#byKey.get(key);
    if (known === undefined) {
      known = [];
      this.#byKey.set(key, known);
    }
    for (const terms of known) if (isOf(terms, subject)) return terms;
    const { keyId, model, ...rest } = subject;
    const terms = toTerms({ ...rest, attribution: { keyId, model } });
    if (known.length >= creditLimits.termsPerKeyMax) known.shift();
    known.push(terms);
    return terms;
  }
}

function isOf(terms: UseTerms, subject: TermsSubject): boolean {
  return (
    terms.attribution.model === subject.model &&
    terms.provider === subject.provider &&
    terms.priceVersion === subject.priceVersion &&
    terms.bundleHash === subject.bundleHash &&
    terms.usageKind === subject.usageKind
  );
}
