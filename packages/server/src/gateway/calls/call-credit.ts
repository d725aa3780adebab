/** One call and the credit of its tenant: what each attempt may cost is held before it is made, and settled when it ended. */

import type { Target } from "#catalog/index.ts";
import { type Attribution, toStorable } from "#ledger/index.ts";
import type { PlatformError, UseDetails } from "@faultline/protocol";

import { creditLimits } from "../credit/limits.ts";
import { tokenBounds, type TokenBounds } from "../credit/output-limit.ts";
import type { CreditHold, CreditRequest, TenantCredit } from "../credit/tenant-credit.ts";
import type { GatewayState } from "../workers/gateway-state.ts";
import type { AttemptUsage } from "./attempt-usage.ts";
import { userOf } from "./call-user.ts";
import type { OperationParts } from "./operation-parts.ts";
import type { Asked } from "./read-request.ts";

/** The header by which a caller names what a call is for; several are separated by commas. */
const tagsHeader = "x-faultline-tags";

/** Exactly one of the two is called, at once or later, unless the call ends before. */
interface Holding {
  /** `isClamped` says that the request must be planned anew, with a lower limit. */
  readonly admitted: (isClamped: boolean) => void;
  readonly refused: (error: PlatformError) => void;
}

type Call = Pick<OperationParts, "surface" | "key" | "headers" | "record" | "deadlines">;

export class CallCredit {
  readonly #state: GatewayState;
  readonly #call: Call;
  /** None of a tenant that does not pay in advance, or of a call that costs nothing. */
  readonly #credit: TenantCredit | undefined;
  #bounds: TokenBounds | undefined;
  #attribution: Attribution | undefined;
  #hold: CreditHold | undefined;
  #target: Target | undefined;
  #leave: (() => void) | undefined;
  #attemptCount = 0;
  #outputLimit: number | undefined;

  constructor(state: GatewayState, call: Call) {
    this.#state = state;
    this.#call = call;
    const { tenantId } = call.key;
    const pays = state.knowledge.payingTenants.has(tenantId);
    // The counting of tokens is free.
    if (pays && call.surface.name !== "count-tokens") this.#credit = state.credit.of(tenantId);
  }

  /** The limit of output tokens that must be written into the request; `undefined` where it stays as it is. */
  outputLimit(asked: Asked): number | undefined {
    if (this.#credit === undefined) return undefined;
    return this.#outputLimit ?? this.#boundsOf(asked).missingLimit;
  }

  /** Holds what an attempt with a target may cost; what the attempt before held and did not use is free by then. */
  hold(target: Target, asked: Asked, on: Holding): void {
    this.settle(undefined);
    const credit = this.#credit;
    if (credit === undefined) return on.admitted(false);
    const request = this.#requestFor(target, asked);
    if (isFree(request)) return on.admitted(this.#limitTo(undefined));
    const leave = credit.admit(request, (outcome) => {
      this.#leave = undefined;
      if (outcome.kind === "refused") return on.refused(outcome.error);
      const { hold } = outcome;
      this.#hold = hold;
      this.#target = target;
      const isClamped = hold.outputTokensMax < request.outputTokensMax;
      const limit = isClamped ? hold.outputTokensMax / request.replyCount : undefined;
      return on.admitted(this.#limitTo(limit));
    });
    if (this.#hold === undefined) this.#leave = leave;
  }

  /** The attempt has ended, and used this. Once more changes nothing. */
  settle(used: AttemptUsage | undefined): void {
    const hold = this.#hold;
    if (hold === undefined) return;
    this.#hold = undefined;
    const details = used === undefined ? undefined : this.#detailsOf(used);
    this.#credit?.settle(hold, Number(used?.costMicros ?? 0n), details);
  }

  /** The call is over, or was left while it waited. */
  end(): void {
    this.#leave?.();
    this.settle(undefined);
  }

  /** Says whether the request must be planned anew. */
  #limitTo(limit: number | undefined): boolean {
    const isOther = limit !== this.#outputLimit;
    this.#outputLimit = limit;
    return isOther;
  }

  #boundsOf({ body, facts }: Asked): TokenBounds {
    this.#bounds ??= tokenBounds(this.#call.surface, body, facts);
    return this.#bounds;
  }

  #requestFor({ model }: Target, asked: Asked): CreditRequest {
    const { inputTokens, outputTokens, replyCount } = this.#boundsOf(asked);
    const { record, surface } = this.#call;
    this.#attemptCount += 1;
    this.#attribution ??= this.#attributionOf(asked);
    return {
      usageId: `${record.operationId}:${this.#attemptCount}`,
      usageKind: surface.name === "embeddings" ? "embedding" : "tokens",
      attribution: { ...this.#attribution, model: model.id },
      price: asked.prices.require(model).bound,
      inputTokensMax: inputTokens,
      outputTokensMax: outputTokens,
      replyCount,
      isClampable: outputTokens > 0,
      durationMs: Math.max(0, asked.deadlines.remainingMs(this.#state.clock.monotonicMs())),
    };
  }

  #attributionOf({ facts, body }: Asked): Attribution {
    const { key, headers } = this.#call;
    const user = userOf(headers, facts, body);
    const tags = tagsOf(headers[tagsHeader]);
    return {
      keyId: key.id,
      ...(user === undefined ? {} : { userId: storable(user) }),
      ...(tags === undefined ? {} : { tags }),
    };
  }

  #detailsOf({ usage, priceVersion }: AttemptUsage): UseDetails {
    const { bundleHash } = this.#call.record;
    const { inputTokens, cachedInputTokens, outputTokens, reasoningTokens } = usage;
    const { keyId, userId, tags } = this.#attribution ?? {};
    return {
      provider: this.#target?.provider.name ?? "",
      model: this.#target?.model.id ?? "",
      inputTokens,
      cachedInputTokens,
      outputTokens,
      reasoningTokens,
      priceVersion,
      ...(bundleHash === undefined ? {} : { bundleHash }),
      ...(keyId === undefined ? {} : { keyId }),
      ...(userId === undefined ? {} : { userId }),
      ...(tags === undefined ? {} : { tags: [...tags] }),
    };
  }
}

function isFree({ price }: CreditRequest): boolean {
  return price.inputMicrosPerMillionTokens + price.outputMicrosPerMillionTokens === 0;
}

function tagsOf(header: string | readonly string[] | undefined): string[] | undefined {
  if (typeof header !== "string" || header === "") return undefined;
  const tags = header.split(",", creditLimits.tagCountMax).map((tag) => storable(tag.trim()));
  return tags.filter((tag) => tag !== "");
}

/** A name that the ledger can write down. */
function storable(name: string): string {
  return toStorable(name.slice(0, creditLimits.nameLengthMax));
}
