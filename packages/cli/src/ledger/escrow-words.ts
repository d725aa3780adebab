/** `faultline ledger escrow`: what other regions hold of the account, and recalling it. */

import type { RegionEscrow } from "@faultline/protocol";

import { type CommandContext, UsageError } from "../command.ts";
import { connect, textOption } from "../connection.ts";
import { parseDurationMs } from "../moment.ts";
import type { Terminal } from "../terminal.ts";
import { unitsOf } from "./amount-text.ts";
import { foreignTable } from "./foreign-table.ts";
import { tell } from "./tell.ts";

const msPerSecond = 1_000;

/** Without words it lists the escrows. */
export async function escrow(context: CommandContext, words: readonly string[]): Promise<number> {
  const [verb, region, ...rest] = words;
  const { signal, terminal } = context;
  const { client } = connect(context);
  if (verb === undefined) {
    const found = await client.listEscrows({}, { signal });
    return tell(context, found, () => escrowTable(terminal, found.escrows));
  }
  if (verb !== "recall" || region === undefined || rest.length > 0)
    throw new UsageError("ledger escrow may take recall REGION.");
  const lasts = textOption(context, "for");
  const durationMs = lasts === undefined ? undefined : parseDurationMs(lasts);
  if (lasts !== undefined && durationMs === undefined)
    throw new UsageError(`--for takes a duration such as 10m; '${lasts}' is none.`);
  const body = {
    region,
    ...(durationMs === undefined ? {} : { durationSeconds: Math.ceil(durationMs / msPerSecond) }),
  };
  const recalled = await client.recallEscrow({ body }, { signal });
  return tell(context, recalled, () => escrowTable(terminal, recalled.escrows));
}

function escrowTable(terminal: Terminal, escrows: readonly RegionEscrow[]): string {
  if (escrows.length === 0) return "No other region holds credit of this account.";
  return foreignTable(
    terminal,
    ["REGION", "HELD", "CHARGED", "SILENT", "RECALLED"],
    escrows.map((one) => [
      one.region,
      `${unitsOf(one.heldMicros)} ${one.currency}`,
      unitsOf(one.chargedMicros),
      `${one.silentSeconds} s`,
      recallWords(one),
    ]),
  );
}

function recallWords({ recalledUntil, isOverdue = false }: RegionEscrow): string {
  if (recalledUntil === undefined) return "no";
  return isOverdue ? `overdue since ${recalledUntil}` : `until ${recalledUntil}`;
}
