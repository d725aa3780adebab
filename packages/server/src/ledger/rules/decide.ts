/** Decides one command: the only door through which the state of a ledger changes. */

import { unreachable } from "#kernel/index.ts";

import {
  adjustCredit,
  bookCost,
  closeCreditAccount,
  convertCredit,
  expireLots,
  grantCredit,
  openCreditAccount,
} from "./accounts.ts";
import { commandContent } from "./command-content.ts";
import type { Decision, LedgerCommand, LedgerOutcome, Refusal } from "./commands.ts";
import { Draft } from "./draft.ts";
import { expireHolds, placeHold, releaseHold, renewHold, settleHold } from "./hold.ts";
import {
  lendLease,
  loseLease,
  renewLease,
  reportLease,
  returnLease,
  shrinkLease,
} from "./lease.ts";
import { ledgerLimits } from "./limits.ts";
import { isRefusal, refuse } from "./refuse.ts";
import { removeBudget, setBudget } from "./set-budget.ts";
import type { LedgerState } from "./ledger-state.ts";

/**
 * Decides a command and changes the state accordingly. The same state and command give the same decision. A command whose id
 * took effect before gives the earlier answer and changes nothing; with other content it is refused. A refusal changes
 * nothing and leaves the id free. Whoever cannot write a decision down must throw the state away.
 */
export function decide(state: LedgerState, command: LedgerCommand): Decision {
  const { id, atMs } = command;
  const content = commandContent(command);
  const earlier = state.commands.get(id);
  if (earlier !== undefined) {
    const answer = earlier.content === content ? earlier.answer : reused(id);
    return {
      commandId: id,
      answer,
      isRepeated: !isRefusal(answer),
      transfers: [],
      touched: [],
      notices: [],
    };
  }
  // Clocks differ and step back; what has expired stays expired.
  if (Number.isSafeInteger(atMs) && atMs > state.timeMs) state.timeMs = atMs;
  const draft = new Draft(state, id);
  const answer = checkIds(command) ?? answerTo(draft, command);
  if (answer.kind !== "refused") state.commands.set(id, { id, content, answer, atMs: draft.atMs });
  return draft.decision(answer);
}

function answerTo(draft: Draft, command: LedgerCommand): LedgerOutcome | Refusal {
  switch (command.kind) {
    case "open-account":
      return openCreditAccount(draft, command);
    case "close-account":
      return closeCreditAccount(draft, command);
    case "grant":
      return grantCredit(draft, command);
    case "adjust":
      return adjustCredit(draft, command);
    case "book-cost":
      return bookCost(draft, command);
    case "convert":
      return convertCredit(draft, command);
    case "expire-lots":
      return expireLots(draft);
    case "hold":
      return placeHold(draft, command);
    case "renew":
      return renewHold(draft, command);
    case "settle":
      return settleHold(draft, command);
    case "release":
      return releaseHold(draft, command);
    case "expire-holds":
      return expireHolds(draft);
    case "lease":
      return lendLease(draft, command);
    case "renew-lease":
      return renewLease(draft, command);
    case "report-lease":
      return reportLease(draft, command);
    case "shrink-lease":
      return shrinkLease(draft, command);
    case "return-lease":
      return returnLease(draft, command);
    case "lose-lease":
      return loseLease(draft, command);
    case "set-budget":
      return setBudget(draft, command);
    case "remove-budget":
      return removeBudget(draft, command);
    default:
      return unreachable(command);
  }
}

function reused(id: string): Refusal {
  return refuse("ledger_id_reused", `The id '${id}' was used before for another command.`);
}

function checkIds(command: LedgerCommand): Refusal | undefined {
  const ids = [command.id];
  if (command.kind === "settle") ids.push(command.charge.usageId);
  if (command.kind === "lease") ids.push(command.workerId);
  if (command.kind === "set-budget") ids.push(command.terms.budgetId);
  if (command.kind === "report-lease") for (const { usageId } of command.charges) ids.push(usageId);
  for (const id of ids) {
    if (id.length < 1 || id.length > ledgerLimits.idLengthMax)
      return refuse(
        "ledger_command_invalid",
        `An id has ${id.length} letters; 1 to ${ledgerLimits.idLengthMax} are allowed.`,
      );
  }
  return undefined;
}
