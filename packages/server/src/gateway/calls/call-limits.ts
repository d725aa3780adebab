/** One call and the limits: asks them for admission, says what stands in its head, and gives back when it ends. */

import { PlatformError } from "@faultline/protocol";

import type { Grant } from "../admission/grant.ts";
import type { AdmissionRequest } from "../admission/layer-table.ts";
import type { LimitOutcome } from "../admission/limits.ts";
import { type LimitRefusal, retryAfterSeconds, toLimitError } from "../admission/limit-refusal.ts";
import {
  anthropicRateHeaders,
  openaiRateHeaders,
  type RateHeaders,
  type RateStanding,
  standingOf,
  tighterStanding,
} from "../admission/rate-standing.ts";
import type { Target } from "#catalog/index.ts";
import type { Unready } from "../dispatch/attempt-loop.ts";
import type { RouteTarget } from "../dispatch/route-target.ts";
import type { SnapshotKey } from "../snapshot.ts";
import type { GatewayState } from "../workers/gateway-state.ts";
import type { OperationRecord } from "./operation-record.ts";
import type { RequestFacts } from "./request-reader.ts";
import { userOf } from "./call-user.ts";
import { expectedTokens } from "./expected-tokens.ts";
import type { Surface } from "./surface.ts";
import type { CallerHeaders } from "./upstream-request.ts";

export interface LimitedCall {
  readonly surface: Surface;
  readonly key: SnapshotKey;
  readonly headers: CallerHeaders;
  readonly clientAddress: string;
  readonly record: Pick<OperationRecord, "limit" | "usage">;
}

/** What is known of the call when it asks. */
export interface LimitedRequest {
  readonly body: Buffer;
  readonly facts: RequestFacts;
  readonly route: readonly RouteTarget[];
}

/** Exactly one of the two is called. */
interface Admitting {
  readonly admitted: () => void;
  readonly refused: (error: PlatformError) => void;
}

export class CallLimits {
  readonly #state: GatewayState;
  readonly #call: LimitedCall;
  #leave: (() => void) | undefined;
  /** What the call was admitted with, and what the target was that it turned to since. */
  #grant: Grant | undefined;
  #targetGrant: Grant | undefined;
  #request: AdmissionRequest | undefined;
  #limited: RouteTarget[] | undefined;
  /** Tokens that were used before the call turned to its target. */
  #tokensBefore = 0;
  #refusal: LimitRefusal | undefined;
  #hasEnded = false;

  constructor(state: GatewayState, call: LimitedCall) {
    this.#state = state;
    this.#call = call;
  }

  /** Targets of the route whose own limits refused the call. */
  get limited(): readonly RouteTarget[] {
    return this.#limited ?? noTargets;
  }

  /**
   * Asks with the layers of the first target, or of the first after it whose own are not used up. Calls one of the two, at
   * once or later, unless the call ends before.
   */
  admit({ body, facts, route }: LimitedRequest, on: Admitting): void {
    const { key, surface, headers, clientAddress } = this.#call;
    const index = this.#firstOf(route);
    const target = route[index]?.target;
    const request = {
      key,
      user: userOf(headers, facts, body),
      modelId: target?.model.id ?? "",
      provider: target?.provider.name ?? "",
      clientAddress,
      tokens: expectedTokens(surface, facts),
    };
    this.#admitAt(index, request, { route, on });
  }

  /**
   * Before a target is asked that the call was not admitted with: its model and provider count it too, and those of the
   * one before count it no more. Calls back when it says `asking`.
   */
  turn(target: Target, then: (unready: Unready | undefined) => void): "ready" | "asking" {
    const request = this.#request;
    if (request === undefined || request.modelId === target.model.id) return "ready";
    this.#leaveTarget();
    this.#ask("admitTarget", requestFor(request, target), (outcome) => {
      if (outcome.kind === "admitted") {
        this.#targetGrant = outcome.grant;
        this.#call.record.limit = undefined;
        return then(undefined);
      }
      // Nothing counts the call at this target: once more it must be asked for again.
      this.#request = requestOfNobody(request);
      then({ refusal: "limit-reached", error: this.#refuse(outcome.refusal) });
    });
    return "asking";
  }

