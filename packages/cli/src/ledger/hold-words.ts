/** `faultline ledger hold`: lists holds, places, renews, settles and releases one. */

import { UsageKind } from "@faultline/protocol";

import { type CommandContext, UsageError } from "../command.ts";
import { connect, switchOption, textListOption, textOption } from "../connection.ts";
import { parseDurationMs } from "../moment.ts";
import { askedMicrosOf, unitsOf } from "./amount-text.ts";
import { holdTable } from "./print.ts";
import { tell } from "./tell.ts";

const usageKinds = UsageKind.anyOf.map((kind) => kind.const);

/** Without words it lists the open holds. */
export async function hold(context: CommandContext, words: readonly string[]): Promise<number> {
  const [step, ...rest] = words;
  switch (step) {
    case undefined: {
      const { signal, terminal } = context;
      const list = await connect(context).client.listHolds({}, { signal });
      return tell(context, list, () =>
        list.holds.length === 0 ? "No hold is open." : holdTable(terminal, list.holds),
      );
    }
    case "place":
      return await place(context, rest);
    case "settle":
      return await settle(context, rest);
    case "renew":
      return await renew(context, rest);
    case "release":
      return await release(context, rest);
    default:
      throw new UsageError(`'${step}' is none of place, settle, renew, release.`);
  }
}

async function place(context: CommandContext, words: readonly string[]): Promise<number> {
  const [amount, currency = "USD", ...rest] = words;
  if (amount === undefined || rest.length > 0) {
    throw new UsageError("ledger hold place takes an AMOUNT and may take a CURRENCY.");
  }
  const userId = textOption(context, "user");
  const model = textOption(context, "model");
  const tags = textListOption(context, "tag");
  const durationSeconds = readSeconds(context);
  const body = {
    currency,
    amountMicros: askedMicrosOf(amount),
    ...idOf(context),
    ...(durationSeconds === undefined ? {} : { durationSeconds }),
    attribution: {
      ...(userId === undefined ? {} : { userId }),
      ...(model === undefined ? {} : { model }),
      ...(tags.length === 0 ? {} : { tags: [...tags] }),
    },
  };
  const { signal, terminal } = context;
  const placed = await connect(context).client.placeHold({ body }, { signal });
  return tell(context, placed, () => holdTable(terminal, [placed]));
}

async function settle(context: CommandContext, words: readonly string[]): Promise<number> {
  const [id, amount, ...rest] = words;
  if (id === undefined || amount === undefined || rest.length > 0) {
    throw new UsageError("ledger hold settle takes the ID of a hold and an AMOUNT.");
  }
  const kind = textOption(context, "kind") ?? "tokens";
  const usageKind = usageKinds.find((one) => one === kind);
  if (usageKind === undefined) {
    throw new UsageError(`--kind takes one of ${usageKinds.join(", ")}; '${kind}' is none.`);
  }
  const settled = await connect(context).client.settleHold(
    {
      params: { id },
      body: {
        ...idOf(context),
        usageId: textOption(context, "use") ?? id,
        usageKind,
        amountMicros: askedMicrosOf(amount),
        isFinal: !switchOption(context, "partial"),
      },
    },
    { signal: context.signal },
  );
  return tell(context, settled, () =>
    [
      settled.isRepeated ? "Charged before: " : "Charged ",
      unitsOf(settled.chargedMicros),
      settled.debtMicros === "0" ? "" : `, of which ${unitsOf(settled.debtMicros)} is owed`,
      `; ${unitsOf(settled.releasedMicros)} is free again.`,
    ].join(""),
  );
}

async function renew(context: CommandContext, words: readonly string[]): Promise<number> {
  const id = onlyId("renew", words);
  const durationSeconds = readSeconds(context);
  if (durationSeconds === undefined)
    throw new UsageError("ledger hold renew needs --for, such as --for 5m.");
  const { signal, terminal } = context;
  const renewed = await connect(context).client.renewHold(
    { params: { id }, body: { ...idOf(context), durationSeconds } },
    { signal },
  );
  return tell(context, renewed, () => holdTable(terminal, [renewed]));
}

async function release(context: CommandContext, words: readonly string[]): Promise<number> {
  const id = onlyId("release", words);
  const released = await connect(context).client.releaseHold(
    { params: { id }, body: idOf(context) },
    { signal: context.signal },
  );
  return tell(context, released, () => `${unitsOf(released.releasedMicros)} is free again.`);
}

function onlyId(step: string, words: readonly string[]): string {
  const [id, ...rest] = words;
  if (id !== undefined && rest.length === 0) return id;
  throw new UsageError(`ledger hold ${step} takes the ID that \`faultline ledger hold\` shows.`);
}

function idOf(context: CommandContext): { id?: string } {
  const id = textOption(context, "id");
  return id === undefined ? {} : { id };
}

function readSeconds(context: CommandContext): number | undefined {
  const text = textOption(context, "for");
  if (text === undefined) return undefined;
  const durationMs = parseDurationMs(text);
  if (durationMs !== undefined) return Math.max(1, Math.round(durationMs / 1_000));
  throw new UsageError(`--for takes a duration such as 90s or 5m; '${text}' is none.`);
}
