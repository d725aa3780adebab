/** What kinds of devices cost, and from when on: a price in versions, of which the one counts that is valid at a moment. */

import { createHash } from "node:crypto";

import type { ComputeConfig } from "#config/index.ts";

import { deviceCountOf, type JobRequest } from "./job.ts";

/** So much of the hash of a price stands in the id of its version. */
const hashLength = 12;

interface PriceVersion {
  readonly id: string;
  readonly validFromMs: number;
  readonly microsPerDeviceSecond: number;
  readonly priorityPercent: number;
}

/** What a job costs, and by which version. */
export interface JobPrice {
  readonly costMicros: bigint;
  readonly priceVersion: string;
}

export class DevicePrices {
  /** By the kind of device, the latest first. */
  readonly #versions: ReadonlyMap<string, readonly PriceVersion[]>;

  constructor(prices: ComputeConfig["prices"]) {
    this.#versions = new Map(
      prices.map(({ deviceKind, microsPerDeviceSecond, priorityPercent, changes }) => [
        deviceKind,
        [{ validFromMs: 0, microsPerDeviceSecond, priorityPercent }, ...changes]
          .map((version) => ({ ...version, id: idOf(deviceKind, version) }))
          .sort((left, right) => right.validFromMs - left.validFromMs),
      ]),
    );
  }

  /** In micros, rounded up once; `undefined` when the kind of device has no price. */
  priceOf(request: Omit<JobRequest, "costMicros">, atMs: number): JobPrice | undefined {
    const versions = this.#versions.get(request.deviceKind) ?? [];
    const price = versions.find(({ validFromMs }) => validFromMs <= atMs);
    if (price === undefined) return undefined;
    const deviceMs = BigInt(deviceCountOf(request)) * BigInt(request.durationMs);
    const percent = 100n + BigInt(request.priority) * BigInt(price.priorityPercent);
    const divisor = 1_000n * 100n;
    const costMicros =
      (deviceMs * BigInt(price.microsPerDeviceSecond) * percent + divisor - 1n) / divisor;
    return { costMicros, priceVersion: price.id };
  }

  /** Whether some version became valid after one moment and until another. */
  isChanged(afterMs: number, untilMs: number): boolean {
    for (const versions of this.#versions.values())
      if (versions.some(({ validFromMs: ms }) => ms > afterMs && ms <= untilMs)) return true;
    return false;
  }

  /** The request at the price that is valid now; the same one where nothing changes, or its kind has no price any more. */
  repriced(request: JobRequest, atMs: number): JobRequest {
    const price = this.priceOf(request, atMs);
    if (price === undefined || price.priceVersion === request.priceVersion) return request;
    return { ...request, ...price };
  }
}

function idOf(deviceKind: string, version: Omit<PriceVersion, "id">): string {
  const { validFromMs, microsPerDeviceSecond, priorityPercent } = version;
  const text = JSON.stringify([validFromMs, microsPerDeviceSecond, priorityPercent]);
  // A price that is configured anew is another version, whose id must be another too.
  const hash = createHash("sha256").update(text).digest("hex").slice(0, hashLength);
  return `${deviceKind}@configuration-${hash}`;
}
