/** `faultline ledger budget`: lists budgets, sets and removes one. */

import type { BudgetScope, BudgetWindow } from "@faultline/protocol";

import { type CommandContext, UsageError } from "../command.ts";
import { connect, switchOption, textListOption, textOption } from "../connection.ts";
import { parseDurationMs } from "../moment.ts";
import { askedMicrosOf } from "./amount-text.ts";
import { budgetTable } from "./print.ts";
import { tell } from "./tell.ts";

const scopeKinds = ["key", "user", "model", "tag"] as const;

/** Without words it lists the budgets. */
export async function budget(context: CommandContext, words: readonly string[]): Promise<number> {
  const [step, ...rest] = words;
  switch (step) {
    case undefined: {
      const { signal, terminal } = context;
      const list = await connect(context).client.listBudgets({}, { signal });
      return tell(context, list, () => budgetTable(terminal, list.budgets));
    }
    case "set":
      return await set(context, rest);
    case "remove":
      return await remove(context, rest);
    default:
      throw new UsageError(`'${step}' is none of set, remove.`);
  }
}

async function set(context: CommandContext, words: readonly string[]): Promise<number> {
  const [budgetId, amount, currency = "USD", ...rest] = words;
  if (budgetId === undefined || amount === undefined || rest.length > 0) {
    throw new UsageError("ledger budget set takes a NAME, an AMOUNT and may take a CURRENCY.");
  }
  const id = textOption(context, "id");
  const body = {
    ...(id === undefined ? {} : { id }),
    budgetId,
    currency,
    limitMicros: askedMicrosOf(amount),
    scope: readScope(textOption(context, "scope") ?? "tenant"),
    window: readWindow(textOption(context, "window") ?? "month"),
    isHard: !switchOption(context, "soft"),
    thresholdPercents: textListOption(context, "alert").map((text) => readPercent(text)),
  };
  const { signal, terminal } = context;
  const made = await connect(context).client.setBudget({ body }, { signal });
  return tell(context, made, () => budgetTable(terminal, [made]));
}

async function remove(context: CommandContext, words: readonly string[]): Promise<number> {
  const [id, ...rest] = words;
  if (id === undefined || rest.length > 0) {
    throw new UsageError("ledger budget remove takes the NAME of one.");
  }
  await connect(context).client.removeBudget({ params: { id } }, { signal: context.signal });
  return tell(context, { budgetId: id }, () => `Removed the budget ${id}.`);
}

function readScope(text: string): BudgetScope {
  if (text === "tenant") return { kind: "tenant" };
  const [given, ...rest] = text.split(":");
  const kind = scopeKinds.find((one) => one === given);
  const value = rest.join(":");
  if (kind !== undefined && value !== "") return { kind, value };
  throw new UsageError(
    `--scope takes tenant or ${scopeKinds.map((one) => `${one}:NAME`).join(", ")}; '${text}' is neither.`,
  );
}

function readWindow(text: string): BudgetWindow {
  if (text === "day" || text === "month" || text === "total") return { kind: text };
  const durationMs = parseDurationMs(text);
  if (durationMs !== undefined) {
    return { kind: "rolling", durationSeconds: Math.max(1, Math.round(durationMs / 1_000)) };
  }
  throw new UsageError(
    `--window takes day, month, total or a duration such as 7d; '${text}' is none.`,
  );
}

function readPercent(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new UsageError(`--alert takes a percentage such as 80; '${text}' is none.`);
}
