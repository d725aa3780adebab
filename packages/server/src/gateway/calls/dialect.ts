/** The dialects that callers speak, as far as errors go: bodies, types and the words of their clients. */

import { type ErrorCode, errorTable, PlatformError } from "@faultline/protocol";

export type DialectName = "openai" | "anthropic";

/** What a dialect says when something failed. */
export interface Dialect {
  readonly name: DialectName;
  /** The body for an error of ours. The hint is part of the message: clients show nothing else. */
  errorBody(error: PlatformError, operationId: string | undefined): object;
  /** The body for an error that a provider reported in no shape of this dialect. */
  foreignErrorBody(status: number, message: string): object;
}

/** Any thrown value as a `PlatformError`; what is none of ours is a fault of Faultline. */
export function toPlatformError(error: unknown): PlatformError {
  if (error instanceof PlatformError) return error;
  return new PlatformError("internal", "Faultline failed to serve this request.", { cause: error });
}

export const openaiDialect: Dialect = {
  name: "openai",
  errorBody: (error) => ({
    error: {
      message: messageOf(error),
      type: openaiTypeOf(error.row.status),
      param: error.where?.startsWith("/") === true ? error.where.slice(1) : null,
      code: error.code,
    },
  }),
  foreignErrorBody: (status, message) => ({
    error: { message, type: openaiTypeOf(status), param: null, code: null },
  }),
};

/** The names are those of Anthropic's API; `code` is ours, beside them. */
export const anthropicDialect: Dialect = {
  name: "anthropic",
  errorBody: (error, operationId) => ({
    type: "error",
    error: {
      type: anthropicTypeOf(error.row.status),
      message: messageOf(error),
      code: error.code,
    },
    ...(operationId === undefined ? {} : { request_id: operationId }),
  }),
  foreignErrorBody: (status, message) => ({
    type: "error",
    error: { type: anthropicTypeOf(status), message },
  }),
};

/** The `type` that OpenAI's dialect uses with a status. */
export function openaiTypeOf(status: number): string {
  if (status === 401) return "authentication_error";
  if (status === 402) return "insufficient_quota";
  if (status === 403) return "permission_error";
  if (status === 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

const anthropicTypes: Readonly<Record<number, string>> = {
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  504: "timeout_error",
  529: "overloaded_error",
};

/** The `type` that Anthropic's dialect uses with a status. */
export function anthropicTypeOf(status: number): string {
  return anthropicTypes[status] ?? (status < 500 ? "invalid_request_error" : "api_error");
}

function messageOf(error: PlatformError): string {
  return error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
}

/** Tells the official clients whether a retry can help; by the status alone they would guess. */
export function headersOfCode(code: ErrorCode): Record<string, string> {
  const { status, retryable } = errorTable[code];
  const headers: Record<string, string> = { "x-should-retry": String(retryable) };
  if (status === 401) headers["www-authenticate"] = 'Bearer realm="faultline"';
  if (retryable && (status === 429 || status === 503)) headers["retry-after"] = "1";
  return headers;
}
