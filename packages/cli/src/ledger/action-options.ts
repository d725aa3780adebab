/** Which options each part of `faultline ledger` takes: one that it would leave unused deceives whoever gave it. */

import { type CommandContext, UsageError } from "../command.ts";
import { connectionOptions } from "../connection.ts";
import { priceOptions } from "./price-words.ts";
import { webhookOptions } from "./webhook-words.ts";

/** By the first word; options of the connection are everybody's. */
export const optionsOfActions: Readonly<Record<string, readonly string[]>> = {
  balance: [],
  entries: ["account", "count", "before"],
  grant: ["id", "expires", "priority"],
  account: ["id", "line"],
  hold: ["id", "for", "user", "model", "tag", "use", "kind", "partial"],
  budget: ["id", "window", "scope", "soft", "alert"],
  usage: ["by", "currency", "from", "until"],
  price: [...Object.keys(priceOptions), "model"],
  webhook: [...Object.keys(webhookOptions), "count"],
  export: ["since", "out"],
  reconcile: ["invoice", "apply", "book", "history", "from", "until", "count", "before"],
  invoices: [],
  conflicts: [],
  escrow: ["for"],
  explain: [],
};

/** Throws a `UsageError` that names the first option which the part does not take. */
export function refuseUnusedOptions({ positionals, options }: CommandContext): void {
  const [action = ""] = positionals;
  const own = Object.hasOwn(optionsOfActions, action) ? optionsOfActions[action] : undefined;
  if (own === undefined) return;
  const known = new Set([...own, ...Object.keys(connectionOptions)]);
  const unused = Object.keys(options).find((name) => !known.has(name));
  if (unused === undefined) return;
  const hint = unused === "currency" ? " A currency is a word behind the amount: 12.50 EUR." : "";
  throw new UsageError(`ledger ${action} takes no --${unused}.${hint}`);
}
