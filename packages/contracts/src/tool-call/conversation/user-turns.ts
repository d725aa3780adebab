/** The stretches of a conversation between one word of the user and the next. */

import type { Conversation, Exchange, Turn } from "./conversation.ts";

/** What happened from a message of the user, or the beginning, until the next. */
export interface Stretch {
  /** Indices of turns: the first, and the first that is not part of it. */
  readonly from: number;
  readonly to: number;
  readonly exchanges: readonly Exchange[];
}

/** The stretches of a conversation that hold calls. */
export function stretchesOf({ turns, exchanges }: Conversation): Stretch[] {
  const starts = [0];
  for (const [index, turn] of turns.entries()) {
    if (index > 0 && isUserWord(turn)) starts.push(index);
  }
  const stretches: Stretch[] = [];
  let next = 0;
  for (const [index, from] of starts.entries()) {
    const to = starts[index + 1] ?? turns.length;
    const begin = next;
    while ((exchanges[next]?.turn ?? Number.POSITIVE_INFINITY) < to) next += 1;
    if (next > begin) stretches.push({ from, to, exchanges: exchanges.slice(begin, next) });
  }
  return stretches;
}

/** A message of the user, not a result that comes in the user's role. */
export function isUserWord({ role, results }: Turn): boolean {
  return role === "user" && results.length === 0;
}

/** The assistant's answer that ends a stretch: its last turn with words and without calls. */
export function answerOf(
  { turns }: Conversation,
  { from, to }: Stretch,
): { readonly text: string; readonly turn: number } | undefined {
  for (let index = to - 1; index >= from; index -= 1) {
    const turn = turns[index];
    if (turn?.role !== "assistant") continue;
    return turn.calls.length > 0 || turn.text === undefined
      ? undefined
      : { text: turn.text, turn: index };
  }
  return undefined;
}
