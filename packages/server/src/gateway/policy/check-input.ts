/** Holds the input rules of a policy against the texts of a request. */

import { PlatformError } from "@faultline/protocol";

import type { Splice } from "../wire/splice.ts";
import type { RuleSet } from "./compiled-policy.ts";
import { policyLimits } from "./limits.ts";
import { textsWithin } from "./request-texts.ts";
import { TextFilter } from "./text-filter.ts";

export interface CheckedInput {
  /** Each replaces one whole text by what is left of it. */
  readonly splices: readonly Splice[];
  /** The rules that took something out. */
  readonly redactedBy: readonly string[];
}

/** Throws `content_refused` with the rule, never with the text, and `request_too_large` beyond the bound. */
export function checkInput(
  rules: RuleSet,
  body: Buffer,
  ranges: readonly { readonly start: number; readonly end: number }[],
): CheckedInput {
  const splices: Splice[] = [];
  const redactedBy = new Set<string>();
  let left: number = policyLimits.inputTextLengthMax;
  for (const range of ranges) {
    for (const { start, end, text } of textsWithin(body, range)) {
      left -= text.length;
      if (left < 0) throw tooLong();
      const kept = filterText(rules, text, redactedBy);
      if (kept !== text) splices.push({ start, end, text: JSON.stringify(kept) });
    }
  }
  return { splices, redactedBy: [...redactedBy] };
}

/** A whole text without what rules take out. Throws `content_refused`. */
function filterText(rules: RuleSet, text: string, redactedBy: Set<string>): string {
  const filter = new TextFilter(rules);
  let kept = "";
  // In parts, so that what is settled need not be carried along.
  for (let at = 0; at < text.length && filter.refusedBy === undefined; at += partLength) {
    kept += filter.push(text.slice(at, at + partLength)).text;
  }
  kept += filter.finish().text;
  if (filter.refusedBy !== undefined) throw refusedInput(filter.refusedBy);
  for (const rule of filter.redactedBy) redactedBy.add(rule);
  return kept;
}

const partLength = 8_192;

function refusedInput(rule: string): PlatformError {
  return new PlatformError(
    "content_refused",
    `The request breaks the rule "${rule}" of its bundle's safety policy.`,
    { hint: "The rule is in the bundle's safety.input." },
  );
}

function tooLong(): PlatformError {
  return new PlatformError(
    "request_too_large",
    `The texts of a request whose bundle has input rules have at most ${policyLimits.inputTextLengthMax} characters together.`,
  );
}
