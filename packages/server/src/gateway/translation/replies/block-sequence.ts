/**
 * Puts the blocks of a stream one after the other. Providers may interleave them (deltas of two tool calls in turn);
 * callers get each block whole before the next: what arrives for a later block while one is open waits its turn.
 */

import type { ReasoningState } from "../reasoning-state.ts";
import { translationLimits } from "../translation-limits.ts";
import { invalidReply } from "./reply-fault.ts";
import type { ReplyBlock, ReplyEvent } from "./reply-event.ts";

interface OpenBlock {
  readonly block: ReplyBlock;
  /** Deltas that wait for the block's turn. */
  waiting: string;
  ended: boolean;
  state: ReasoningState | undefined;
}

export class BlockSequence {
  readonly #emit: (event: ReplyEvent) => void;
  /** Blocks that have not ended towards the caller, by the provider's key; the first one is the caller's open block. */
  readonly #open = new Map<string, OpenBlock>();
  #blockCount = 0;
  #length = 0;

  constructor(emit: (event: ReplyEvent) => void) {
    this.#emit = emit;
  }

  /** Throws `provider_response_invalid` beyond the limits. */
  start(key: string, block: ReplyBlock): void {
    if (this.#open.has(key)) throw invalidReply("a block begins twice");
    this.#blockCount += 1;
    if (this.#blockCount > translationLimits.replyBlockCountMax) {
      throw invalidReply(`it has more than ${translationLimits.replyBlockCountMax} blocks`);
    }
    if (this.#open.size === translationLimits.replyOpenBlockCountMax) {
      throw invalidReply("too many blocks are open at once");
    }
    this.#open.set(key, { block, waiting: "", ended: false, state: undefined });
    if (this.#open.size === 1) this.#emit({ kind: "block-start", block });
  }

  /** Throws `provider_response_invalid` beyond the limits, or for a block that is not open. */
  delta(key: string, text: string): void {
    const open = this.#open.get(key);
    if (open === undefined || open.ended) throw invalidReply("a delta belongs to no open block");
    this.#length += text.length;
    if (this.#length > translationLimits.replyLengthMax) {
      throw invalidReply(`it has more than ${translationLimits.replyLengthMax} characters`);
    }
    if (text === "") return;
    if (this.#isCurrent(key)) this.#emit({ kind: "delta", text });
    else open.waiting += text;
  }

  end(key: string, state?: ReasoningState): void {
    const open = this.#open.get(key);
    if (open === undefined || open.ended) throw invalidReply("a block ends that is not open");
    open.ended = true;
    open.state = state;
    if (this.#isCurrent(key)) this.#advance();
  }

  /** Ends what is still open, in order. */
  endAll(): void {
    for (const open of this.#open.values()) open.ended = true;
    this.#advance();
  }

  /** Whether it is the block that the caller sees growing. */
  #isCurrent(key: string): boolean {
    return this.#open.keys().next().value === key;
  }

  /** Ends the blocks at the head that are complete, and lets the next one speak. */
  #advance(): void {
    for (const [key, open] of this.#open) {
      if (!open.ended) return;
      this.#emit({ kind: "block-end", state: open.state });
      this.#open.delete(key);
      const next = this.#open.values().next().value;
      if (next === undefined) return;
      this.#emit({ kind: "block-start", block: next.block });
      if (next.waiting !== "") this.#emit({ kind: "delta", text: next.waiting });
      next.waiting = "";
    }
  }
}
