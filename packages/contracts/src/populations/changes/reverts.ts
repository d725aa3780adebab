/** Which commits were taken back by others, as the messages of those say. */

import type { ChangeEvent, CommitChange } from "../../model/changes.ts";

const hashPattern = /\b(?:[Tt]his )?reverts? commit ([0-9a-f]{7,40})\b/;
const titlePattern = /^Revert "(.{1,400})"\s*$/;

/** For the ids of commits, the one that takes each back; of several the first. */
export function revertsOf(events: readonly ChangeEvent[]): ReadonlyMap<string, CommitChange> {
  const commits = events
    .filter((event): event is CommitChange => event.kind === "commit")
    .toSorted((left, right) => (left.timeMicros ?? 0) - (right.timeMicros ?? 0));
  const reverts = new Map<string, CommitChange>();
  for (const commit of commits) {
    const hash = hashPattern.exec(commit.message)?.[1];
    const title = titlePattern.exec(commit.message.split("\n", 1)[0] ?? "")?.[1];
    if (hash === undefined && title === undefined) continue;
    const taken = commits.findLast(
      (other) =>
        other !== commit &&
        (other.timeMicros ?? 0) <= (commit.timeMicros ?? 0) &&
        (hash === undefined
          ? other.message.split("\n", 1)[0] === title
          : other.id.toLowerCase().startsWith(hash)),
    );
    if (taken !== undefined && !reverts.has(taken.id)) reverts.set(taken.id, commit);
  }
  return reverts;
}
