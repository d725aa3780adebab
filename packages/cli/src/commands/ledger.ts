/** `faultline ledger`: credit, what moved it, what is held, budgets, usage, and what an operation cost. */

import { printable } from "@faultline/contracts";
import { UsageGrouping, UsageKind } from "@faultline/protocol";

import { type Actions, runAction } from "../actions.ts";
import { type Command, type CommandContext, UsageError } from "../command.ts";
import { connect, connectionOptions, textOption } from "../connection.ts";
import { refuseUnusedOptions } from "../ledger/action-options.ts";
import { askedMicrosOf } from "../ledger/amount-text.ts";
import { budget } from "../ledger/budget-words.ts";
import { conflicts } from "../ledger/conflict-words.ts";
import { escrow } from "../ledger/escrow-words.ts";
import { exportLedger, exportOptions } from "../ledger/export-words.ts";
import { hold } from "../ledger/hold-words.ts";
import { price, priceOptions } from "../ledger/price-words.ts";
import { accountTable, balanceTables, costLines, entryTable, usageTable } from "../ledger/print.ts";
import { invoices, reconcile, reconcileOptions } from "../ledger/reconcile-words.ts";
import { tell } from "../ledger/tell.ts";
import { webhook, webhookOptions } from "../ledger/webhook-words.ts";
import { parseDurationMs, parseMoment } from "../moment.ts";

const actions: Actions = {
  balance,
  entries,
  grant,
  account,
  hold,
  budget,
  usage,
  price,
  webhook,
  export: exportLedger,
  reconcile,
  invoices,
  conflicts,
  escrow,
  explain,
};

export const command: Command = {
  summary: "credit, holds, budgets, usage, and what an operation cost",
  usage: [
    "ledger balance",
    "ledger entries [--account NAME] [--count N] [--before ENTRY]",
    "ledger grant AMOUNT [CURRENCY] [--expires DURATION] [--priority N]",
    "ledger account open|close [CURRENCY] [--line AMOUNT]",
    "ledger hold [place AMOUNT [CURRENCY] | settle ID AMOUNT | renew ID | release ID]",
    "ledger budget [set NAME AMOUNT [CURRENCY] | remove NAME]",
    "ledger usage [--by WHAT] [--currency CURRENCY] [--from MOMENT] [--until MOMENT]",
    "ledger price [list | default [set --input USD --output USD | remove]]",
    "ledger webhook [list | add URL | test ID | enable ID | disable ID | rotate ID | remove ID]",
    "ledger webhook deliveries [ID] [--state STATE] | retry DELIVERY",
    "ledger export [--since MOMENT] [--out FILE]",
    "ledger reconcile [--invoice FILE [--from MOMENT] [--until MOMENT] [--book]] [--apply]",
    "ledger reconcile --history [RUN] [--count N] [--before RUN]",
    "ledger invoices",
    "ledger conflicts [resolve KEY NUMBER]",
    "ledger escrow [recall REGION [--for DURATION]]",
    "ledger explain OPERATION",
  ],
  options: {
    id: {
      type: "string",
      value: "ID",
      description: "id of the command; sent again with it, it takes effect once",
    },
    account: { type: "string", value: "NAME", description: "an account such as credit/USD" },
    count: { type: "string", value: "N", description: "so many entries (default: 100), or runs" },
    before: {
      type: "string",
      value: "ENTRY",
      description: "only entries, or runs, before this one",
    },
    expires: { type: "string", value: "DURATION", description: "how long the credit lives: 30d" },
    priority: { type: "string", value: "N", description: "of lots that expire together" },
    line: { type: "string", value: "AMOUNT", description: "how far beyond its credit" },
    for: {
      type: "string",
      value: "DURATION",
      description: "how long the hold, or the recall of an escrow, lasts: 5m",
    },
    user: { type: "string", value: "NAME", description: "whom the hold is for" },
    model: { type: "string", value: "NAME", description: "the model that it is for" },
    tag: { type: "string", multiple: true, value: "NAME", description: "a tag (repeatable)" },
    use: { type: "string", value: "ID", description: "id of what was used (default: the hold's)" },
    kind: {
      type: "string",
      value: "KIND",
      description: `what was used: ${UsageKind.anyOf.map((kind) => kind.const).join(", ")}`,
    },
    partial: { type: "boolean", description: "the hold goes on after this settlement" },
    window: { type: "string", value: "WINDOW", description: "day, month, total or a duration" },
    scope: {
      type: "string",
      value: "SCOPE",
      description: "what counts: tenant, key:ID, user:NAME, model:NAME or tag:NAME",
    },
    soft: { type: "boolean", description: "the budget tells and does not refuse" },
    alert: {
      type: "string",
      multiple: true,
      value: "PERCENT",
      description: "tell when so much of the limit is used (repeatable)",
    },
    by: {
      type: "string",
      value: "WHAT",
      description: `one of ${UsageGrouping.anyOf.map((by) => by.const).join(", ")}`,
    },
    currency: {
      type: "string",
      value: "CURRENCY",
      description: "usage in it alone (default: in each)",
    },
    from: { type: "string", value: "MOMENT", description: "usage from then on (default: 30d)" },
    until: { type: "string", value: "MOMENT", description: "usage before then (default: now)" },
    ...exportOptions,
    ...reconcileOptions,
    ...priceOptions,
    ...webhookOptions,
    ...connectionOptions,
  },
  notes: [
    "Amounts are units with up to six decimals: 12.50. The currency is USD unless another is named.",
    "A grant opens the account where there is none. `ledger hold` and `ledger budget` alone list what there is.",
    "`ledger reconcile` exits with 1 where something does not agree, and `ledger webhook test` where nothing was delivered.",
    "`ledger export | faultline check -` judges the whole ledger; with a provider's invoice beside it, its cost too.",
    "An operation's uses and holds bear its id, or its id, a colon and the number of the attempt.",
  ],
  async run(context) {
    refuseUnusedOptions(context);
    return await runAction(context, actions);
  },
};

