/** Headers of ours in the head of a reply. */

import type { Target } from "#catalog/index.ts";
import type { RateHeaders } from "../admission/rate-standing.ts";
import { bundleHeaders } from "../bundles/guard-reply.ts";
import type { BundleUse } from "../bundles/resolve-call.ts";
import type { OperationRecord } from "./operation-record.ts";

/** What the headers tell of. */
export interface ReplyOrigin {
  readonly record: Pick<OperationRecord, "operationId" | "bundleHash">;
  readonly limits: RateHeaders;
  readonly use: BundleUse | undefined;
  /** That was asked last. */
  readonly target: Target | undefined;
  readonly attemptCount: number;
}

/** Who answers: operation, version of behaviour, target, and after how many attempts. */
export function operationHeaders(origin: ReplyOrigin): Record<string, string> {
  const headers: Record<string, string> = {
    "x-faultline-operation-id": origin.record.operationId,
    ...origin.limits,
  };
  const { bundleHash } = origin.record;
  if (bundleHash !== undefined) Object.assign(headers, bundleHeaders(bundleHash, origin.use));
  if (origin.target !== undefined) headers["x-faultline-target"] = origin.target.model.id;
  if (origin.attemptCount > 0) headers["x-faultline-attempts"] = String(origin.attemptCount);
  return headers;
}
