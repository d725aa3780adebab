/** What an error that the reading of a reply threw says of the target. */

import type { PlatformError } from "@faultline/protocol";

import type { AttemptFailure } from "../dispatch/attempt-failure.ts";
import type { ReplyReader } from "./reply-reader.ts";

/** How the target failed, or `undefined` when the error is none of its own. */
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
      return { ...nothingSaid, message, ...(isStatus ? { status: Number(code) } : { code }) };
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
