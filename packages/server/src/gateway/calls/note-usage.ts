/** What an operation used, and what that costs, in its record. */

import { costMicros, type Target } from "#catalog/index.ts";

import { settleUsage } from "./observed-usage.ts";
import type { OperationRecord } from "./operation-record.ts";
import type { ReplyReader } from "./reply-reader.ts";
import type { RequestFacts } from "./request-reader.ts";

/** Writes down the usage of a reply that has begun, as it is reported or else as it was seen. */
export function noteUsage(
  record: OperationRecord,
  reader: ReplyReader,
  { target, facts }: { readonly target: Target; readonly facts: RequestFacts },
): void {
  if (record.operation === "count_tokens") return;
  const isComplete = record.outcome === "completed";
  const settled = settleUsage(reader, { inputBytes: inputBytes(facts), isComplete });
  record.usage = settled.usage;
  record.usageSource = settled.source;
  record.costMicros = costMicros(target.price, settled.usage);
  record.priceSource = target.price.source;
}

/** What the model was given to read, as JSON writes it. */
function inputBytes({ places: { messages, system, tools } }: RequestFacts): number {
  return [messages, system, tools].reduce(
    (sum, place) => sum + (place === undefined ? 0 : place.end - place.start),
    0,
  );
}
