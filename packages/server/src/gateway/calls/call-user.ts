/** Whom a call is made for, as its caller says. */

import type { RequestFacts } from "./request-reader.ts";
import type { CallerHeaders } from "./upstream-request.ts";

/** The header by which a caller names its end user; it goes before the field of the body. */
const userHeader = "x-faultline-user";

/** The end user that the caller names. */
export function userOf(
  headers: CallerHeaders,
  { user, places }: RequestFacts,
  body: Buffer,
): string | undefined {
  const named = headers[userHeader];
  if (typeof named === "string" && named !== "") return named;
  if (user !== undefined && user !== "") return user;
  // A text that is too long to be kept still tells users apart.
  const place = places.user;
  if (place?.kind !== "string" || !place.filled) return undefined;
  return body.toString("latin1", place.start, place.end);
}
