/** Turns the names of tools back into those of the caller. */

import type { TranslationContext } from "./reply-context.ts";
import type { ReplyEvent } from "./reply-event.ts";

/** The function that every event of a reply goes through. */
export function restoreToolNames({
  toolNames,
}: TranslationContext): (event: ReplyEvent) => ReplyEvent {
  if (toolNames.size === 0) return (event) => event;
  return (event) => {
    if (event.kind !== "block-start" || event.block.kind !== "tool-call") return event;
    const name = toolNames.get(event.block.name);
    return name === undefined ? event : { ...event, block: { ...event.block, name } };
  };
}
