/** What a command asks, as text: two commands of one content are the same command sent twice. */

import type { LedgerCommand } from "./commands.ts";

/** The content of a command without its time, which differs each time it is sent. */
export function commandContent(command: LedgerCommand): string {
  return objectText(command, "atMs");
}

function textOf(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "bigint":
      return `${value}n`;
    case "object":
      if (value === null) return "null";
      return Array.isArray(value) ? `[${value.map(textOf).join()}]` : objectText(value, "");
    default:
      return String(value);
  }
}

/** Whoever builds the same command elsewhere may name its parts in another order, or leave out what is undefined. */
function objectText(value: object, without: string): string {
  let text = "{";
  const parts: Readonly<Record<string, unknown>> = { ...value };
  for (const name of Object.keys(parts).sort()) {
    const part = parts[name];
    if (name !== without && part !== undefined) text += `${name}:${textOf(part)},`;
  }
  return `${text}}`;
}
