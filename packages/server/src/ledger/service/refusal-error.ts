/** Refusals of the ledger as errors, for callers who cannot go on after one. */

import { PlatformError } from "@faultline/protocol";

import type { Refusal, RefusalCode } from "../rules/commands.ts";

interface RefusalRow {
  readonly code: RefusalCode;
  /** What the caller can do next. */
  readonly hint: string;
}

const rows: readonly RefusalRow[] = [
  { code: "credit_exhausted", hint: "Ask for less, or grant credit: `faultline ledger grant`." },
  { code: "amount_invalid", hint: "Amounts are whole micros, millionths of a unit." },
  { code: "ledger_command_invalid", hint: "Mend the command and send it again." },
  { code: "currency_mismatch", hint: "`faultline ledger balance` lists the accounts." },
  { code: "ledger_id_reused", hint: "Give each command an id of its own." },
  { code: "ledger_full", hint: "End what is open and not needed any more." },
  { code: "lot_expired", hint: "Name an expiry that is still to come." },
  { code: "account_closed", hint: "An admin can open it again." },
  { code: "hold_not_found", hint: "`faultline ledger hold` lists the open holds." },
  { code: "hold_ended", hint: "Place another hold." },
  { code: "lease_not_found", hint: "`faultline ledger balance` lists the open leases." },
  { code: "lease_ended", hint: "Ask for another lease." },
  { code: "lease_fenced", hint: "Only the latest life of a worker uses its leases." },
  { code: "lease_unreported", hint: "Report every use of it first." },
  { code: "budget_not_found", hint: "`faultline ledger budget` lists the budgets." },
];

/** The error of a refusal. */
export function refusalError(refusal: Refusal): PlatformError {
  const { code } = refusal;
  const hint = hintOf(refusal);
  return new PlatformError(code, messageOf(refusal), {
    ...(hint === undefined ? {} : { hint }),
    context: { refusal },
  });
}

function hintOf(refusal: Refusal): string | undefined {
  // Credit does not help where a budget is used up.
  if (refusal.code === "credit_exhausted" && refusal.obstacle.kind === "budget")
    return `Ask for less, or raise the budget: \`faultline ledger budget set ${refusal.obstacle.budgetId} AMOUNT\`.`;
  return rows.find(({ code }) => code === refusal.code)?.hint;
}

function messageOf(refusal: Refusal): string {
  if (refusal.code !== "credit_exhausted") return refusal.detail;
  const { obstacle, askedMicros, leftMicros, leasedMicros } = refusal;
  const asked = `${askedMicros} micros were asked for`;
  const lent = leasedMicros > 0n ? ` ${leasedMicros} more are lent to gateway processes.` : "";
  switch (obstacle.kind) {
    case "debt":
      return `${asked}, and the account owes ${obstacle.debtMicros}, which has to be covered first.`;
    case "budget":
      return `${asked}, and the budget '${obstacle.budgetId}' leaves ${leftMicros}.`;
    case "account":
      return `${asked}, and the account in ${obstacle.currency} has ${leftMicros} left.${lent}`;
  }
}
