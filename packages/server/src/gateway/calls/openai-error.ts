/** Errors as callers of the OpenAI dialect read them: its body, its types, and statuses that its clients map. */

import type { ServerResponse } from "node:http";

import { type ErrorCode, errorTable, PlatformError } from "@faultline/protocol";

export interface OpenaiErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string | null;
  };
}

/** Any thrown value as a `PlatformError`; what is none of ours is a fault of Faultline. */
export function toPlatformError(error: unknown): PlatformError {
  if (error instanceof PlatformError) return error;
  return new PlatformError("internal", "Faultline failed to serve this request.", { cause: error });
}

/** The body for an error of ours. The hint is part of the message: clients of this dialect show nothing else. */
export function toOpenaiError(error: PlatformError): OpenaiErrorBody {
  const { status } = error.row;
  return {
    error: {
      message: error.hint === undefined ? error.message : `${error.message} ${error.hint}`,
      type: typeOfStatus(status),
      param: error.where?.startsWith("/") === true ? error.where.slice(1) : null,
      code: error.code,
    },
  };
}

/** The `type` that the dialect uses with a status. */
export function typeOfStatus(status: number): string {
  if (status === 401) return "authentication_error";
  if (status === 402) return "insufficient_quota";
  if (status === 403) return "permission_error";
  if (status === 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

export interface ErrorReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: Buffer;
}

/** The whole reply for an error. */
export function errorReply(
  error: PlatformError,
  headers: Readonly<Record<string, string>> = {},
): ErrorReply {
  const body = Buffer.from(JSON.stringify(toOpenaiError(error)));
  return {
    status: error.row.status,
    headers: {
      ...headers,
      ...headersOfCode(error.code),
      "content-type": "application/json",
      "content-length": body.length,
    },
    body,
  };
}

/** Answers with an error. The response must not have begun. */
export function sendError(
  response: ServerResponse,
  error: PlatformError,
  headers: Readonly<Record<string, string>> = {},
): void {
  const reply = errorReply(error, headers);
  response.writeHead(reply.status, reply.headers);
  response.end(reply.body);
}

/** The event that tells a caller in mid-stream that the rest will not come. */
export function errorEvent(error: PlatformError): string {
  return `data: ${JSON.stringify(toOpenaiError(error))}\n\n`;
}

/** Tells the official clients whether a retry can help; by the status alone they would guess. */
function headersOfCode(code: ErrorCode): Record<string, string> {
  const { status, retryable } = errorTable[code];
  const headers: Record<string, string> = { "x-should-retry": String(retryable) };
  if (status === 401) headers["www-authenticate"] = 'Bearer realm="faultline"';
  if (retryable && (status === 429 || status === 503)) headers["retry-after"] = "1";
  return headers;
}
