/** The window of time that a question about the books names. */

import { PlatformError } from "@faultline/protocol";

import { readMoment } from "../service/read-moment.ts";
import { bookLimits } from "./limits.ts";

/** Closed at the start, open at the end. */
export interface BookWindow {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Reads the window; without an end it ends now, without a start it has the usual length. Throws `request_invalid`. */
export function readWindow(
  query: { readonly from?: string; readonly until?: string },
  nowMs: number,
): BookWindow {
  // What is dated with this very moment belongs to it.
  const untilMs = query.until === undefined ? nowMs + 1 : readMoment(query.until, "query /until");
  const fromMs =
    query.from === undefined
      ? untilMs - bookLimits.usageWindowMs
      : readMoment(query.from, "query /from");
  if (fromMs >= untilMs) {
    throw new PlatformError("request_invalid", "The window ends before it begins.", {
      where: "query /from",
      hint: "Give a `from` that lies before `until`.",
    });
  }
  if (untilMs - fromMs > bookLimits.windowMsMax) {
    throw new PlatformError(
      "request_invalid",
      `The window is longer than ${bookLimits.windowMsMax / 86_400_000} days.`,
      { where: "query /from", hint: "Ask for one part after another." },
    );
  }
  return { fromMs, untilMs };
}
