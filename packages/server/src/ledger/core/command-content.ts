/** What a command asks, as text: two commands of one content are the same command sent twice. */

import type { LedgerCommand } from "./commands.ts";

/** The content of a command without its time, which differs each time it is sent. */
export function commandContent(command: LedgerCommand): string {
  return textOf({ ...command, atMs: 0 });
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === "bigint") return `${part}n`;
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    // Whoever builds the same command elsewhere may name its parts in another order.
    return Object.fromEntries(
      Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1)),
    );
  });
}
