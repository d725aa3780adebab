/** Records of the ledger as JSON. Amounts, which JSON has no exact numbers for, stand as decimal text under names in `Micros`. */

import type { LedgerOutcome } from "../rules/commands.ts";
import type { Hold } from "../rules/types.ts";

/** Text that JSON writes as it is. */
const plain = /^[\w .:#/@-]*$/;

/** The JSON text of a record. Written out here, because a replacer of `JSON.stringify` takes half as long again. */
export function writeRecord(value: unknown): string {
  switch (typeof value) {
    case "string":
      return writeText(value);
    case "bigint":
      return `"${value}"`;
    case "object":
      if (value === null) return "null";
      return Array.isArray(value) ? writeList(value) : writeParts(value);
    default:
      return JSON.stringify(value) ?? "null";
  }
}

function writeList(values: readonly unknown[]): string {
  let text = "";
  for (const value of values) text += `${text === "" ? "" : ","}${writeRecord(value)}`;
  return `[${text}]`;
}

function writeParts(record: object): string {
  let text = "";
  for (const [name, part] of Object.entries(record)) {
    if (part !== undefined)
      text += `${text === "" ? "" : ","}${writeText(name)}:${writeRecord(part)}`;
  }
  return `{${text}}`;
}

function writeText(text: string): string {
  return plain.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** The same text for a hold, of which there are thousands a second. */
export function writeHold(hold: Hold): string {
  let portions = "";
  for (const { lotId, amountMicros } of hold.portions) {
    const lot = lotId === undefined ? "" : `"lotId":${writeText(lotId)},`;
    portions += `${portions === "" ? "" : ","}{${lot}"amountMicros":"${amountMicros}"}`;
  }
  return (
    `{"id":${writeText(hold.id)},"currency":"${hold.currency}",` +
    `"attribution":${writeParts(hold.attribution)},"portions":[${portions}],` +
    `"heldMicros":"${hold.heldMicros}","chargedMicros":"${hold.chargedMicros}",` +
    `"placedAtMs":${hold.placedAtMs},"expiresAtMs":${hold.expiresAtMs},` +
    `"budgets":${writeList(hold.budgets)},"state":"${hold.state}"}`
  );
}

/** The same text for an answer. */
export function writeAnswer(answer: LedgerOutcome): string {
  switch (answer.kind) {
    case "held":
      return `{"kind":"held","holdId":${writeText(answer.holdId)},"expiresAtMs":${answer.expiresAtMs}}`;
    case "settled":
      return (
        `{"kind":"settled","releasedMicros":"${answer.releasedMicros}","isLate":${answer.isLate},` +
        `"usageId":${writeText(answer.usageId)},"chargedMicros":"${answer.chargedMicros}",` +
        `"beyondHoldMicros":"${answer.beyondHoldMicros}","debtMicros":"${answer.debtMicros}",` +
        `"isRepeated":${answer.isRepeated}}`
      );
    default:
      return writeRecord(answer);
  }
}

/** The record of parsed JSON, with its amounts as `bigint` again. */
export function readRecord(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((part) => readRecord(part));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]: [string, unknown]) => [
      name,
      typeof part === "string" && name.endsWith("Micros") ? BigInt(part) : readRecord(part),
    ]),
  );
}
