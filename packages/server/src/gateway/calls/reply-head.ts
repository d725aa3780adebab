/** What of a provider's reply head reaches the caller, and what Faultline adds. */

import type { IncomingHttpHeaders } from "node:http";

/** Headers that carry meaning for a caller; cookies, hop-by-hop headers and framing stay behind. */
const passedNames: ReadonlySet<string> = new Set([
  "content-type",
  "cache-control",
  "retry-after",
  "retry-after-ms",
  "x-request-id",
  "request-id",
  "x-should-retry",
  "openai-model",
  "openai-processing-ms",
  "openai-version",
  "x-faultline-simulated",
]);
const rateNames = [
  "x-ratelimit-limit-requests",
  "x-ratelimit-limit-tokens",
  "anthropic-ratelimit-requests-limit",
  "anthropic-ratelimit-tokens-limit",
];

export type ReplyHead = Record<string, string | string[] | number>;

/** Whether a reply with this head is a stream of events. */
export function isEventStream(head: ReplyHead): boolean {
  const type = head["content-type"];
  return typeof type === "string" && type.toLowerCase().startsWith("text/event-stream");
}

function isRate(name: string): boolean {
  return name.startsWith("x-ratelimit-") || name.startsWith("anthropic-ratelimit-");
}

/** The head of a reply: what is passed on of the provider's headers, and ours. */
export function replyHead(
  upstream: IncomingHttpHeaders,
  own: Readonly<Record<string, string>>,
): ReplyHead {
  const head: ReplyHead = { ...own };
  for (const name in upstream) {
    const value = upstream[name];
    if (value === undefined) continue;
    // Limits of ours and of the provider side by side would be neither.
    const passes = isRate(name) ? !statesRates(own) : passedNames.has(name);
    if (passes) head[name] = value;
  }
  return head;
}

function statesRates(own: Readonly<Record<string, string>>): boolean {
  return rateNames.some((name) => name in own);
}
