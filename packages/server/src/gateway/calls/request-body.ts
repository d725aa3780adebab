/** Reads a request's body into memory, within its bound, and tells a refused caller before it has sent everything. */

import type { IncomingMessage, ServerResponse } from "node:http";

import type { Clock } from "#kernel/index.ts";
import { PlatformError } from "@faultline/protocol";

import { gatewayLimits } from "../limits.ts";
import type { Dialect } from "./dialect.ts";
import { errorReply, sendError } from "./send-error.ts";

/** Checks what the head says of the body. Throws `request_too_large` or `media_type_unsupported`. */
export function checkBodyHead(request: IncomingMessage, bytesMax: number): void {
  const encoding = request.headers["content-encoding"];
  if (encoding !== undefined && encoding.toLowerCase() !== "identity") {
    throw new PlatformError(
      "media_type_unsupported",
      `A request body with content encoding "${encoding.slice(0, 64)}" is not read here.`,
      { hint: "Send it without compression." },
    );
  }
  if (Number(request.headers["content-length"] ?? "0") > bytesMax) throw tooLarge(bytesMax);
}

/**
 * Reads the body; calls exactly one of the two, or neither when the caller leaves. Gives the way to refuse it before it is
 * whole; after that it changes nothing.
 */
export function readBody(
  request: IncomingMessage,
  bytesMax: number,
  then: { whole: (body: Buffer) => void; refused: (error: PlatformError) => void },
): (error: PlatformError) => void {
  const parts: Buffer[] = [];
  let bytes = 0;
  let isOver = false;
  const refuse = (error: PlatformError): void => {
    if (isOver) return;
    isOver = true;
    parts.length = 0;
    then.refused(error);
  };
  request.on("data", (part: Buffer) => {
    if (isOver) return;
    bytes += part.length;
    if (bytes > bytesMax) refuse(tooLarge(bytesMax));
    else parts.push(part);
  });
  request.on("end", () => {
    if (isOver) return;
    isOver = true;
    const [only] = parts;
    const whole = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, bytes);
    // The request lives as long as its reply, and these listeners with it.
    parts.length = 0;
    then.whole(whole);
  });
  return refuse;
}

/**
 * Answers with an error while the body may still be on its way. The rest is read and thrown away, within bounds: closing
 * at once would reset the connection, and the caller would see that instead of the refusal.
 */
export function refuseBody(
  { request, response, clock, dialect }: Exchange,
  error: PlatformError,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (request.complete) {
    sendError(response, error, { dialect, headers });
    return;
  }
  const length = Number(request.headers["content-length"] ?? Number.MAX_SAFE_INTEGER);
  if (length > gatewayLimits.keptConnectionBodyBytesMax) response.setHeader("connection", "close");
  const reply = errorReply(error, { dialect, headers });
  response.writeHead(reply.status, reply.headers);
  response.write(reply.body);
  let bytes = 0;
  const end = (): void => {
    response.end();
  };
  request.on("data", (part: Buffer) => {
    bytes += part.length;
    if (bytes > gatewayLimits.lingerBytesMax) end();
  });
  request.on("end", end);
  request.resume();
  const closed = new AbortController();
  response.on("close", () => closed.abort());
  clock.every(gatewayLimits.lingerMs, closed.signal, end);
}

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly clock: Clock;
  readonly dialect: Dialect;
}

function tooLarge(bytesMax: number): PlatformError {
  return new PlatformError(
    "request_too_large",
    `The request body is larger than ${bytesMax} bytes.`,
    { hint: "Send less; the operator sets the bound with gateway.bodyMegabytesMax." },
  );
}
