/** `faultline ledger reconcile`: what does not agree, and the entries that would settle it. */

import { printable } from "@faultline/contracts";
import type { LedgerDifference, Reconciliation } from "@faultline/protocol";

import { type CommandContext, UsageError } from "../command.ts";
import { connect, switchOption, textOption } from "../connection.ts";
import { parseMoment } from "../moment.ts";
import { unitsOf } from "./amount-text.ts";
import { readInvoice } from "./read-invoice.ts";
import { tell } from "./tell.ts";

const exitDiffers = 1;
const invoiceWindow = "30d";

/** Exits with 1 where something differs. */
export async function reconcile(
  context: CommandContext,
  words: readonly string[],
): Promise<number> {
  if (words.length > 0) throw new UsageError("ledger reconcile takes options only.");
  const path = textOption(context, "invoice");
  const nowMs = context.clock.nowMs();
  const moment = (name: string, otherwise: string): string =>
    parseMoment(name, textOption(context, name) ?? otherwise, nowMs);
  const body = {
    apply: switchOption(context, "apply"),
    ...(path === undefined
      ? {}
      : {
          invoice: {
            from: moment("from", invoiceWindow),
            until: moment("until", "0s"),
            lines: await readInvoice(path),
          },
        }),
  };
  const { signal } = context;
  const found = await connect(context).client.reconcileLedger({ body }, { signal });
  tell(context, found, () => reconciliationLines(found));
  return found.differences.length === 0 ? 0 : exitDiffers;
}

function reconciliationLines({ differences, applied }: Reconciliation): string {
  if (differences.length === 0) return "Everything agrees.";
  return differences.map((difference) => linesOf(difference, applied)).join("\n");
}

function linesOf(
  { kind, message, proposal }: LedgerDifference,
  applied: readonly string[],
): string {
  const line = `${kind}: ${printable(message)}`;
  if (proposal === undefined) return line;
  const verb = applied.includes(proposal.commandId) ? "settled by" : "would be settled by";
  const what = `${proposal.direction} ${unitsOf(proposal.amountMicros)} ${proposal.currency}`;
  return `${line}\n  ${verb} the adjustment ${proposal.commandId}: ${what}`;
}
