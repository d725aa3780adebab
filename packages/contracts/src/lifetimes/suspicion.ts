/** What a rule of this family says about goroutines of one site. */

import type { Site } from "./goroutine-site.ts";

export interface Suspicion {
  readonly verdict: "violated" | "inconclusive";
  readonly site: Site;
  /** How many goroutines it is about. */
  readonly count: number;
  /** What is wrong, to follow the number of goroutines: `wait to send …`. */
  readonly title: string;
  /** The facts behind it, in sentences. */
  readonly actual: string;
  readonly missing?: readonly string[];
  readonly fix: string;
  readonly measures: Readonly<Record<string, number | string | boolean | undefined>>;
}

/** States of which more and more goroutines mean that they do not end. */
export const waiting: readonly Site["blockedBy"][] = [
  "send",
  "receive",
  "channel",
  "select",
  "forever",
  "lock",
  "group",
  "condition",
];

/** They pass on the end of a context that is not Go's own to one that was made from it. */
const contextWatcher = /^context\.\(\*cancelCtx\)\.propagateCancel\.func\d+$/;

/** Whether a site is that of goroutines that watch over contexts. */
export function isContextWatcher(site: Site): boolean {
  return contextWatcher.test(site.top.function);
}

/** What goroutines of a site are doing, to follow their number. */
export function doingWords(site: Site): string {
  if (isContextWatcher(site)) return "watch over contexts that nobody cancels";
  switch (site.blockedBy) {
    case "send":
      return "wait to send to a channel";
    case "receive":
      return "wait to receive from a channel";
    case "channel":
      return "wait for a channel";
    case "select":
      return "wait in a select";
    case "forever":
      return `are blocked for ever (${site.state ?? "no case"})`;
    case "lock":
      return `wait for a lock (${site.state ?? "lock"})`;
    case "group":
      return "wait for a group of others to be done";
    case "condition":
      return "wait for a condition";
    case "io":
      return "wait for the network or a file";
    case "sleep":
      return "sleep";
    case "unknown":
    case "nothing":
      return "are there";
  }
}

/** The smallest change that would let goroutines of a site end. */
export function fixOf(site: Site): string {
  if (contextWatcher.test(site.top.function)) {
    return "Call the cancel function of every context.WithCancel, WithTimeout and WithDeadline when its work is done (defer cancel()); go vet (lostcancel) finds where it is dropped.";
  }
  const started = site.creator === undefined ? "" : `, which ${site.creator.function} starts,`;
  const place = `${site.code.function}${started}`;
  switch (site.blockedBy) {
    case "send":
      return `Give the channel that ${place} sends to room for every sender (make(chan T, 1) for one answer), or let the send give up in a select with the context's Done.`;
    case "receive":
    case "channel":
      return `Close the channel that ${place} waits for on every path, also on errors and early returns, or wait in a select with the context's Done.`;
    case "select":
      return `Give the select of ${place} a case that ends it: cancel its context when whoever asked is done (defer cancel()).`;
    case "forever":
      return `Let ${place} end: the channel that it waits for is nil, or its select has no case.`;
    case "lock":
      return `Find who holds the lock that ${place} waits for, and unlock it on every path (defer mutex.Unlock()).`;
    case "group":
      return `Call Done for every Add that ${place} waits for, also when work fails or panics (defer group.Done()).`;
    default:
      return `Let ${place} end when what it was started for is done: pass it a context and return when that is done.`;
  }
}
