/** What an exchange with a target has used: as the provider reports it, else as far as it was seen. */

import type { ReplyReader, ReplyUsage } from "./reply-reader.ts";

/** Where the figures come from: the provider, or our count of what passed by. */
export type UsageSource = "provider" | "observed";

export interface SettledUsage {
  readonly usage: ReplyUsage;
  readonly source: UsageSource;
}

/** Bytes of text that a token stands for, about: the vocabularies of today lie between three and five. */
const bytesPerToken = 4;

/**
 * Settles what was used. A reply that ended early, or never began, has reported nothing, or less than it said: then each
 * event counts as a token at least, and the text at four bytes a token, rounded up.
 */
export function settleUsage(
  reader: ReplyReader,
  seen: { readonly inputTokens: number; readonly isComplete: boolean },
): SettledUsage {
  const reported = reader.usage;
  if (reader.usageSeen && seen.isComplete) return { usage: reported, source: "provider" };
  const outputTokens = Math.max(reader.deltaCount, Math.ceil(reader.saidBytes / bytesPerToken));
  if (reader.usageSeen && reported.outputTokens >= outputTokens) {
    return { usage: reported, source: "provider" };
  }
  const inputTokens = reader.usageSeen ? reported.inputTokens : seen.inputTokens;
  return { usage: { ...reported, inputTokens, outputTokens }, source: "observed" };
}
