/**
 * A reply in the middle of its translation: a sequence of events. Whole replies and streams are read into the same
 * events and written from them, so that a stream says what the whole reply would have said. Blocks come one after the
 * other: between `block-start` and `block-end` all deltas belong to that block.
 */

import type { ReasoningState } from "../reasoning-state.ts";

export type ReplyEvent =
  | {
      readonly kind: "start";
      readonly id: string;
      readonly model: string;
      readonly usage: ReplyUsage | undefined;
    }
  | { readonly kind: "block-start"; readonly block: ReplyBlock }
  | { readonly kind: "delta"; readonly text: string }
  | { readonly kind: "block-end"; readonly state: ReasoningState | undefined }
  | {
      readonly kind: "end";
      readonly stop: ReplyStop;
      readonly usage: ReplyUsage | undefined;
      readonly serviceTier: string | undefined;
    }
  | { readonly kind: "error"; readonly error: ProviderError };

export type ReplyBlock =
  | { readonly kind: "text" }
  | { readonly kind: "refusal" }
  | { readonly kind: "reasoning" }
  | {
      readonly kind: "tool-call";
      readonly id: string;
      readonly name: string;
      /** The input is free text, not a JSON object. */
      readonly custom: boolean;
    };

/** Why the model stopped. */
export type ReplyStop =
  | { readonly kind: "done" }
  | { readonly kind: "stop-sequence"; readonly sequence: string }
  | { readonly kind: "length" }
  | { readonly kind: "context-length" }
  | { readonly kind: "tool-calls" }
  | { readonly kind: "filtered"; readonly explanation: string | undefined };

/** Token counts. `inputTokens` include what was read from and written to a cache; `outputTokens` include reasoning. */
export interface ReplyUsage {
  readonly inputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
}

/** An error that a provider reports, in a body or in the middle of a stream. */
export interface ProviderError {
  readonly message: string;
  /** The provider's word for it. */
  readonly type: string | undefined;
  readonly code: string | undefined;
  readonly param: string | undefined;
}
