/**
 * An operation's record as text, from a worker to the control process. It is written as soon as the operation ends: a
 * record that waits as an object for its batch costs the collector more than most of what is done for a call.
 */

import type { AttemptUsage } from "../calls/attempt-usage.ts";
import type { OperationRecord } from "../calls/operation-record.ts";
import type { FailedAttempt } from "../dispatch/attempt-loop.ts";

/** JSON has no integers of any size: an amount stands in it as a decimal text. */
type UsageAsText = Omit<AttemptUsage, "costMicros"> & { readonly costMicros: string };
type AttemptAsText = Omit<FailedAttempt, "used"> & { readonly used: UsageAsText | undefined };
type RecordAsText = Omit<OperationRecord, "costMicros" | "attempts" | "lastUsed"> & {
  readonly costMicros: string | undefined;
  readonly attempts: readonly AttemptAsText[];
  readonly lastUsed: UsageAsText | undefined;
};

/** Writes a record that nothing changes any more. */
export function toOperationText(record: OperationRecord): string {
  const { costMicros, attempts, lastUsed } = record;
  const plain: RecordAsText = {
    ...record,
    costMicros: costMicros?.toString(),
    attempts: attempts.map((attempt) => ({ ...attempt, used: usageAsText(attempt.used) })),
    lastUsed: usageAsText(lastUsed),
  };
  return JSON.stringify(plain);
}

/** Reads what a worker of the same release wrote; what was unknown is absent. */
export function fromOperationText(text: string): OperationRecord {
  const plain = JSON.parse(text) as RecordAsText;
  const { costMicros, attempts, lastUsed } = plain;
  return {
    ...plain,
    costMicros: costMicros === undefined ? undefined : BigInt(costMicros),
    attempts: attempts.map((attempt) => ({ ...attempt, used: usageFromText(attempt.used) })),
    lastUsed: usageFromText(lastUsed),
  };
}

function usageAsText(used: AttemptUsage | undefined): UsageAsText | undefined {
  return used === undefined ? undefined : { ...used, costMicros: used.costMicros.toString() };
}

function usageFromText(used: UsageAsText | undefined): AttemptUsage | undefined {
  return used === undefined ? undefined : { ...used, costMicros: BigInt(used.costMicros) };
}
