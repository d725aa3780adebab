/** Whole replies that say that something failed, in the caller's dialect. */

import type { PlatformError } from "@faultline/protocol";

import { type Dialect, headersOfCode } from "./dialect.ts";
import type { ProviderError } from "./provider-error.ts";
import type { ReplySink } from "./reply-sink.ts";

/** How an error is said, and what else stands in its head. */
export interface ErrorForm {
  readonly dialect: Dialect;
  readonly headers?: Readonly<Record<string, string>>;
  readonly operationId?: string;
}

export interface ErrorReply {
  readonly status: number;
  readonly headers: Record<string, string | number>;
  readonly body: Buffer;
}

/** The whole reply for an error of ours. */
export function errorReply(
  error: PlatformError,
  { dialect, headers = {}, operationId }: ErrorForm,
): ErrorReply {
  const body = Buffer.from(JSON.stringify(dialect.errorBody(error, operationId)));
  return {
    status: error.row.status,
    headers: {
      ...headersOfCode(error.code),
      ...retryAfterOf(error),
      ...headers,
      "content-type": "application/json",
      "content-length": body.length,
    },
    body,
  };
}

/** When the same request can succeed, if whoever made the error knows it. */
function retryAfterOf({ context }: PlatformError): Record<string, string> {
  const { retryAfter } = context;
  return typeof retryAfter === "string" ? { "retry-after": retryAfter } : {};
}

/** Answers with an error. The reply must not have begun. */
export function sendError(
  sink: Pick<ReplySink, "writeHead" | "end">,
  error: PlatformError,
  form: ErrorForm,
): void {
  const reply = errorReply(error, form);
  sink.writeHead(reply.status, reply.headers);
  sink.end(reply.body);
}

/** Passes on a provider's own error, with its status and what of its head concerns the caller. */
export function sendProviderError(
  sink: Pick<ReplySink, "writeHead" | "end">,
  { status, head }: Pick<ProviderError, "status" | "head">,
  body: Buffer,
): void {
  const form = { "content-type": "application/json", "content-length": body.length };
  sink.writeHead(status, { ...head, ...form });
  sink.end(body);
}
