/** What a command asks, as text: two commands of one content are the same command sent twice. */

import type { CommandOf, LedgerCommand } from "./commands.ts";

/** The content of a command without its time, which differs each time it is sent. */
export function commandContent(command: LedgerCommand): string {
  switch (command.kind) {
    case "hold":
      return holdText(command);
    case "settle":
      return settleText(command);
    case "report-lease":
      return reportText(command);
    default:
      return anyText(command);
  }
}

/** The same for a command of any kind. Those of which there are thousands a second, or uses in them, have a quicker way. */
export function anyText(command: LedgerCommand): string {
  return objectText(command, "atMs");
}

function holdText(command: CommandOf<"hold">): string {
  const { amountMicros, attribution, currency, durationMs, id } = command;
  return (
    `{amountMicros:${textOf(amountMicros)},attribution:${objectText(attribution, "")},` +
    `currency:${textOf(currency)},durationMs:${durationMs},id:${textOf(id)},kind:"hold",}`
  );
}

function settleText(command: CommandOf<"settle">): string {
  const { charge, holdId, id, isFinal } = command;
  return (
    `{charge:{amountMicros:${textOf(charge.amountMicros)},usageId:${textOf(charge.usageId)},` +
    `usageKind:${textOf(charge.usageKind)},},holdId:${textOf(holdId)},id:${textOf(id)},` +
    `isFinal:${isFinal},kind:"settle",}`
  );
}

function reportText({ charges, id, leaseId }: CommandOf<"report-lease">): string {
  let [known, attributionText]: [object | undefined, string] = [undefined, ""];
  let texts = "";
  for (const { amountMicros, attribution, usageId, usageKind } of charges) {
    // Most uses of a report are for the same.
    if (attribution !== known) attributionText = objectText(attribution, "");
    known = attribution;
    texts +=
      `${texts === "" ? "" : ","}{amountMicros:${amountMicros}n,attribution:${attributionText},` +
      `usageId:${textOf(usageId)},usageKind:${textOf(usageKind)},}`;
  }
  return `{charges:[${texts}],id:${textOf(id)},kind:"report-lease",leaseId:${textOf(leaseId)},}`;
}

function textOf(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "bigint":
      return `${value}n`;
    case "object":
      if (value === null) return "null";
      return Array.isArray(value) ? `[${value.map(textOf).join()}]` : objectText(value, "");
    default:
      return String(value);
  }
}

/** Whoever builds the same command elsewhere may name its parts in another order, or leave out what is undefined. */
function objectText(value: object, without: string): string {
  let text = "{";
  for (const name of Object.keys(value).sort()) {
    // The name is one of its own.
    const part: unknown = value[name as keyof typeof value];
    if (name !== without && part !== undefined) text += `${name}:${textOf(part)},`;
  }
  return `${text}}`;
}
