/** The words for what is missing: why it is missed, and what would bring it. */

import { plural } from "../text/plural.ts";
import type { ClassifiedGroup } from "./classify-group.ts";
import type { Doubt, ListDoubt } from "./judgement.ts";

export interface DoubtWords {
  /** The end of a sentence that begins with what was seen. */
  readonly title: string;
  readonly missing: string;
  readonly nextCheck: string;
}

/** Why repeated calls give no firm verdict. */
export function doubtWords(doubt: Doubt, group: ClassifiedGroup): DoubtWords {
  switch (doubt) {
    case "parent-missing":
      return {
        title: "the spans above them are not in the trace",
        missing: `the spans above the calls in trace ${group.observation.unit.traceId}: which handler or resolver made them`,
        nextCheck: "Export the whole trace (no head sampling, no span limits) and check it again.",
      };
    case "statement-cut":
      return {
        title: "the recorded statement is cut, so they may differ",
        missing: "the whole text of the statements",
        nextCheck:
          "Raise the instrumentation's limit for statement text and record the request again.",
      };
    case "list-hidden":
      return {
        title:
          "each may have asked for many items at once: the record hides the length of its list",
        missing: "how many values stand in the list of the statement",
        nextCheck:
          "Record statements without the sanitiser that collapses lists, or the rows that they return.",
      };
    case "write-without-list":
      return {
        title: "each may be needed, because nothing shows a list behind them",
        missing:
          "a second trace of this operation with a list of another length, or resolver spans with list indices",
        nextCheck:
          "Record the same request with a list of another length and check both traces together.",
      };
  }
}

/** Why an access to a list without repetition proves nothing. */
export function listDoubtWords(
  reason: ListDoubt,
  listLength: number,
  listLengthMin: number,
): DoubtWords & { readonly actual: string } {
  const items = plural(listLength, "item");
  switch (reason) {
    case "too-short":
      return {
        title: `was only seen with lists of up to ${items}, too short to show whether calls grow with them`,
        actual: `the longest list has ${items}`,
        missing: `a trace of this operation with a list of at least ${listLengthMin} items`,
        nextCheck: "Send the same request for a longer list and check its trace.",
      };
    case "length-unknown":
      return {
        title: "loads by a list whose length is not recorded",
        actual: "a batched call, for an unknown number of items",
        missing:
          "the length of the list: resolver spans with indices, returned rows, or the values of IN (…)",
        nextCheck:
          "Record db.response.returned_rows, or resolver spans, and check the trace again.",
      };
    case "keys-may-repeat":
      return {
        title: `resolved a list of ${items} with few calls, each for one key: the items may have shared their keys, or a cache`,
        actual: `a list of ${items}, and fewer calls by key than items`,
        missing: "a trace in which the items have different keys and no cache is warm",
        nextCheck:
          "Send the same request for items that belong to different things, with a cold cache.",
      };
  }
}
