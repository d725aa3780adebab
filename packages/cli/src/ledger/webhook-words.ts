/** `faultline ledger webhook`: where alerts of budgets go, and how that went. */

import {
  DeliveryState,
  type LedgerDelivery,
  type LedgerWebhook,
  type WebhookSecret,
} from "@faultline/protocol";

import { type CommandContext, type CommandOption, UsageError } from "../command.ts";
import { connect, switchOption, textListOption, textOption } from "../connection.ts";
import { parseDurationMs } from "../moment.ts";
import type { Terminal } from "../terminal.ts";
import { foreignTable } from "./foreign-table.ts";
import { tell } from "./tell.ts";

const states = DeliveryState.anyOf.map((state) => state.const);

/** Of `webhook`. */
export const webhookOptions = {
  budget: {
    type: "string",
    multiple: true,
    value: "NAME",
    description: "a budget that the webhook is told of (repeatable; default: all)",
  },
  disabled: { type: "boolean", description: "the webhook is told nothing until it is enabled" },
  grace: {
    type: "string",
    value: "DURATION",
    description: "how long the secret before goes on to sign (default: 1d)",
  },
  state: { type: "string", value: "STATE", description: `one of ${states.join(", ")}` },
} as const satisfies Record<string, CommandOption>;

/** How long a test is waited for, and how often it is looked at. */
const testMsMax = 15_000;
const lookMs = 200;

type Step = (context: CommandContext, words: readonly string[]) => Promise<number>;

const steps: Readonly<Record<string, Step>> = {
  list,
  add,
  test,
  remove,
  enable: (context, words) => change(context, words, true),
  disable: (context, words) => change(context, words, false),
  rotate,
  deliveries,
  retry,
};

/** Without words it lists the webhooks. */
export async function webhook(context: CommandContext, words: readonly string[]): Promise<number> {
  const [name = "list", ...rest] = words;
  const step = Object.hasOwn(steps, name) ? steps[name] : undefined;
  if (step === undefined)
    throw new UsageError(`'${name}' is none of ${Object.keys(steps).join(", ")}.`);
  return await step(context, rest);
}

async function list(context: CommandContext): Promise<number> {
  const { signal, terminal } = context;
  const found = await connect(context).client.listWebhooks({}, { signal });
  return tell(context, found, () => webhookTable(terminal, found.webhooks));
}

async function add(context: CommandContext, words: readonly string[]): Promise<number> {
  const url = onlyWord(words, "ledger webhook add takes one URL.");
  const budgetIds = [...textListOption(context, "budget")];
  const isEnabled = !switchOption(context, "disabled");
  const { signal, terminal } = context;
  const body = { url, budgetIds, isEnabled };
  const added = await connect(context).client.addWebhook({ body }, { signal });
  return tell(context, added, () => secretText(terminal, added));
}

async function rotate(context: CommandContext, words: readonly string[]): Promise<number> {
  const id = onlyWord(words, "ledger webhook rotate takes the ID of one.");
  const grace = textOption(context, "grace");
  const graceMs = grace === undefined ? undefined : parseDurationMs(grace);
  if (grace !== undefined && graceMs === undefined)
    throw new UsageError(`--grace takes a duration such as 12h; '${grace}' is none.`);
  const { signal, terminal } = context;
  const body = graceMs === undefined ? {} : { graceSeconds: Math.round(graceMs / 1_000) };
  const { client } = connect(context);
  const made = await client.rotateWebhookSecret({ params: { id }, body }, { signal });
  return tell(context, made, () => secretText(terminal, made));
}

async function change(
  context: CommandContext,
  words: readonly string[],
  isEnabled: boolean,
): Promise<number> {
  const id = onlyWord(words, "ledger webhook enable and disable take the ID of one.");
  const { signal, terminal } = context;
  const { client } = connect(context);
  const changed = await client.changeWebhook({ params: { id }, body: { isEnabled } }, { signal });
  return tell(context, changed, () => webhookTable(terminal, [changed]));
}

async function remove(context: CommandContext, words: readonly string[]): Promise<number> {
  const id = onlyWord(words, "ledger webhook remove takes the ID of one.");
  await connect(context).client.removeWebhook({ params: { id } }, { signal: context.signal });
  return tell(context, { id }, () => `Removed the webhook ${id} and its deliveries.`);
}

