/** One layer as the control process counts it: what is left, and who holds which slice of it. */

import type { LayerLimits } from "#config/index.ts";
import type { TenantId } from "@faultline/protocol";

import type { LayerName, LimitDimension } from "./layer.ts";
import { leaseBounds, permitReserve, rateReserve } from "./lease-bounds.ts";
import type { LayerGrant, LayerLevels, SliceReport } from "./lease-messages.ts";
import type { LimitRefusal } from "./limit-refusal.ts";
import { Recalls } from "./recalls.ts";
import { RateBucket } from "./rate-bucket.ts";

/** What one worker holds of a layer, in use or idle. */
export interface Holding {
  requests: number;
  tokens: number;
  permits: number;
  /** Tokens that were reported used, and may come back. */
  tokensRefundable: number;
}

/** What an account is about. */
export interface AccountOf extends LayerName {
  readonly id: string;
  readonly tenantId: TenantId;
  /** Shared by all of a tenant that are too many to be counted one by one. */
  readonly shared: boolean;
}

export class LayerAccount<Worker> {
  readonly of: AccountOf;
  readonly holdings = new Map<Worker, Holding>();
  readonly recalls = new Recalls<Worker>();
  #limits: LayerLimits;
  #requests: RateBucket | undefined;
  #tokens: RateBucket | undefined;
  #permitsLent = 0;

  constructor(of: AccountOf, limits: LayerLimits, nowMs: number) {
    this.of = of;
    this.#limits = limits;
    this.#requests = openBucket(limits.requestsPerMinute, nowMs);
    this.#tokens = openBucket(limits.tokensPerMinute, nowMs);
  }

  get limits(): LayerLimits {
    return this.#limits;
  }

  /** Changes the limits. Units of a rate that is not limited any more are nobody's. */
  setLimits(limits: LayerLimits, nowMs: number): void {
    this.#limits = limits;
    for (const holding of this.holdings.values()) {
      if (limits.requestsPerMinute === undefined) holding.requests = 0;
      if (limits.tokensPerMinute !== undefined) continue;
      holding.tokens = 0;
      holding.tokensRefundable = 0;
    }
    this.#requests = changeBucket(this.#requests, limits.requestsPerMinute, nowMs);
    this.#tokens = changeBucket(this.#tokens, limits.tokensPerMinute, nowMs);
  }

