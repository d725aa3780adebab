/** The contracts about single calls between services: retries, deadlines, cancellation, idempotency. */

import type { Contract } from "../model/contract.ts";
import { cancellation } from "./cancellation.ts";
import { deadlinePropagation } from "./deadline-propagation.ts";
import { idempotency } from "./idempotency.ts";
import { requestsSucceed } from "./requests-succeed.ts";
import { retryAmplification } from "./retry-amplification.ts";
import { retryBackoff } from "./retry-backoff.ts";
import { retrySafeErrors } from "./retry-safe-errors.ts";
import { wholeTraces } from "./whole-traces.ts";

export const callContracts: readonly Contract[] = [
  retryAmplification,
  retryBackoff,
  retrySafeErrors,
  deadlinePropagation,
  cancellation,
  idempotency,
  wholeTraces,
];

/** What guards the contracts about traces against a repair that only hides the fault. */
export const callControls: readonly Contract[] = [requestsSucceed];
