/** Errors that a provider reports, in the words of each surface. */

import type { JsonObject } from "../../wire/json-values.ts";
import { compact } from "../json-document.ts";
import type { Surface } from "../surface.ts";
import type { ProviderError } from "./reply-event.ts";

/** The Anthropic word for each status; others are an `api_error` or, below 500, an `invalid_request_error`. */
const messagesTypes: Readonly<Record<number, string>> = {
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  504: "timeout_error",
  529: "overloaded_error",
};

const openaiTypes: Readonly<Record<number, string>> = {
  401: "authentication_error",
  402: "insufficient_quota",
  403: "permission_error",
  429: "rate_limit_error",
};

/** Words of providers that say the status of an error in a stream, where there is none. */
const statusOfWord: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  insufficient_quota: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  rate_limit_exceeded: 429,
  timeout_error: 504,
  overloaded_error: 529,
};

/** The status that an error without one has, by its words. */
export function statusOfError(error: ProviderError): number {
  return statusOfWord[error.type ?? ""] ?? statusOfWord[error.code ?? ""] ?? 500;
}

/** The body of an error reply. */
export function writeErrorBody(surface: Surface, error: ProviderError, status: number): JsonObject {
  if (surface === "messages") {
    const type = messagesTypes[status] ?? (status < 500 ? "invalid_request_error" : "api_error");
    return { type: "error", error: { type, message: error.message } };
  }
  return { error: writeOpenaiError(error, status) };
}

/** The error object of the OpenAI surfaces. Their own words pass; a foreign one becomes the code. */
function writeOpenaiError(error: ProviderError, status: number): JsonObject {
  return {
    message: error.message,
    type: openaiTypes[status] ?? (status < 500 ? "invalid_request_error" : "server_error"),
    param: error.param ?? null,
    code: error.code ?? error.type ?? null,
  };
}

/** The event that tells a caller in mid-stream that the rest will not come. */
export function writeErrorEvent(surface: "chat" | "messages", error: ProviderError): string {
  const body = JSON.stringify(compact(writeErrorBody(surface, error, statusOfError(error))));
  return surface === "chat" ? `data: ${body}\n\n` : `event: error\ndata: ${body}\n\n`;
}
