/** One call and the credit of its tenant: what each attempt may cost is held before it is made, and settled when it ended. */

import type { Target } from "#catalog/index.ts";
import { type Attribution, exactMicrosMax, toStorable } from "#ledger/index.ts";
import type { PlatformError } from "@faultline/protocol";

import type { CreditHold, CreditOwner, CreditRequest } from "../credit/credit-hold.ts";
import { creditLimits } from "../credit/limits.ts";
import { tokenBounds, type TokenBounds } from "../credit/output-limit.ts";
import type { TenantCredit } from "../credit/tenant-credit.ts";
import { type TermsSubject, toTerms, type UseTerms } from "../credit/use-terms.ts";
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

/** What a caller names in its request. */
type Named = Pick<Attribution, "userId" | "tags">;

export class CallCredit implements CreditOwner {
  readonly #call: Call;
  /** None of a tenant that does not pay in advance, or of a call that costs nothing. */
  readonly #credit: TenantCredit | undefined;
  #bounds: TokenBounds | undefined;
  #named: Named | undefined;
  #holding: Holding | undefined;
  /** Asked for; and what is to be settled. */
  #asked: CreditHold | undefined;
  #hold: CreditHold | undefined;
  #attemptCount = 0;
  #outputLimit: number | undefined;
  #hasEnded = false;

  constructor(state: GatewayState, call: Call) {
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
    // Something else was waited for before, and the call has ended meanwhile: nobody would settle it.
    if (this.#hasEnded) return;
    this.settle(undefined);
    const credit = this.#credit;
    if (credit === undefined) return on.admitted(false);
    const request = this.#requestFor(credit, target, asked);
    if (isFree(request)) return on.admitted(this.#limitTo(undefined));
    this.#holding = on;
    this.#asked = credit.admit(request, this);
  }

  onAdmitted(hold: CreditHold): void {
    const { request, outputTokensMax } = hold;
    this.#asked = undefined;
    this.#hold = hold;
    const isClamped = outputTokensMax < request.outputTokensMax;
    const limit = isClamped ? outputTokensMax / request.replyCount : undefined;
    this.#holding?.admitted(this.#limitTo(limit));
  }

  onRefused(error: PlatformError): void {
    this.#asked = undefined;
    this.#holding?.refused(error);
  }

  /** The attempt has ended, and used this. Once more changes nothing. */
  settle(used: AttemptUsage | undefined): void {
    const hold = this.#hold;
    if (hold === undefined) return;
    this.#hold = undefined;
    this.#credit?.settle(hold, chargedMicros(used), used?.usage);
  }

  /** The call is over, or was left while it waited. */
  end(): void {
    this.#hasEnded = true;
    if (this.#asked !== undefined) this.#credit?.leave(this.#asked);
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

  #requestFor(credit: TenantCredit, target: Target, asked: Asked): CreditRequest {
    const { inputTokens, outputTokens, replyCount } = this.#boundsOf(asked);
    this.#attemptCount += 1;
    const price = asked.prices.require(target.model);
    const terms = this.#termsOf(credit, asked, {
      usageKind: this.#call.surface.name === "embeddings" ? "embedding" : "tokens",
      model: target.model.id,
      provider: target.provider.name,
      priceVersion: price.versionId,
    });
    return {
      usageId: `${this.#call.record.operationId}:${this.#attemptCount}`,
      usageKind: terms.usageKind,
      attribution: terms.attribution,
      terms,
      price: price.bound,
      inputTokensMax: inputTokens,
      outputTokensMax: outputTokens,
      replyCount,
      isClampable: false,
      takesLess: outputTokens > 0,
      deadlines: asked.deadlines,
    };
  }

  #termsOf(
    credit: TenantCredit,
    { facts, body }: Asked,
    use: Omit<TermsSubject, "keyId" | "bundleHash">,
  ): UseTerms {
    const { key, headers, record } = this.#call;
    const { bundleHash } = record;
    this.#named ??= namedIn(headers, facts, body);
    const { userId, tags } = this.#named;
    if (userId === undefined && tags === undefined)
      return credit.terms.of(key, { ...use, keyId: key.id, bundleHash });
    const { model, ...rest } = use;
    const attribution = { keyId: key.id, ...this.#named, model };
    return toTerms({ ...rest, attribution, bundleHash });
  }
}

const nobody: Named = {};

/** Whom and what the caller names. */
function namedIn(headers: Call["headers"], facts: Asked["facts"], body: Asked["body"]): Named {
  const user = userOf(headers, facts, body);
  const tags = tagsOf(headers[tagsHeader]);
  if (user === undefined && tags === undefined) return nobody;
  return {
    ...(user === undefined ? {} : { userId: storable(user) }),
    ...(tags === undefined ? {} : { tags }),
  };
}

/** The ledger takes no larger amount, and would refuse what is reported together with it. */
function chargedMicros(used: AttemptUsage | undefined): number {
  return Math.min(Number(used?.costMicros ?? 0n), exactMicrosMax);
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
