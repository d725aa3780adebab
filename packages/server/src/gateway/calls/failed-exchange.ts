/** What a failed exchange means for the attempts that may follow. */

import type { FailedExchange } from "../dispatch/attempt-loop.ts";
import { readRetryAfterMs, readShouldRetry } from "../dispatch/retry-after.ts";
import { readSaidFailure } from "../dispatch/said-failure.ts";

import type { AttemptUsage } from "./attempt-usage.ts";
import type { AttemptResult } from "./attempt.ts";
import type { ReplyHead } from "./reply-head.ts";

/**
 * How an exchange failed, or `undefined` when it ended for a reason that is none of the target's. `nowMs` is wall time;
 * `settle` says what was used, and is asked only where the failure is the target's.
 */
export function failedExchange(
  result: Exclude<AttemptResult, { kind: "completed" }>,
  nowMs: number,
  settle: () => AttemptUsage | undefined,
): FailedExchange | undefined {
  if (result.kind === "refused") {
    const { status, body, head } = result.error;
    const headers = textsOf(head);
    return {
      failure: { kind: "said", ...readSaidFailure(body.toString(), status) },
      committed: false,
      retryAfterMs: readRetryAfterMs(headers, nowMs),
      shouldRetry: readShouldRetry(headers),
      // A refusal costs nothing.
      used: undefined,
    };
  }
  const { failure, committed } = result;
  if (failure === undefined) return undefined;
  const used = settle();
  return { failure, committed, retryAfterMs: undefined, shouldRetry: undefined, used };
}

function textsOf(head: ReplyHead): Record<string, string | undefined> {
  return Object.fromEntries(
    ["retry-after", "retry-after-ms", "x-should-retry"].map((name) => {
      const value = head[name];
      return [name, typeof value === "string" ? value : undefined];
    }),
  );
}
