/** The contracts about single calls between services: retries, deadlines, cancellation, idempotency. */

import type { Contract } from "../model/contract.ts";
import { requestsSucceed } from "./requests-succeed.ts";

export const callContracts: readonly Contract[] = [];

/** What guards the contracts about traces against a repair that only hides the fault. */
export const callControls: readonly Contract[] = [requestsSucceed];
