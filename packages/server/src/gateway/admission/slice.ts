/** What one worker holds of a layer: units that it may use without asking. */

import { type LayerLimits, notLimited } from "#config/index.ts";

import type { TenantId } from "@faultline/protocol";

import { type Layer, layerId, type LayerName, type LimitDimension } from "./layer.ts";
import { leaseBounds, permitReserve, rateReserve, unitsPerMs } from "./lease-bounds.ts";
import type { LayerGrant, LayerLevels, SliceReport } from "./lease-messages.ts";
import { Reservations } from "./reservations.ts";

/** What of a call a slice was charged with. */
export interface Taken {
  readonly slice: Slice;
  readonly request: boolean;
  readonly tokens: number;
  readonly permit: boolean;
}

export class Slice {
  readonly id: string;
  readonly layer: LayerName;
  readonly tenantId: TenantId;
  limits: LayerLimits;
  readonly reservations = new Reservations();
  #requestsIdle = 0;
  #requestsUsed = 0;
  #tokensIdle = 0;
  #tokensUsed = 0;
  #permitsIdle = 0;
  #permitsInUse = 0;
  #refundableReported = 0;
  /** Charges of calls that wait for other layers. */
  #openCount = 0;
  #touchedMs = 0;
  #levels: LayerLevels = { requests: undefined, tokens: undefined };
  #levelsAtMs = 0;

  /** `id` differs from the layer's when it is counted together with others. */
  constructor(id: string, layer: Omit<Layer, "id">, tenantId: TenantId) {
    this.id = id;
    this.tenantId = tenantId;
    this.layer = { scope: layer.scope, name: layer.name };
    this.limits = layer.limits;
  }

