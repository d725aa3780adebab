/** One call and the limits: asks them for admission, says what stands in its head, and gives back when it ends. */

import { PlatformError } from "@faultline/protocol";

import type { Grant } from "../admission/grant.ts";
import { type LimitRefusal, retryAfterSeconds, toLimitError } from "../admission/limit-refusal.ts";
import {
  anthropicRateHeaders,
  openaiRateHeaders,
  type RateHeaders,
  type RateStanding,
  standingOf,
} from "../admission/rate-standing.ts";
import type { RouteTarget } from "../dispatch/route-target.ts";
import type { SnapshotKey } from "../snapshot.ts";
import type { GatewayState } from "../workers/gateway-state.ts";
import type { OperationRecord } from "./operation-record.ts";
import type { RequestFacts } from "./request-reader.ts";
import { expectedTokens } from "./expected-tokens.ts";
import type { Surface } from "./surface.ts";
import type { CallerHeaders } from "./upstream-request.ts";

/** The header by which a caller names its end user; it goes before the field of the body. */
const userHeader = "x-faultline-user";

export interface LimitedCall {
  readonly surface: Surface;
  readonly key: SnapshotKey;
  readonly headers: CallerHeaders;
  readonly clientAddress: string;
  readonly record: Pick<OperationRecord, "limit">;
}

/** What is known of the call when it asks. */
export interface LimitedRequest {
  readonly body: Buffer;
  readonly facts: RequestFacts;
  /** The first target counts. */
  readonly route: readonly RouteTarget[];
}

export class CallLimits {
  readonly #state: GatewayState;
  readonly #call: LimitedCall;
  #leave: (() => void) | undefined;
  #grant: Grant | undefined;
  #refusal: LimitRefusal | undefined;
  #hasEnded = false;

  constructor(state: GatewayState, call: LimitedCall) {
    this.#state = state;
    this.#call = call;
  }

  /** Calls one of the two, at once or later, unless the call ends before. */
  admit(
    { body, facts, route }: LimitedRequest,
    on: { readonly admitted: () => void; readonly refused: (error: PlatformError) => void },
  ): void {
    const { key, surface, headers, clientAddress } = this.#call;
    const target = route[0]?.target;
    const request = {
      key,
      user: userOf(headers, facts, body),
      modelId: target?.model.id ?? "",
      provider: target?.provider.name ?? "",
      clientAddress,
      tokens: expectedTokens(surface, facts),
    };
    this.#leave = this.#state.limits.admit(request, (outcome) => {
      if (outcome.kind === "admitted") {
        this.#grant = outcome.grant;
        on.admitted();
        return;
      }
      this.#refusal = outcome.refusal;
      this.#state.metrics.countRefusal(outcome.refusal);
      this.#call.record.limit = `${outcome.refusal.scope} ${outcome.refusal.dimension}`;
      on.refused(refusalError(outcome.refusal));
    });
  }

  /** The call is over, or was left while it waited. Once more changes nothing. */
  end({ usage }: Pick<OperationRecord, "usage">): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#leave?.();
    // A call of which no usage is known has used nothing: no provider has begun to answer it.
    this.#grant?.settle(usage === undefined ? 0 : usage.inputTokens + usage.outputTokens);
    this.#grant?.release();
  }

  /** Where the tightest layers stand, in the caller's dialect. */
  headers(): RateHeaders {
    const standing = this.#grant?.standing() ?? this.#standingOfRefusal();
    if (standing === undefined) return noHeaders;
    return this.#call.surface.dialect.name === "openai"
      ? openaiRateHeaders(standing)
      : anthropicRateHeaders(standing, this.#state.clock.nowMs());
  }

  #standingOfRefusal(): RateStanding | undefined {
    return this.#refusal === undefined ? undefined : standingOf(this.#refusal);
  }
}

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

function userOf(
  headers: CallerHeaders,
  { user, places }: RequestFacts,
  body: Buffer,
): string | undefined {
  const named = headers[userHeader];
  if (typeof named === "string" && named !== "") return named;
  if (user !== undefined && user !== "") return user;
  // A text that is too long to be kept still tells users apart.
  const place = places.user;
  if (place?.kind !== "string" || !place.filled) return undefined;
  return body.toString("latin1", place.start, place.end);
}
