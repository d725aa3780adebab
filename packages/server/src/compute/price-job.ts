/** What a reservation costs: the price of its device seconds, and more for priority. */

import type { ComputeConfig } from "#config/index.ts";

import { deviceCountOf, type JobRequest } from "./job.ts";

/** In micros, rounded up once; `undefined` when the kind of device has no price. */
export function priceOf(
  prices: ComputeConfig["prices"],
  request: Omit<JobRequest, "costMicros">,
): bigint | undefined {
  const price = prices.find(({ deviceKind }) => deviceKind === request.deviceKind);
  if (price === undefined) return undefined;
  const deviceMs = BigInt(deviceCountOf(request)) * BigInt(request.durationMs);
  const percent = 100n + BigInt(request.priority) * BigInt(price.priorityPercent);
  const divisor = 1_000n * 100n;
  return (deviceMs * BigInt(price.microsPerDeviceSecond) * percent + divisor - 1n) / divisor;
}
