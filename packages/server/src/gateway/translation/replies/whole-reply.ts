/** A reply with all that it said, put together from its events. */

import type { ReasoningState } from "../reasoning-state.ts";
import { invalidReply } from "./reply-fault.ts";
import type { ReplyBlock, ReplyEvent } from "./reply-event.ts";

export interface WholeBlock {
  readonly block: ReplyBlock;
  readonly text: string;
  readonly state: ReasoningState | undefined;
}

export interface WholeReply {
  readonly start: Extract<ReplyEvent, { kind: "start" }>;
  readonly blocks: readonly WholeBlock[];
  readonly end: Extract<ReplyEvent, { kind: "end" }>;
}

/** Throws `provider_response_invalid` when the provider reported an error in the place of a reply. */
export function joinEvents(events: readonly ReplyEvent[]): WholeReply {
  let start: WholeReply["start"] | undefined;
  let end: WholeReply["end"] | undefined;
  let open: { block: ReplyBlock; text: string } | undefined;
  const blocks: WholeBlock[] = [];
  for (const event of events) {
    if (event.kind === "start") start = event;
    else if (event.kind === "end") end = event;
    else if (event.kind === "block-start") open = { block: event.block, text: "" };
    else if (event.kind === "error") throw invalidReply(`it is an error: ${event.error.message}`);
    else if (open === undefined) throw invalidReply("a part belongs to no block");
    else if (event.kind === "delta") open.text += event.text;
    else blocks.push({ ...open, state: event.state });
  }
  if (start === undefined || end === undefined) throw invalidReply("it is not whole");
  return { start, blocks, end };
}
