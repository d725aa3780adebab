/** `faultline ledger export`: the ledger at this moment, for `faultline check` and for keeping. */

import { writeFile } from "node:fs/promises";

import { type CommandContext, type CommandOption, UsageError } from "../command.ts";
import { connect, textOption } from "../connection.ts";
import { parseMoment } from "../moment.ts";

/** Of `ledger export`. */
export const exportOptions = {
  since: {
    type: "string",
    value: "MOMENT",
    description: "export entries and uses from then on, and sums of what was before (default: all)",
  },
  out: { type: "string", value: "FILE", description: "write the export to a file" },
} as const satisfies Record<string, CommandOption>;

/** Prints the export, or writes it to a file. */
export async function exportLedger(
  context: CommandContext,
  words: readonly string[],
): Promise<number> {
  if (words.length > 0) throw new UsageError("ledger export takes options only.");
  const { signal, terminal, clock } = context;
  const since = textOption(context, "since");
  const query = since === undefined ? {} : { since: parseMoment("since", since, clock.nowMs()) };
  const text = await connect(context).client.exportLedger({ query }, { signal });
  const out = textOption(context, "out");
  if (out === undefined) terminal.write(text);
  else {
    await writeFile(out, text, { signal });
    terminal.note(`Wrote ${out}.`);
  }
  return 0;
}
