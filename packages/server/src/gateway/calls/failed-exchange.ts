/** What a failed exchange means for the attempts that may follow. */

import type { AttemptFailure } from "../dispatch/attempt-failure.ts";
import type { FailedExchange } from "../dispatch/attempt-loop.ts";
import { readRetryAfterMs, readShouldRetry } from "../dispatch/retry-after.ts";
import { readSaidFailure } from "../dispatch/said-failure.ts";
import type { PlatformError } from "@faultline/protocol";

import type { AttemptResult } from "./attempt.ts";
import type { ReplyReader } from "./reply-reader.ts";
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

/** What an error means that the reading of a reply threw. */
export function failureOfReply(
  error: PlatformError,
  reader: ReplyReader,
): AttemptFailure | undefined {
  switch (error.code) {
    case "provider_response_invalid":
      return { kind: "reply-invalid" };
    case "provider_stream_cut":
      return { kind: "reply-cut" };
    case "provider_unauthorized":
      return { ...nothingSaid, status: 401 };
    case "provider_failed": {
      const { errorCode: code, errorMessage: message } = reader;
      const isStatus = code !== undefined && /^[45]\d\d$/.test(code);
      return {
        ...nothingSaid,
        message,
        ...(isStatus ? { status: Number(code) } : { code }),
      };
    }
    default:
      return undefined;
  }
}

const nothingSaid = {
  kind: "said",
  status: undefined,
  code: undefined,
  type: undefined,
  message: undefined,
} as const;

function textsOf(head: ReplyHead): Record<string, string | undefined> {
  return Object.fromEntries(
    ["retry-after", "retry-after-ms", "x-should-retry"].map((name) => {
      const value = head[name];
      return [name, typeof value === "string" ? value : undefined];
    }),
  );
}
