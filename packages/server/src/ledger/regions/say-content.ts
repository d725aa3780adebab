/** What an edit of a grant document says, in words for a person. */

import type { DocumentContent } from "./grant-document.ts";

/** One short line. */
export function sayContent(content: DocumentContent): string {
  switch (content.kind) {
    case "grant":
      return content.given
        .map(({ amountMicros, currency }) => `${amountMicros} micros of ${currency}`)
        .join(" and ");
    case "budget": {
      const { limitMicros, currency, isHard, window } = content.terms;
      return `${isHard ? "hard" : "soft"} limit of ${limitMicros} micros of ${currency}, ${window.kind}`;
    }
    case "budget-removed":
      return "removed";
    case "line":
      return `credit line of ${content.limitMicros} micros of ${content.currency}`;
  }
}