  /** The call is over, or was left while it waited. Once more changes nothing. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#leave?.();
    this.#endTarget();
    this.#grant?.settle(this.#tokensUsed);
    this.#grant?.release();
  }

  /** Where the tightest layers stand, in the caller's dialect. */
  headers(): RateHeaders {
    const granted = this.#grant?.standing();
    const ofTarget = this.#targetGrant?.standing();
    const standing =
      granted !== undefined && ofTarget !== undefined
        ? tighterStanding(granted, ofTarget)
        : (granted ?? this.#standingOfRefusal());
    if (standing === undefined) return noHeaders;
    return this.#call.surface.dialect.name === "openai"
      ? openaiRateHeaders(standing)
      : anthropicRateHeaders(standing, this.#state.clock.nowMs());
  }

  #admitAt(
    index: number,
    request: AdmissionRequest,
    asking: { readonly route: readonly RouteTarget[]; readonly on: Admitting },
  ): void {
    const { route, on } = asking;
    this.#ask("admit", request, (outcome) => {
      if (outcome.kind === "admitted") {
        this.#grant = outcome.grant;
        this.#call.record.limit = undefined;
        return on.admitted();
      }
      const { scope } = outcome.refusal;
      const error = this.#refuse(outcome.refusal);
      const [refused, next] = route.slice(index);
      const isOfTarget = scope === "model" || scope === "provider";
      if (!isOfTarget || refused === undefined || next === undefined) return on.refused(error);
      this.#limited = [...this.limited, refused];
      this.#admitAt(index + 1, requestFor(request, next.target), asking);
    });
  }

  /** Whom the loop will ask first: a target that is left alone for now is not to be charged. */
  #firstOf(route: readonly RouteTarget[]): number {
    if (route.length === 1) return 0;
    const { clock, targets } = this.#state;
    const nowMs = clock.monotonicMs();
    return Math.max(
      0,
      route.findIndex(({ target }) => targets.of(target).health.admits(nowMs)),
    );
  }

  #ask(
    way: "admit" | "admitTarget",
    request: AdmissionRequest,
    then: (outcome: LimitOutcome) => void,
  ): void {
    this.#request = request;
    const leave = this.#state.limits[way](request, then);
    // When it was answered at once, another question may be under way by now.
    if (this.#request === request) this.#leave = leave;
  }

  #refuse(refusal: LimitRefusal): PlatformError {
    this.#refusal = refusal;
    this.#state.metrics.countRefusal(refusal);
    this.#call.record.limit = `${refusal.scope} ${refusal.dimension}`;
    return refusalError(refusal);
  }

  /** A call of which no usage is known has used nothing: no provider was at work for it. */
  get #tokensUsed(): number {
    const { usage } = this.#call.record;
    return usage === undefined ? 0 : usage.inputTokens + usage.outputTokens;
  }

  #leaveTarget(): void {
    this.#endTarget();
    this.#grant?.leaveTarget(this.#tokensUsed);
    this.#tokensBefore = this.#tokensUsed;
  }

  #endTarget(): void {
    this.#targetGrant?.settle(this.#tokensUsed - this.#tokensBefore);
    this.#targetGrant?.release();
    this.#targetGrant = undefined;
  }

  #standingOfRefusal(): RateStanding | undefined {
    return this.#refusal === undefined ? undefined : standingOf(this.#refusal);
  }
}

function requestFor(request: AdmissionRequest, { model, provider }: Target): AdmissionRequest {
  return { ...request, modelId: model.id, provider: provider.name };
}

function requestOfNobody(request: AdmissionRequest): AdmissionRequest {
  return { ...request, modelId: "", provider: "" };
}

const noTargets: readonly RouteTarget[] = [];
const noHeaders: RateHeaders = {};

/** The error of a refusal, with the time of `Retry-After` for whoever writes its head. */
export function refusalError(refusal: LimitRefusal): PlatformError {
  const error = toLimitError(refusal);
  if (error.code === "request_too_large") return error;
  const { message, code, hint } = error;
  return new PlatformError(code, message, {
    ...(hint === undefined ? {} : { hint }),
    context: { retryAfter: String(retryAfterSeconds(refusal)) },
  });
}