  /** What of a call with these tokens does not fit now. */
  lacking(tokens: number, nowMs: number): LimitDimension[] {
    const dimensions: LimitDimension[] = [];
    if (this.#requests !== undefined && this.#requests.level(nowMs) < 1)
      dimensions.push("requests");
    if (this.#tokens !== undefined && this.#tokens.level(nowMs) < tokens) dimensions.push("tokens");
    if (this.#permitsLeft < 1) dimensions.push("concurrency");
    return dimensions;
  }

  /** Whether what workers hold could make up for what is lacking, were it idle. */
  couldRecall(lacking: LimitDimension, needs: { tokens: number; nowMs: number }): boolean {
    let held = 0;
    for (const holding of this.holdings.values()) held += heldOf(holding, lacking);
    if (held <= 0) return false;
    switch (lacking) {
      case "requests":
        return (this.#requests?.level(needs.nowMs) ?? 0) + held >= 1;
      case "tokens":
        return (this.#tokens?.level(needs.nowMs) ?? 0) + held >= needs.tokens;
      case "concurrency":
        return this.#permitsLeft + held >= 1;
    }
  }

  /**
   * Lends what a call needs, which must be there, and a reserve: no more than a fair share of what is left, and none while
   * others wait for what is idle.
   */
  lend(
    worker: Worker,
    call: { tokens: number; nowMs: number; workerCount: number },
  ): Omit<LayerGrant, "layerIndex"> {
    const holding = this.#holdingOf(worker);
    const withReserve = this.#lendsReserve;
    const share = 2 * Math.max(1, call.workerCount);
    const fromBucket = (bucket: RateBucket | undefined, needed: number): number | undefined => {
      if (bucket === undefined) return undefined;
      const spare = Math.floor((bucket.level(call.nowMs) - needed) / share);
      const reserve = withReserve ? Math.max(0, Math.min(rateReserve(bucket.perMinute), spare)) : 0;
      bucket.lend(needed + reserve);
      return needed + reserve;
    };
    const requests = fromBucket(this.#requests, 1);
    const tokens = fromBucket(this.#tokens, call.tokens);
    const permits = this.#lendPermits(share);
    holding.requests += requests ?? 0;
    holding.tokens += tokens ?? 0;
    holding.permits += permits ?? 0;
    return { id: this.of.id, requests, tokens, permits, levels: this.levels(call.nowMs) };
  }

  /** Takes a worker's report into account. */
  note(worker: Worker, report: SliceReport, nowMs: number): void {
    const holding = this.#holdingOf(worker);
    const requests = { used: report.requestsUsed, returned: report.requestsReturned };
    const tokens = { used: report.tokensUsed, returned: report.tokensReturned };
    holding.requests -= settleBucket(this.#requests, {
      ...requests,
      held: holding.requests,
      nowMs,
    });
    holding.tokens -= settleBucket(this.#tokens, { ...tokens, held: holding.tokens, nowMs });
    holding.tokensRefundable = this.#tokens === undefined ? 0 : report.tokensRefundable;
    const permits = Math.min(report.permitsReturned, holding.permits);
    holding.permits -= permits;
    this.#permitsLent -= permits;
    this.#forgetEmpty(worker, holding);
  }

  /**
   * A worker is gone, and its calls with it, so that their places are free. What it held of a rate counts as used, because
   * nobody can say how much of it was; the bucket fills up again.
   */
  lose(worker: Worker, nowMs: number): void {
    this.recalls.lose(worker);
    const holding = this.holdings.get(worker);
    if (holding === undefined) return;
    this.holdings.delete(worker);
    this.#permitsLent -= holding.permits;
    this.#requests?.noteUsed(holding.requests, nowMs);
    this.#tokens?.noteUsed(holding.tokens, nowMs);
  }

  levels(nowMs: number): LayerLevels {
    return { requests: this.#requests?.level(nowMs), tokens: this.#tokens?.level(nowMs) };
  }

  /** The refusal of a call that lacks these. */
  refusal(lacking: readonly LimitDimension[], tokens: number, nowMs: number): LimitRefusal {
    const refusals = lacking.map((dimension): LimitRefusal => {
      const { scope, name } = this.of;
      const base = { scope, name, dimension, reason: "exhausted" } as const;
      if (dimension === "concurrency") {
        const limit = this.#limits.concurrencyMax ?? 0;
        const retryAfterMs = leaseBounds.permitRetryMs;
        return { ...base, limit, left: Math.max(0, this.#permitsLeft), needed: 1, retryAfterMs };
      }
      const needed = dimension === "requests" ? 1 : tokens;
      // A dimension lacks only where there is a bucket.
      const bucket = (dimension === "requests" ? this.#requests : this.#tokens) as RateBucket;
      const left = Math.max(0, Math.floor(bucket.level(nowMs)));
      const retryAfterMs = bucket.msUntil(needed, nowMs);
      return { ...base, limit: bucket.perMinute, left, needed, retryAfterMs };
    });
    return refusals.reduce((last, next) => (next.retryAfterMs > last.retryAfterMs ? next : last));
  }

  /** Whether nothing is lost when it is dropped and begun anew. */
  isFresh(nowMs: number): boolean {
    return (
      this.holdings.size === 0 &&
      this.recalls.isEmpty &&
      this.#permitsLent === 0 &&
      this.#requests?.isFull(nowMs) !== false &&
      this.#tokens?.isFull(nowMs) !== false
    );
  }

  get #lendsReserve(): boolean {
    return !this.of.shared && this.recalls.isEmpty;
  }

  get #permitsLeft(): number {
    return (this.#limits.concurrencyMax ?? Number.POSITIVE_INFINITY) - this.#permitsLent;
  }

  #lendPermits(share: number): number | undefined {
    const { concurrencyMax } = this.#limits;
    if (concurrencyMax === undefined) return undefined;
    const spare = Math.floor((this.#permitsLeft - 1) / share);
    const reserve = this.#lendsReserve
      ? Math.max(0, Math.min(permitReserve(concurrencyMax), spare))
      : 0;
    this.#permitsLent += 1 + reserve;
    return 1 + reserve;
  }

  #holdingOf(worker: Worker): Holding {
    const known = this.holdings.get(worker);
    if (known !== undefined) return known;
    const holding = { requests: 0, tokens: 0, permits: 0, tokensRefundable: 0 };
    this.holdings.set(worker, holding);
    return holding;
  }

  #forgetEmpty(worker: Worker, holding: Holding): void {
    const { requests, tokens, permits, tokensRefundable } = holding;
    const isEmpty = requests === 0 && tokens === 0 && permits === 0 && tokensRefundable === 0;
    if (isEmpty) this.holdings.delete(worker);
  }
}

/** What a worker holds of a dimension. */
function heldOf(holding: Holding, dimension: LimitDimension): number {
  switch (dimension) {
    case "requests":
      return holding.requests;
    case "tokens":
      return holding.tokens + holding.tokensRefundable;
    case "concurrency":
      return holding.permits;
  }
}

/** Takes a report into the bucket; gives how much less the worker holds. */
function settleBucket(
  bucket: RateBucket | undefined,
  report: { used: number; returned: number; held: number; nowMs: number },
): number {
  if (bucket === undefined) return 0;
  // What was lent before the limit was lifted for a while is nobody's now.
  const returned = Math.min(report.returned, report.held - Math.min(report.used, 0));
  const used = Math.min(report.used, report.held - returned);
  bucket.noteUsed(used, report.nowMs);
  bucket.takeBack(returned, report.nowMs);
  return used + returned;
}

function openBucket(perMinute: number | undefined, nowMs: number): RateBucket | undefined {
  return perMinute === undefined ? undefined : new RateBucket(perMinute, nowMs);
}

function changeBucket(
  bucket: RateBucket | undefined,
  perMinute: number | undefined,
  nowMs: number,
): RateBucket | undefined {
  if (bucket === undefined || perMinute === undefined) return openBucket(perMinute, nowMs);
  if (bucket.perMinute !== perMinute) bucket.setRate(perMinute, nowMs);
  return bucket;
}
