/** Headers of callers that change what a provider does: two calls that differ in one of them are not the same. */

import type { IncomingHttpHeaders } from "node:http";

const names = [
  "anthropic-beta",
  "anthropic-version",
  "openai-beta",
  "x-faultline-simulate",
] as const;

/** Their values, in a fixed order. */
export function askingHeaders(headers: IncomingHttpHeaders): (string | string[] | null)[] {
  return names.map((name) => headers[name] ?? null);
}
