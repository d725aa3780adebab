/** The words for a call that is repeated for the items of a list: what was seen, and what to do about it. */

import type { Fix } from "../../model/finding.ts";
import type { ClassifiedGroup } from "./observation.ts";
import type { Growth } from "./growth.ts";
import type { ObservedSubject } from "./observe-calls.ts";
import type { RepeatedQueryOptions } from "./options.ts";

export interface RepetitionWords {
  /** The middle of a sentence that begins with who did it and ends with the shape of the call. */
  readonly title: string;
  readonly expected: string;
  readonly nextChecks: string[];
}

/** The sentences of a finding about calls for many things. */
export function listWords(
  group: ClassifiedGroup,
  growth: Growth | undefined,
  options: RepeatedQueryOptions,
): RepetitionWords {
  const verb = group.calls[0]?.call.kind === "database" ? "ran one statement" : "made one call";
  const grown =
    growth === undefined
      ? ""
      : `, and the count grows with the list (${growth.slope} per item, R² ${growth.determination})`;
  return {
    title: `${verb} ${group.count} times in one request${grown}`,
    expected: `fewer than ${options.countMin} calls of one shape for a list, however long it is`,
    nextChecks: nextChecksOf(growth),
  };
}

function nextChecksOf(growth: Growth | undefined): string[] {
  const after =
    "After the repair, record the same operation with a list at least as long and check it: this subject must hold.";
  if (growth !== undefined) return [after];
  return [
    "Record the same operation with a list of another length and check both traces together: the count must follow the list.",
    after,
  ];
}

/** How to load all items of a list at once. */
export function listFixes(group: ClassifiedGroup, observed: ObservedSubject): Fix[] {
  const call = group.calls[0]?.call;
  if (call === undefined) return [];
  const batch = batchFixFor(call.kind, call.isRead);
  const loader =
    observed.subject.kind === "resolver"
      ? "Collect the keys of one tick in a DataLoader, made anew for each request, and load them with one batched call."
      : "Collect the keys first and load them with one batched call, or join what is needed to the query of the list.";
  return [
    { description: loader, cost: 1, verified: false },
    { description: batch, cost: 2, verified: false },
  ];
}

function batchFixFor(kind: "database" | "http" | "rpc", isRead: boolean): string {
  if (kind !== "database") {
    return "Give the called service an endpoint that takes many ids, and call it once per list.";
  }
  return isRead
    ? "Ask with `WHERE key = ANY($1)` or `IN (…)` for all items at once and hand the rows out by key."
    : "Write all rows with one statement of many rows, or with COPY.";
}
