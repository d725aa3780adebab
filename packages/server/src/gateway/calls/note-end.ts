/** How an operation ended, in its record. */

import type { AttemptLoop } from "../dispatch/attempt-loop.ts";
import type { OperationOutcome, OperationRecord } from "./operation-record.ts";
import type { ReplySink } from "./reply-sink.ts";

/** Why it did not end well. */
export interface EndFailure {
  readonly type: NonNullable<OperationRecord["errorType"]>;
  readonly message: string;
}

interface OperationEnd {
  readonly outcome: OperationOutcome;
  readonly failure: EndFailure | undefined;
  /** None when no attempt was thought of. */
  readonly loop: Pick<AttemptLoop, "attemptCount" | "failures"> | undefined;
  readonly sink: Pick<ReplySink, "headersSent" | "statusCode">;
}

/** Writes it down. */
export function noteEnd(
  record: OperationRecord,
  { outcome, failure, loop, sink }: OperationEnd,
): void {
  record.outcome = outcome;
  record.attemptCount = loop?.attemptCount ?? 0;
  record.attempts = loop?.failures ?? [];
  record.errorType = failure?.type;
  record.errorMessage = failure?.message;
  record.status = sink.headersSent ? sink.statusCode : undefined;
}
