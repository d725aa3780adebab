/** What the attempts of an operation used, summed up in its record; and what its reply said of itself. */

import { addUsage, type AttemptUsage } from "./attempt-usage.ts";
import type { CapturedText } from "./captured-text.ts";
import type { OperationRecord } from "./operation-record.ts";
import type { ReplyReader } from "./reply-reader.ts";

/** Adds what one attempt used. Once a part was counted by us, the sum was. */
export function noteUsage(record: OperationRecord, used: AttemptUsage): void {
  const { usage, usageSource, costMicros = 0n } = record;
  record.usage = usage === undefined ? used.usage : addUsage(usage, used.usage);
  record.usageSource = usageSource === "observed" ? usageSource : used.source;
  record.costMicros = costMicros + used.costMicros;
  record.priceSource = used.priceSource;
  record.priceVersion = used.priceVersion;
}

/** Writes down what the reply that was passed on said of itself. */
export function noteReply(
  record: OperationRecord,
  reader: ReplyReader,
  captured: CapturedText | undefined,
): void {
  record.responseId = reader.responseId;
  record.responseModel = reader.responseModel;
  record.finishReasons = record.refusedBy === undefined ? reader.finishReasons : ["content_filter"];
  record.outputMessages = captured?.toMessages(reader.finishReasons);
}
