/** Turns whatever was thrown into the one error body of the control API. The only place that maps codes to statuses. */

import { assert, AssertionError, type Ids, isAbort } from "#kernel/index.ts";
import { PlatformError } from "@faultline/protocol";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";

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
  return reply
    .status(error.row.status)
    .type("application/json; charset=utf-8")
    .send(JSON.stringify(error.toBody()));
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

/** What fastify refuses before a handler runs. */
function fromFastify(error: unknown): PlatformError | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  // Every error with a code of this form is fastify's own.
  const { code, message } = error as FastifyError;
  switch (code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return tooLarge(error);
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
    case "FST_ERR_CTP_EMPTY_TYPE":
      return new PlatformError(
        "media_type_unsupported",
        "The content type is not one that this path reads.",
        {
          where: "header content-type",
          hint: "Send `content-type: application/json`; OTLP paths read application/x-protobuf too.",
          cause: error,
        },
      );
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return new PlatformError(
        "request_malformed",
        "The body is not as long as its content-length says.",
        { cause: error },
      );
    case "FST_ERR_BAD_URL":
      return new PlatformError(
        "request_malformed",
        "The path cannot be decoded: its percent encoding is wrong.",
        { cause: error },
      );
    default:
      assert(typeof code === "string", "an error code is text");
      return code.startsWith("FST_ERR_CTP")
        ? new PlatformError("request_malformed", message, { cause: error })
        : undefined;
  }
}

function tooLarge(cause: unknown): PlatformError {
  return new PlatformError("request_too_large", "The body is larger than this path reads.", {
    hint: "Send less at once; docs/operating.md names the limits and the settings that raise them.",
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
