/** `faultline ledger conflicts`: grants, budgets and credit lines that two regions edited without knowing of one another. */

import { printable } from "@faultline/contracts";
import type { GrantConflict } from "@faultline/protocol";

import { type CommandContext, UsageError } from "../command.ts";
import { connect } from "../connection.ts";
import { tell } from "./tell.ts";

const exitConflict = 1;

/** Exits with 1 where there are some. */
export async function conflicts(
  context: CommandContext,
  words: readonly string[],
): Promise<number> {
  const { client } = connect(context);
  const { signal } = context;
  const [verb, key, number, ...more] = words;
  if (verb === undefined) {
    const found = await client.listGrantConflicts({}, { signal });
    tell(context, found, () =>
      found.conflicts.length === 0
        ? "No edits contradict one another."
        : found.conflicts.map(linesOf).join("\n"),
    );
    return found.conflicts.length === 0 ? 0 : exitConflict;
  }
  if (
    verb !== "resolve" ||
    key === undefined ||
    !/^[1-9]\d?$/.test(number ?? "") ||
    more.length > 0
  )
    throw new UsageError("ledger conflicts resolve takes a key and the number of an edit.");
  const body = { key, number: Number(number) };
  const resolved = await client.resolveGrantConflict({ body }, { signal });
  return tell(context, resolved, () => `${resolved.key}: ${printable(resolved.holds)}`);
}

function linesOf({ key, holds, edits }: GrantConflict): string {
  const lines = edits.map(
    ({ number, region, at, says }) => `  ${number}  ${region}  ${at}  ${printable(says)}`,
  );
  return [`${printable(key)}: until it is resolved, ${printable(holds)}`, ...lines].join("\n");
}
