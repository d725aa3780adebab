/** Reads a request's body into memory, within its bound, and tells a refused caller before it has sent everything. */

import type { IncomingMessage, ServerResponse } from "node:http";

import { PlatformError } from "@faultline/protocol";

import { gatewayLimits } from "./limits.ts";

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

/** Reads the body; calls exactly one of the two, or neither when the caller leaves. */
export function readBody(
  request: IncomingMessage,
  bytesMax: number,
  then: { whole: (body: Buffer) => void; refused: (error: PlatformError) => void },
): void {
  const parts: Buffer[] = [];
  let bytes = 0;
  let refused = false;
  request.on("data", (part: Buffer) => {
    if (refused) return;
    bytes += part.length;
    if (bytes > bytesMax) {
      refused = true;
      parts.length = 0;
      then.refused(tooLarge(bytesMax));
      return;
    }
    parts.push(part);
  });
  request.on("end", () => {
    if (refused) return;
    const [only] = parts;
    then.whole(parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, bytes));
  });
}

/**
 * Reads on for a while after a refusal and throws it away: closing at once would reset the connection, and the caller
 * would see that instead of the refusal. Must be called before the response is sent.
 */
export function discardBody(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete) return;
  response.setHeader("connection", "close");
  let bytes = 0;
  request.on("data", (part: Buffer) => {
    bytes += part.length;
    if (bytes > gatewayLimits.lingerBytesMax) request.destroy();
  });
  request.resume();
}

function tooLarge(bytesMax: number): PlatformError {
  return new PlatformError(
    "request_too_large",
    `The request body is larger than ${bytesMax} bytes.`,
    { hint: "Send less; the operator sets the bound with gateway.bodyMegabytesMax." },
  );
}
