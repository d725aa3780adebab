/** What an interval of a reservation used, as the ledger keeps it beside the charge. */

import type { UseDetails } from "@faultline/protocol";

import { deviceCountOf, type JobRequest } from "./job.ts";

/** What `usedMs` of a job's time used, and by which version of the price. */
export function useDetails(request: JobRequest, usedMs: number): UseDetails {
  const { deviceKind, priceVersion } = request;
  const deviceSeconds = (deviceCountOf(request) * usedMs) / 1_000;
  return { deviceKind, deviceSeconds, ...(priceVersion === undefined ? {} : { priceVersion }) };
}
