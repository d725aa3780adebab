/** Whether a call may be answered from the cache, and how old the answer may be. */

import type { IncomingHttpHeaders } from "node:http";

import { PlatformError } from "@faultline/protocol";

import { cacheLimits } from "./limits.ts";

/** Says what a call asks for, and in a reply what it got. */
export const cacheHeader = "x-faultline-cache";
const agePattern = /^max-age=(\d{1,7})$/;
const msPerSecond = 1_000;

/**
 * The age in milliseconds up to which a kept reply may answer; nothing when the cache is not asked. The request counts
 * before its bundle. Throws `request_invalid`.
 */
export function readCacheWish(
  headers: IncomingHttpHeaders,
  ages: { readonly defaultMs: number; readonly bundleSeconds: number | undefined },
): number | undefined {
  const word = headers[cacheHeader];
  const bundleMs = ages.bundleSeconds === undefined ? undefined : ages.bundleSeconds * msPerSecond;
  if (word === undefined) return bundleMs;
  if (word === "off") return undefined;
  if (word === "use") return bundleMs ?? ages.defaultMs;
  const seconds = typeof word === "string" ? Number(agePattern.exec(word)?.[1]) : Number.NaN;
  if (seconds <= cacheLimits.ageSecondsMax) return seconds * msPerSecond;
  throw new PlatformError(
    "request_invalid",
    `The header ${cacheHeader} takes "use", "off", or "max-age=" and seconds, at most ${cacheLimits.ageSecondsMax}.`,
    { where: cacheHeader },
  );
}
