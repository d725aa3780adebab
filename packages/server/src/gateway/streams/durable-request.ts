/** How a caller asks for a durable stream. */

import type { IncomingHttpHeaders } from "node:http";

import { PlatformError } from "@faultline/protocol";

const header = "x-faultline-stream";

/** Whether a request asks for its stream to be kept. Throws `request_invalid` on a word that is not known. */
export function asksForDurable(headers: IncomingHttpHeaders): boolean {
  const word = headers[header];
  if (word === undefined) return false;
  if (word === "durable") return true;
  throw new PlatformError("request_invalid", `The header ${header} takes the word "durable".`, {
    where: header,
  });
}
