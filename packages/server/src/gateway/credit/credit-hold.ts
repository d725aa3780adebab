/** One call in the credit of its tenant: it asks, perhaps waits, and then holds what it may cost until it is settled. */

import type { AdmissionRequest, AdmittedOperation } from "#ledger/index.ts";
import type { PlatformError, TenantId } from "@faultline/protocol";

import type { Reserve } from "./usage-text.ts";
import type { UseTerms } from "./use-terms.ts";

/** A call that asks for what it may cost. */
export interface CreditRequest extends AdmissionRequest {
  readonly price: NonNullable<AdmissionRequest["price"]>;
  readonly terms: UseTerms;
  /** A lease is not what bounds the output: more of it is asked for first. */
  readonly isClampable: false;
  /** Whether the call may have less output than it asks for before it is refused. */
  readonly takesLess: boolean;
  /** Says how long the call may take from a monotonic time on. */
  readonly deadlines: { remainingMs(nowMs: number): number };
  /** `outputTokensMax` is a multiple of this. */
  readonly replyCount: number;
}

/** Whose call it is. One of the two is called once, perhaps at once, unless the call leaves before. */
export interface CreditOwner {
  onAdmitted(hold: CreditHold): void;
  onRefused(error: PlatformError): void;
}

/** Who keeps what calls hold. */
interface Keeper {
  readonly tenantId: TenantId;
  /** The system has the record of a hold, or does not take it. */
  onWritten(hold: CreditHold, error: Error | undefined): void;
}

export class CreditHold implements Reserve {
  readonly request: CreditRequest;
  readonly owner: CreditOwner;
  readonly sinceMs: number;
  readonly #keeper: Keeper;
  /** Fewer than were asked for when only those are paid for. */
  outputTokensMax: number;
  /** The lease, or the hold of this one call; none before one was asked for. */
  reserveId = "";
  /** Of a lease. */
  operation: AdmittedOperation | undefined;
  hasLeft = false;

  constructor(keeper: Keeper, call: Pick<CreditHold, "request" | "owner" | "sinceMs">) {
    this.#keeper = keeper;
    this.request = call.request;
    this.owner = call.owner;
    this.sinceMs = call.sinceMs;
    this.outputTokensMax = call.request.outputTokensMax;
  }

  get tenantId(): TenantId {
    return this.#keeper.tenantId;
  }

  onWritten(error: Error | undefined): void {
    this.#keeper.onWritten(this, error);
  }
}
