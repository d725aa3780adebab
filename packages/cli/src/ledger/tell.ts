/** Prints a result of the ledger: as JSON where that was asked for, else in words. */

import type { CommandContext } from "../command.ts";
import { switchOption } from "../connection.ts";

/** Gives the exit code of success. */
export function tell(context: CommandContext, value: unknown, words: () => string): number {
  const isJson = switchOption(context, "json");
  context.terminal.print(isJson ? JSON.stringify(value, undefined, 2) : words());
  return 0;
}
