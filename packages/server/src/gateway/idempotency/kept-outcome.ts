/** Which replies stand for their key: those that a second execution would not better. */

import type { OperationRecord } from "../calls/operation-record.ts";

/** Answers of providers that tell of the moment rather than of the request. */
const passing: ReadonlySet<number> = new Set([401, 403, 408, 409, 425, 429]);
const statusPrefix = "provider_status_";

/** Whole answers and the final errors of providers are kept; whatever may pass frees the key. */
export function keptOutcome({
  outcome,
  errorType,
}: Pick<OperationRecord, "outcome" | "errorType">): "kept" | "released" {
  if (outcome === "completed") return "kept";
  if (outcome === "cancelled" || errorType === undefined) return "released";
  // The model has answered, and would be paid again for another answer.
  if (errorType === "content_refused") return "kept";
  if (!errorType.startsWith(statusPrefix)) return "released";
  const status = Number(errorType.slice(statusPrefix.length));
  return status < 500 && !passing.has(status) ? "kept" : "released";
}
