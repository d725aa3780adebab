/** The records of a ledger, as exports and answers spell them. */

import type {
  BookedAccount,
  BookedEntry,
  BookedInvoiceLine,
  BookedLimit,
  BookedReserve,
  BookedUse,
} from "../../model/ledger.ts";
import type { LedgerRecord } from "./ledger-record.ts";

type Read<Value> = (record: LedgerRecord, field: string) => Value;
const text: Read<string> = (record, field) => record.text(field);
const micros: Read<string> = (record, field) => record.micros(field);
const time: Read<number> = (record, field) => record.time(field);
const truth: Read<boolean> = (record, field) => record.truth(field);
const quantity: Read<number> = (record, field) => record.quantity(field);
const count: Read<number> = (record, field) => record.count(field);
const useSum: Read<{ count: number; amountMicros: string }> = (record, field) => {
  const sum = record.record(field);
  return { count: sum.count("count"), amountMicros: sum.micros("amountMicros") };
};

/** An account with its balance. */
export function readAccount(record: LedgerRecord): BookedAccount {
  return {
    id: record.text(record.has("account") ? "account" : "id"),
    balanceMicros: record.micros("balanceMicros"),
    ...record.given("openingMicros", "openingMicros", micros),
  };
}

/** A credit line and since when it holds. */
export function readLimit(record: LedgerRecord): BookedLimit {
  return {
    currency: record.text("currency"),
    fromSequence: record.count("fromSequence"),
    limitMicros: record.micros("limitMicros"),
  };
}

/** An entry. */
export function readEntry(record: LedgerRecord): BookedEntry {
  return {
    ...record.given("sequence", "sequence", count),
    ...record.given("at", "timeMicros", time),
    from: record.text("from"),
    to: record.text("to"),
    amountMicros: record.micros("amountMicros"),
    ...record.given("reason", "reason", text),
    ...record.given("commandId", "commandId", text),
    ...record.given("holdId", "holdId", text),
    ...record.given("usageId", "usageId", text),
  };
}

/** A hold or a lease. */
export function readReserve(record: LedgerRecord): BookedReserve {
  return {
    id: record.text("id"),
    kind: record.has("kind") && record.text("kind") === "lease" ? "lease" : "hold",
    currency: record.text("currency"),
    state: record.text("state"),
    remainingMicros: record.micros("remainingMicros"),
    ...record.given("openingMicros", "openingMicros", micros),
    ...record.given("endsAt", "endsMicros", time),
    ...record.given("isCompleted", "isCompleted", truth),
    ...record.given("earlierUses", "earlierUses", useSum),
    ...record.given("journal", "journal", useSum),
    ...record.given("unreadMicros", "unreadMicros", micros),
    ...record.given("settledBy", "settledBy", text),
  };
}

/** A use. */
export function readUse(record: LedgerRecord): BookedUse {
  return {
    id: record.text(record.has("usageId") ? "usageId" : "id"),
    ...record.given("holdId", "holdId", text),
    ...record.given("at", "timeMicros", time),
    amountMicros: record.micros("amountMicros"),
    ...record.given("currency", "currency", text),
    ...record.given("provider", "provider", text),
    ...record.given("model", "model", text),
    ...record.given("priceVersion", "priceVersion", text),
    ...record.given("job", "job", text),
    ...record.given("interval", "interval", text),
    ...record.given("deviceKind", "deviceKind", text),
    ...record.given("deviceSeconds", "deviceSeconds", quantity),
    ...record.given("isFinal", "isFinal", truth),
  };
}

/** A line of an invoice, in units or in micros. */
export function readInvoiceLine(record: LedgerRecord): BookedInvoiceLine {
  return {
    provider: record.text("provider"),
    model: record.text("model"),
    currency: record.text("currency"),
    amountMicros: record.has("amountMicros")
      ? record.micros("amountMicros")
      : record.units("amount"),
    ...record.given("from", "fromMicros", time),
    ...record.given("until", "untilMicros", time),
  };
}
