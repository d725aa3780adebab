/** What a failed exchange means for the attempts that may follow. */

import type { FailedExchange } from "../dispatch/attempt-loop.ts";
import { readRetryAfterMs, readShouldRetry } from "../dispatch/retry-after.ts";
import { readSaidFailure } from "../dispatch/said-failure.ts";

import type { AttemptResult } from "./attempt.ts";
import type { ReplyHead } from "./reply-head.ts";

/** How an exchange failed, or `undefined` when it ended for a reason that is none of the target's. `nowMs` is wall time. */
export function failedExchange(
  result: Exclude<AttemptResult, { kind: "completed" }>,
  nowMs: number,
): FailedExchange | undefined {
  if (result.kind === "refused") {
    const { status, body, head } = result.error;
    const headers = textsOf(head);
    return {
      failure: { kind: "said", ...readSaidFailure(body.toString(), status) },
      committed: false,
      retryAfterMs: readRetryAfterMs(headers, nowMs),
      shouldRetry: readShouldRetry(headers),
    };
  }
  const { failure, committed } = result;
  if (failure === undefined) return undefined;
  return { failure, committed, retryAfterMs: undefined, shouldRetry: undefined };
}

function textsOf(head: ReplyHead): Record<string, string | undefined> {
  return Object.fromEntries(
    ["retry-after", "retry-after-ms", "x-should-retry"].map((name) => {
      const value = head[name];
      return [name, typeof value === "string" ? value : undefined];
    }),
  );
}