async function balance(context: CommandContext): Promise<number> {
  const { signal, terminal } = context;
  const found = await connect(context).client.readLedgerBalance({}, { signal });
  return tell(context, found, () => balanceTables(terminal, found));
}

async function entries(context: CommandContext): Promise<number> {
  const name = textOption(context, "account");
  const count = textOption(context, "count");
  const before = textOption(context, "before");
  const query = {
    ...(name === undefined ? {} : { account: name }),
    ...(count === undefined ? {} : { limit: readCount(count) }),
    ...(before === undefined ? {} : { before: readNumber("--before", before) }),
  };
  const { signal, terminal } = context;
  const list = await connect(context).client.listLedgerEntries({ query }, { signal });
  return tell(context, list, () =>
    list.entries.length === 0
      ? `There is no entry${name === undefined ? "" : ` of ${printable(name)}`}${before === undefined ? "" : ` before ${before}`}.`
      : entryTable(terminal, list.entries),
  );
}

async function grant(context: CommandContext, words: readonly string[]): Promise<number> {
  const [amount, currency = "USD", ...rest] = words;
  if (amount === undefined || rest.length > 0) {
    throw new UsageError("ledger grant takes an AMOUNT and may take a CURRENCY.");
  }
  const id = textOption(context, "id");
  const priority = textOption(context, "priority");
  const expires = textOption(context, "expires");
  const lifeMs = expires === undefined ? undefined : parseDurationMs(expires);
  if (expires !== undefined && lifeMs === undefined) {
    throw new UsageError(`--expires takes a duration such as 12h or 30d; '${expires}' is none.`);
  }
  const body = {
    currency,
    amountMicros: askedMicrosOf(amount),
    ...(id === undefined ? {} : { id }),
    ...(priority === undefined ? {} : { priority: readNumber("--priority", priority) }),
    ...(lifeMs === undefined
      ? {}
      : { expiresAt: new Date(context.clock.nowMs() + lifeMs).toISOString() }),
  };
  const { signal, terminal } = context;
  const granted = await connect(context).client.grantCredit({ body }, { signal });
  return tell(context, granted, () =>
    [`Granted as lot ${granted.lotId}.`, accountTable(terminal, granted.balance)].join("\n\n"),
  );
}

async function account(context: CommandContext, words: readonly string[]): Promise<number> {
  const [step, currency = "USD", ...rest] = words;
  if ((step !== "open" && step !== "close") || rest.length > 0) {
    throw new UsageError("ledger account takes open or close, and may take a CURRENCY.");
  }
  const id = textOption(context, "id");
  const line = textOption(context, "line");
  const body = { currency, ...(id === undefined ? {} : { id }) };
  const { client } = connect(context);
  const { signal, terminal } = context;
  const found =
    step === "close"
      ? await client.closeLedgerAccount({ body }, { signal })
      : await client.openLedgerAccount(
          {
            body: { ...body, ...(line === undefined ? {} : { limitMicros: askedMicrosOf(line) }) },
          },
          { signal },
        );
  return tell(context, found, () => balanceTables(terminal, found));
}

async function usage(context: CommandContext): Promise<number> {
  const by = textOption(context, "by");
  const grouping = UsageGrouping.anyOf.map((one) => one.const).find((one) => one === by);
  if (by !== undefined && grouping === undefined) {
    const known = UsageGrouping.anyOf.map((one) => one.const).join(", ");
    throw new UsageError(`--by takes one of ${known}; '${by}' is none.`);
  }
  const nowMs = context.clock.nowMs();
  const from = textOption(context, "from");
  const until = textOption(context, "until");
  const currency = textOption(context, "currency");
  const query = {
    ...(grouping === undefined ? {} : { by: grouping }),
    ...(currency === undefined ? {} : { currency }),
    ...(from === undefined ? {} : { from: parseMoment("from", from, nowMs) }),
    ...(until === undefined ? {} : { until: parseMoment("until", until, nowMs) }),
  };
  const { signal, terminal } = context;
  const found = await connect(context).client.readUsage({ query }, { signal });
  return tell(context, found, () =>
    found.rows.length === 0 ? "Nothing was used in this time." : usageTable(terminal, found),
  );
}

async function explain(context: CommandContext, words: readonly string[]): Promise<number> {
  const [id, ...rest] = words;
  if (id === undefined || rest.length > 0) {
    throw new UsageError("ledger explain takes one OPERATION.");
  }
  const { signal, terminal } = context;
  const cost = await connect(context).client.explainOperation({ params: { id } }, { signal });
  return tell(context, cost, () => costLines(terminal, cost));
}

function readCount(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new UsageError(`--count takes a whole number from 1 on; '${text}' is none.`);
}

function readNumber(option: string, text: string): number {
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`${option} takes a whole number; '${text}' is none.`);
}
