/** OTLP over HTTP: `/v1/traces`, `/v1/logs`, `/v1/metrics`. Answers and errors are in the request's encoding. */

import type { Principal } from "#identity/index.ts";
import { assert } from "#kernel/index.ts";
import type { PlatformError } from "@faultline/protocol";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import { authenticate, authorize, readCredentials } from "../authenticate.ts";
import { toPlatformError } from "../errors.ts";
import { sendLingering } from "../lingering-body.ts";
import { requestSignal } from "../request-signal.ts";
import type { ControlOptions } from "../services.ts";
import type { Sessions } from "../sessions.ts";
import {
  encodeExportResponse,
  encodeStatus,
  type OtlpEncoding,
  type OtlpKind,
  otlpMediaTypes,
} from "./encode.ts";
import { unpackBody } from "./unpack.ts";

const kinds: readonly OtlpKind[] = ["traces", "logs", "metrics"];

/** Adds the three routes in a scope of their own: their bodies are raw, and their errors speak OTLP. */
export async function registerOtlp(
  app: FastifyInstance,
  options: ControlOptions,
  sessions: Sessions,
): Promise<void> {
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      Object.values(otlpMediaTypes),
      { parseAs: "buffer", bodyLimit: options.config.otlp.bodyBytesMax },
      async (_request: unknown, body: Buffer) => body,
    );
    scope.setErrorHandler((error, request, reply) =>
      sendStatus(reply, encodingOf(request), toPlatformError(error, request, options)),
    );
    for (const kind of kinds) registerKind(scope, kind, { options, sessions });
  });
}

interface Parts {
  readonly options: ControlOptions;
  readonly sessions: Sessions;
}

function registerKind(scope: FastifyInstance, kind: OtlpKind, { options, sessions }: Parts): void {
  const principals = new WeakMap<FastifyRequest, Principal>();
  scope.route({
    method: "POST",
    url: `/v1/${kind}`,
    bodyLimit: options.config.otlp.bodyBytesMax,
    // Before the body is read: nobody unknown makes the server hold one.
    onRequest: async (request, reply) => {
      const principal = await authenticate({
        credentials: readCredentials(request),
        identity: options.services.identity,
        sessions,
        signal: requestSignal(reply, options),
      });
      authorize(principal, "telemetry:write");
      principals.set(request, principal);
    },
    handler: async (request, reply) => {
      const principal = principals.get(request);
      assert(principal !== undefined, "the request was authenticated before its body was read");
      const encoding = encodingOf(request);
      // The parser above gives bytes; a request without a body has none.
      const body = (request.body as Buffer | undefined) ?? Buffer.alloc(0);
      const bytes = await unpackBody(
        body,
        request.headers["content-encoding"],
        options.config.otlp.unpackedBytesMax,
      );
      const partial = await options.services.telemetry.ingestOtlp({
        kind,
        tenantId: principal.tenantId,
        bytes,
        encoding,
        signal: requestSignal(reply, options),
      });
      return reply
        .status(200)
        .type(otlpMediaTypes[encoding])
        .send(encodeExportResponse(kind, encoding, partial));
    },
  });
}

/** JSON when the request says so, else protobuf, the form that every exporter reads. */
function encodingOf(request: FastifyRequest): OtlpEncoding {
  return request.headers["content-type"]?.toLowerCase().startsWith("application/json") === true
    ? "json"
    : "protobuf";
}

function sendStatus(
  reply: FastifyReply,
  encoding: OtlpEncoding,
  error: PlatformError,
): FastifyReply {
  const { status, retryable } = error.row;
  if (retryable && (status === 429 || status === 503)) reply.header("retry-after", "1");
  if (status === 401) reply.header("www-authenticate", 'Bearer realm="faultline"');
  const where = error.where === undefined ? "" : ` (at ${error.where})`;
  const hint = error.hint === undefined ? "" : ` ${error.hint}`;
  const message = `${error.code}: ${error.message}${where}${hint}`;
  reply.status(status).type(otlpMediaTypes[encoding]);
  return sendLingering(reply, encodeStatus(encoding, status, message));
}
