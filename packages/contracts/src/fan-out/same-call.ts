/** The words for calls that ask for the very same thing. */

import type { Fix } from "../model/finding.ts";
import type { ClassifiedGroup } from "./repeated-query/observation.ts";
import type { RepetitionWords } from "./repeated-query/list-words.ts";
import { haveSameValues } from "./same-values.ts";

/** Whether every call of a group has the same values, as far as the record shows them. */
export function hasSameValues({ calls }: ClassifiedGroup): boolean {
  return haveSameValues(calls);
}

/** The sentences of a finding about one call that is repeated with the same values, where no list was seen. */
export function sameCallWords(
  { calls, count }: ClassifiedGroup,
  countMin: number,
): RepetitionWords {
  const isStatement = calls[0]?.call.kind === "database";
  const thing = isStatement ? "statement" : "call";
  return {
    title: `${isStatement ? "ran" : "made"} the same ${thing} ${count} times with the same values in one request`,
    expected: `one ${thing} with the same values for a request, and fewer than ${countMin} in any case`,
    nextChecks: [
      `After the repair, record the same request and check it: the ${thing} must not be repeated.`,
    ],
  };
}

/** What to do about one call that is repeated with the same values. */
export function sameCallFixes({ calls }: ClassifiedGroup): Fix[] {
  const isRead = calls[0]?.call.isRead === true;
  const descriptions = isRead
    ? [
        "Load it once per request: take it out of the loop or the function that asks again, and pass the result on.",
        "Keep the answer in a cache that lives as long as the request, so that asking again costs no call.",
      ]
    : ["Write it once per request: take it out of the loop or the function that writes it again."];
  return descriptions.map((description, index) => ({
    description,
    cost: index + 1,
    verified: false,
  }));
}
