/** What a broken connection to a provider means, by how far the reply had come. */

import { PlatformError } from "@faultline/protocol";

import type { TransportFault } from "../dispatch/attempt-failure.ts";
import type { ReplyReader } from "./reply-reader.ts";

export interface TransportState {
  readonly provider: string;
  readonly connecting: boolean;
  /** The provider's reply had begun. */
  readonly replying: boolean;
}

/** A transport failure of the client library as an error of ours. */
export function toProviderError(error: Error, state: TransportState): PlatformError {
  const { provider } = state;
  const reason = readReason(error);
  if (reason === "UND_ERR_CONNECT_TIMEOUT") {
    return new PlatformError(
      "provider_timeout",
      `Provider "${provider}" did not accept a connection within the connect deadline.`,
      { cause: error },
    );
  }
  if (state.replying) {
    return new PlatformError(
      "provider_stream_cut",
      `Provider "${provider}" broke the connection in the middle of its reply.`,
      { cause: error, context: { reason } },
    );
  }
  if (isNotHttp(error, reason)) {
    return new PlatformError(
      "provider_response_invalid",
      `Provider "${provider}" answered with something that is not HTTP as it is read here.`,
      { cause: error, context: { reason } },
    );
  }
  const what = state.connecting
    ? "could not be reached"
    : "closed the connection without an answer";
  return new PlatformError("provider_unreachable", `Provider "${provider}" ${what} (${reason}).`, {
    cause: error,
    context: { reason },
  });
}

const connectTimeouts: ReadonlySet<string> = new Set(["UND_ERR_CONNECT_TIMEOUT", "ETIMEDOUT"]);
const nameFailures: ReadonlySet<string> = new Set(["ENOTFOUND", "EAI_AGAIN", "EAI_FAIL"]);

/** Where the connection broke. */
export function transportFaultOf(error: Error, state: TransportState): TransportFault {
  const reason = readReason(error);
  // A transfer that breaks off ends within a chunk, which the parser calls its error.
  if (state.replying) return "reset-after-headers";
  if (isNotHttp(error, reason)) return "not-http";
  if (connectTimeouts.has(reason)) return "connect-timeout";
  if (nameFailures.has(reason)) return "name-unresolved";
  if (!state.connecting) return "reset-before-headers";
  const ofTls = /^(?:ERR_(?:TLS|SSL)|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(reason);
  return ofTls ? "tls-failed" : "connect-refused";
}

/** What came cannot be read as HTTP, or its head is longer than any is. */
function isNotHttp(error: Error, reason: string): boolean {
  return (
    error.name === "HTTPParserError" ||
    reason.startsWith("HPE_") ||
    reason === "UND_ERR_HEADERS_OVERFLOW"
  );
}

/** A short, stable reason: codes of the system and of the client, never their text, which may name addresses. */
function readReason(error: Error): string {
  if ("code" in error && typeof error.code === "string") return error.code;
  return error.name;
}

/** An error that a provider reported within its stream. What it said may quote the prompt, so it stays out of spans. */
export function providerReported(reader: ReplyReader): PlatformError {
  const said = reader.errorMessage === undefined ? "." : `: ${reader.errorMessage}`;
  return new PlatformError(
    "provider_failed",
    `The provider reported an error in its stream${said}`,
    {
      context: { code: reader.errorCode ?? "" },
    },
  );
}
