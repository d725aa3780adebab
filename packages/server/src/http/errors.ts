/** Turns whatever was thrown into the one error body of the control API. The only place that maps codes to statuses. */

import { AssertionError, type Ids, isAbort } from "#kernel/index.ts";
import { PlatformError } from "@faultline/protocol";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";

import { sendLingering } from "./lingering-body.ts";

export interface ErrorReporting {
  readonly ids: Ids;
  readonly logger: Logger;
}

/** Says `error` in a code of the table. What nobody foresaw becomes `internal` with an id that stands in the log. */
export function toPlatformError(
  error: unknown,
  request: FastifyRequest,
  reporting: ErrorReporting,
): PlatformError {
  if (error instanceof PlatformError) {
    if (error.row.status >= 500) reporting.logger.error(describe(error, request), error.message);
    return error;
  }
  const known = fromFastify(error) ?? fromAbort(error);
  if (known !== undefined) return known;
  const id = reporting.ids.next();
  reporting.logger.error(
    { ...describe(error, request), errorId: id },
    "a request failed in a way that nobody foresaw",
  );
  const what =
    error instanceof AssertionError
      ? "An invariant of Faultline does not hold"
      : "Faultline failed";
  return new PlatformError("internal", `${what}; the log holds the details under ${id}.`, {
    hint: `Search the log for ${id}, and report it with the lines around it.`,
    cause: error,
  });
}

/** Sends an error as the control API's body. */
export function sendError(reply: FastifyReply, error: PlatformError): FastifyReply {
  if (error.row.retryable && error.row.status === 503) reply.header("retry-after", "1");
  if (error.row.status === 401) reply.header("www-authenticate", 'Bearer realm="faultline"');
  reply.status(error.row.status).type("application/json; charset=utf-8");
  return sendLingering(reply, Buffer.from(JSON.stringify(error.toBody())));
}

function describe(error: unknown, request: FastifyRequest): Record<string, unknown> {
  const context = error instanceof PlatformError ? error.context : {};
  return {
    err: error,
    method: request.method,
    path: request.routeOptions.url ?? "unknown",
    ...context,
  };
}

/** What fastify and its plugins refuse before a handler of ours runs; their errors say so with a status of the caller's. */
function fromFastify(error: unknown): PlatformError | undefined {
  if (!(error instanceof Error) || !("statusCode" in error) || typeof error.statusCode !== "number")
    return undefined;
  switch (error.statusCode) {
    case 413:
      return tooLarge(error);
    case 414:
    case 431:
      return new PlatformError(
        "request_too_large",
        "A part of the path or a header is longer than any that is known here.",
        { cause: error },
      );
    case 415:
      return new PlatformError(
        "media_type_unsupported",
        "The content type is not one that this path reads.",
        {
          where: "header content-type",
          hint: "Send `content-type: application/json`; OTLP paths read application/x-protobuf too.",
          cause: error,
        },
      );
    case 403:
    case 404:
      return new PlatformError("not_found", "There is nothing at this path.", { cause: error });
    default:
      if (error.statusCode < 400 || error.statusCode >= 500) return undefined;
      return new PlatformError(
        "request_malformed",
        `The request cannot be read: ${error.message}`,
        { cause: error },
      );
  }
}

function tooLarge(cause: unknown): PlatformError {
  return new PlatformError("request_too_large", "The body is larger than this path reads.", {
    hint: "Send less at once; docs/reference/settings.md names the limits and the settings that raise them.",
    cause,
  });
}

function fromAbort(error: unknown): PlatformError | undefined {
  if (!isAbort(error)) return undefined;
  return new PlatformError("shutting_down", "The request was given up before it was done.", {
    hint: "Faultline is stopping, or the request ran past its deadline. Send it again.",
    cause: error,
  });
}