  /** Whether a call fits in without asking. */
  holds(tokens: number): boolean {
    const { requestsPerMinute, tokensPerMinute, concurrencyMax } = this.limits;
    return (
      (requestsPerMinute === undefined || this.#requestsIdle >= 1) &&
      (tokensPerMinute === undefined || this.#tokensIdle >= tokens) &&
      (concurrencyMax === undefined || this.#permitsIdle >= 1)
    );
  }

  /** Whether there is anything to give back. */
  get hasIdle(): boolean {
    return this.#requestsIdle > 0 || this.#tokensIdle > 0 || this.#permitsIdle > 0;
  }

  /** Charges a call that fits in; `confirm` or `putBack` must follow. */
  take(tokens: number, nowMs: number): Taken {
    this.#touchedMs = nowMs;
    const { requestsPerMinute, tokensPerMinute, concurrencyMax } = this.limits;
    const taken = {
      slice: this,
      request: requestsPerMinute !== undefined,
      tokens: tokensPerMinute === undefined ? 0 : tokens,
      permit: concurrencyMax !== undefined,
    };
    this.#charge(taken);
    return taken;
  }

  /** Adds what the control process lent, and charges the call that it was asked for, likewise. */
  takeGranted(grant: LayerGrant, tokens: number, nowMs: number): Taken {
    this.add(grant, nowMs);
    const taken = {
      slice: this,
      request: grant.requests !== undefined,
      tokens: grant.tokens === undefined ? 0 : tokens,
      permit: grant.permits !== undefined,
    };
    this.#charge(taken);
    return taken;
  }

  /** Adds what the control process lent, for whoever comes next. */
  add(grant: LayerGrant, nowMs: number): void {
    this.#touchedMs = nowMs;
    this.#requestsIdle += grant.requests ?? 0;
    this.#tokensIdle += grant.tokens ?? 0;
    this.#permitsIdle += grant.permits ?? 0;
    this.noteLevels(grant.levels, nowMs);
  }

  /**
   * A charged call is admitted. Only now is it reported as used, and may the bucket fill up for it: what was put back
   * after that would be there twice.
   */
  confirm({ request, tokens }: Taken): void {
    this.#openCount -= 1;
    this.#requestsUsed += request ? 1 : 0;
    this.#tokensUsed += tokens;
  }

  /** Undoes a charge of a call that is not made. */
  putBack({ request, tokens, permit }: Taken): void {
    this.#openCount -= 1;
    this.#requestsIdle += request ? 1 : 0;
    this.#tokensIdle += tokens;
    if (permit) this.release();
  }

  /** A call ended. */
  release(): void {
    this.#permitsInUse -= 1;
    this.#permitsIdle += 1;
  }

  /** Gives back tokens that were charged and not used, or charges such as were used beyond. */
  refund(tokens: number): void {
    this.#tokensIdle += tokens;
    this.#tokensUsed -= tokens;
  }

  noteLevels(levels: LayerLevels, nowMs: number): void {
    this.#levels = levels;
    this.#levelsAtMs = nowMs;
  }

  /** What is left of a rate for all workers together, as far as this one knows. */
  left(dimension: Exclude<LimitDimension, "concurrency">, nowMs: number): number {
    const isRequests = dimension === "requests";
    const limit = isRequests ? this.limits.requestsPerMinute : this.limits.tokensPerMinute;
    if (limit === undefined) return Number.POSITIVE_INFINITY;
    const level = (isRequests ? this.#levels.requests : this.#levels.tokens) ?? 0;
    const idle = isRequests ? this.#requestsIdle : this.#tokensIdle;
    const inflow = unitsPerMs(limit) * Math.max(0, nowMs - this.#levelsAtMs);
    return Math.max(0, Math.floor(Math.min(limit, level + inflow + idle)));
  }

  /** What to report: `reserve` keeps what a slice should hold, `nothing` gives back all that is idle. */
  report(keep: "reserve" | "nothing", nowMs: number): SliceReport | undefined {
    const isIdle = nowMs - this.#touchedMs >= leaseBounds.sliceIdleMs;
    // Of what is counted together with others, each call asks.
    const isShared = this.id !== layerId(this.layer);
    const reserves = keep === "nothing" || isIdle || isShared ? notLimited : this.limits;
    const requestsReturned = surplus(this.#requestsIdle, rateReserveOf(reserves.requestsPerMinute));
    const tokensReturned = surplus(this.#tokensIdle, rateReserveOf(reserves.tokensPerMinute));
    const { concurrencyMax } = reserves;
    const permitsKept = concurrencyMax === undefined ? 0 : permitReserve(concurrencyMax);
    const permitsReturned = surplus(this.#permitsIdle, permitsKept);
    const [requestsUsed, tokensUsed] = [this.#requestsUsed, this.#tokensUsed];
    const tokensRefundable = this.#refundable(nowMs);
    const isNothingToReturn =
      requestsReturned === 0 && tokensReturned === 0 && permitsReturned === 0;
    const isNothingNew =
      requestsUsed === 0 &&
      tokensUsed === 0 &&
      // That it shrinks slowly is no news.
      (tokensRefundable > 0 || this.#refundableReported === 0);
    if (isNothingToReturn && isNothingNew) return undefined;
    this.#refundableReported = tokensRefundable;
    this.#requestsIdle -= requestsReturned;
    this.#tokensIdle -= tokensReturned;
    this.#permitsIdle -= permitsReturned;
    this.#requestsUsed = 0;
    this.#tokensUsed = 0;
    return {
      id: this.id,
      requestsUsed,
      requestsReturned,
      tokensUsed,
      tokensReturned,
      permitsReturned,
      tokensRefundable,
    };
  }

  /** Whether nothing is lost when it is dropped. */
  isSpent(nowMs: number): boolean {
    return (
      this.#refundable(nowMs) === 0 &&
      this.#refundableReported === 0 &&
      this.#requestsIdle === 0 &&
      this.#tokensIdle === 0 &&
      this.#permitsIdle === 0 &&
      this.#permitsInUse === 0 &&
      this.#openCount === 0 &&
      this.#requestsUsed === 0 &&
      this.#tokensUsed === 0 &&
      this.reservations.isEmpty &&
      nowMs - this.#touchedMs >= leaseBounds.sliceIdleMs
    );
  }

  #refundable(nowMs: number): number {
    this.reservations.drain({ perMinute: this.limits.tokensPerMinute ?? 0, nowMs });
    return Math.ceil(this.reservations.refundable);
  }

  #charge({ request, tokens, permit }: Taken): void {
    this.#openCount += 1;
    if (request) this.#requestsIdle -= 1;
    this.#tokensIdle -= tokens;
    if (permit) {
      this.#permitsIdle -= 1;
      this.#permitsInUse += 1;
    }
  }
}

function rateReserveOf(perMinute: number | undefined): number {
  return perMinute === undefined ? 0 : rateReserve(perMinute);
}

/** What is beyond the reserve; a debt is returned as such. */
function surplus(idle: number, reserve: number): number {
  return idle < 0 ? idle : Math.max(0, idle - reserve);
}
