/** The words for what is missing: why it is missed, and what would bring it. */

import { plural } from "../../text/plural.ts";
import type { ClassifiedGroup, GroupNature } from "./observation.ts";
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
        missing: `the spans above the calls in trace ${group.observation.unit.trace.traceId}: which handler or resolver made them`,
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
    case "document-unknown":
      return {
        title: "each may ask for something else: the address of GraphQL does not tell",
        missing: "the documents that were sent, or a list behind them",
        nextCheck:
          "Record graphql.operation.name on the calls, or spans of the functions that make them, and check the trace again.",
      };
    case "same-target":
    case "same-write":
      return sameValuesWords(doubt);
    case "lock-or-sequence":
      return {
        title: "each takes a lock or a number, which nothing shows to be for a list",
        missing: "a list behind the calls: resolver spans with indices, or returned rows",
        nextCheck:
          "Record db.response.returned_rows of the statement before them and check the trace again.",
      };
    case "may-be-pages":
      return {
        title: "they may be pages of one result",
        missing: "the values of the range in each statement, or the rows that each returned",
        nextCheck:
          "Record db.response.returned_rows or the parameters of the statements and check the trace again.",
      };
    case "set-aside":
      return setAsideWords(group.nature);
  }
}

/** Calls that ask for one thing, or write it, again and again. */
function sameValuesWords(doubt: "same-target" | "same-write"): DoubtWords {
  if (doubt === "same-write") {
    return {
      title:
        "all with the same values: each may be a step that is meant, as a counter or a sign of life, because nothing shows a list behind them",
      missing:
        "what each write was made for: a list behind them, or that one would have been enough",
      nextCheck:
        "Record spans of the functions that make the writes, and check whether one would have been enough.",
    };
  }
  return {
    title:
      "all with the same values: it may wait for a change, or read one thing in parts, because nothing shows a list behind them",
    missing: "what each call was made for: a list behind them, or that the answer never changed",
    nextCheck:
      "Record spans of the functions that make the calls, and check whether one call would have been enough.",
  };
}

/** Calls that another reason may explain, but about as many as the list has items. */
function setAsideWords(nature: GroupNature): DoubtWords {
  return {
    title: `about as many as the list has items, although they look like ${natureWords[nature]}`,
    missing: `what tells ${natureWords[nature]} from one call for each item: the values of the calls, or a list of another length`,
    nextCheck:
      "Record the same request with a list of another length and check both traces together: the count must stay.",
  };
}

const natureWords: Readonly<Record<GroupNature, string>> = {
  loop: "calls for several things",
  retry: "retries of failed calls",
  polling: "polling, because of the pauses between them",
  pages: "pages of one result",
  scatter: "one question to many machines",
  cache: "single reads of a cache",
  "warm-up": "a warm-up",
  batches: "batches in chunks",
  files: "files, which are fetched one by one",
};

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
    case "calls-per-item":
      return {
        title: `loads a list of ${items} while calls to one place are about as many as items, in several shapes or batches`,
        actual: `a list of ${items}, and about as many calls to one table or path`,
        missing:
          "a second trace with a list of another length, in which the number of these calls stays",
        nextCheck:
          "Record the same request with a list at least twice as long and check both traces together.",
      };
    case "several-batches":
      return {
        title: `makes several calls to one place, for up to ${items} each: parts of one list, or a batch for each item of another`,
        actual: `several calls for up to ${items} each`,
        missing:
          "the list behind these calls: a second trace with a list of another length, or resolver spans with list indices",
        nextCheck:
          "Record the same request with a list at least twice as long and check both traces together.",
      };
    case "nothing-batched":
      return {
        title: `read a list of ${items}, and no call shows that what belongs to its items was loaded at once`,
        actual: `a list of ${items}, and no batch, join or second result about as long`,
        missing:
          "a call for many items (IN, ANY, a join, or its returned rows), or a second trace with a list twice as long and as many calls",
        nextCheck:
          "Record db.response.returned_rows of all statements, or the same request with a list at least twice as long.",
      };
  }
}