/** Sends a test and waits until it is known how its first attempts went. */
async function test(context: CommandContext, words: readonly string[]): Promise<number> {
  const webhookId = onlyWord(words, "ledger webhook test takes the ID of one.");
  const { signal, terminal, clock } = context;
  const { client } = connect(context);
  let delivery = await client.testWebhook({ params: { id: webhookId } }, { signal });
  const lastMs = clock.monotonicMs() + testMsMax;
  const query = { id: delivery.id };
  while (!isTried(delivery) && clock.monotonicMs() < lastMs) {
    await clock.sleep(lookMs, signal);
    const [found] = (await client.listDeliveries({ query }, { signal })).deliveries;
    if (found !== undefined) delivery = found;
  }
  const seen = delivery;
  tell(context, seen, () => deliveryTable(terminal, [seen]));
  return seen.state === "delivered" ? 0 : 1;
}

/** One that waits after an attempt which failed is tried: what stands in the way is known. */
function isTried({ state, lastStatus, lastFailure }: LedgerDelivery): boolean {
  return state !== "waiting" || lastStatus !== undefined || lastFailure !== undefined;
}

async function deliveries(context: CommandContext, words: readonly string[]): Promise<number> {
  const [webhookId, ...rest] = words;
  if (rest.length > 0) throw new UsageError("ledger webhook deliveries may take the ID of one.");
  const asked = textOption(context, "state");
  const state = states.find((one) => one === asked);
  if (asked !== undefined && state === undefined)
    throw new UsageError(`--state takes one of ${states.join(", ")}; '${asked}' is none.`);
  const count = textOption(context, "count");
  if (count !== undefined && !/^\d{1,4}$/.test(count))
    throw new UsageError(`--count takes a whole number; '${count}' is none.`);
  const query = {
    ...(webhookId === undefined ? {} : { webhookId }),
    ...(state === undefined ? {} : { state }),
    ...(count === undefined ? {} : { limit: Number(count) }),
  };
  const { signal, terminal } = context;
  const found = await connect(context).client.listDeliveries({ query }, { signal });
  return tell(context, found, () => deliveryTable(terminal, found.deliveries));
}

async function retry(context: CommandContext, words: readonly string[]): Promise<number> {
  const id = onlyWord(words, "ledger webhook retry takes the ID of a delivery.");
  const { signal, terminal } = context;
  const again = await connect(context).client.retryDelivery({ params: { id } }, { signal });
  return tell(context, again, () => deliveryTable(terminal, [again]));
}

function onlyWord(words: readonly string[], usage: string): string {
  const [word, ...rest] = words;
  if (word === undefined || rest.length > 0) throw new UsageError(usage);
  return word;
}

function secretText(terminal: Terminal, { webhook: made, secret }: WebhookSecret): string {
  const until =
    made.previousSecretUntil === undefined
      ? ""
      : ` The one before it signs as well until ${made.previousSecretUntil}.`;
  return [
    webhookTable(terminal, [made]),
    `Its secret, which is not shown again: ${secret}.${until}`,
  ].join("\n\n");
}

function webhookTable(terminal: Terminal, webhooks: readonly LedgerWebhook[]): string {
  if (webhooks.length === 0)
    return "There is no webhook; `faultline ledger webhook add URL` adds one.";
  return foreignTable(
    terminal,
    ["WEBHOOK", "STATE", "BUDGETS", "WAITING", "FAILED", "URL"],
    webhooks.map((one) => [
      one.id,
      one.isEnabled ? "enabled" : "disabled",
      one.budgetIds.length === 0 ? "all" : one.budgetIds.join(", "),
      String(one.waitingCount),
      String(one.failedCount),
      one.url,
    ]),
  );
}

function deliveryTable(terminal: Terminal, all: readonly LedgerDelivery[]): string {
  if (all.length === 0) return "There is no delivery.";
  return foreignTable(
    terminal,
    ["DELIVERY", "TYPE", "STATE", "ATTEMPTS", "CREATED", "NEXT", "LATEST"],
    all.map((one) => [
      one.id,
      one.type,
      one.state,
      String(one.attemptCount),
      one.createdAt,
      one.nextAttemptAt ?? "",
      one.lastFailure ?? (one.lastStatus === undefined ? "" : `status ${one.lastStatus}`),
    ]),
  );
}
