/** Moments as they come from outside. */

import { PlatformError } from "@faultline/protocol";

/**
 * Reads a moment that its schema let through: RFC 3339 knows leap seconds, and texts with the name of a time zone behind them
 * pass too, which no date here can be. Throws `request_invalid` with the place in the request.
 */
export function readMoment(text: string, where: string): number {
  const ms = Date.parse(text);
  if (!Number.isNaN(ms)) return ms;
  throw new PlatformError("request_invalid", `'${text}' is no moment that can be reckoned with.`, {
    where,
    hint: "Write it as 2026-12-31T23:59:59Z: no second 60, and no zone in brackets.",
  });
}
