/** Why a call gets no credit, for its caller. */

import {
  type LedgerAnswer,
  outputTokensWithin,
  refusalError,
  type TokenPrice,
} from "#ledger/index.ts";
import { PlatformError } from "@faultline/protocol";

/** What was asked for. */
export interface RefusedRequest {
  readonly price: TokenPrice;
  readonly inputTokensMax: number;
  readonly outputTokensMax: number;
  readonly replyCount: number;
}

/** The error of a hold that the ledger refused: what stands in the way, what is left, and what would fit. */
export function creditRefusal(answer: LedgerAnswer, request: RefusedRequest): PlatformError {
  if (answer.kind !== "refused") return ledgerAway();
  if (answer.code !== "credit_exhausted") return refusalError(answer);
  const { price, inputTokensMax, replyCount, outputTokensMax } = request;
  const fitting = outputTokensWithin(price, inputTokensMax, Number(answer.leftMicros));
  const tokens = Math.floor(Math.min(fitting, outputTokensMax) / replyCount);
  const hint =
    tokens >= 1
      ? `With "max_tokens" of ${tokens} it would be admitted.`
      : `No "max_tokens" makes it fit: the input alone may cost more. Send less, or grant credit: \`faultline ledger grant\`.`;
  return new PlatformError("credit_exhausted", refusalError(answer).message, {
    hint,
    context: { refusal: answer },
  });
}

/** The ledger cannot say whether there is credit, and nobody guesses. */
export function ledgerAway(): PlatformError {
  return new PlatformError(
    "ledger_unavailable",
    "The credit that was lent to this process is used up, and the ledger cannot be asked for more now.",
    { hint: "Try again; nothing was charged for this call." },
  );
}

/** What a call uses cannot be written down, so that it is not made. */
export function journalRefusal(cause: Error | undefined): PlatformError {
  return new PlatformError(
    "ledger_unavailable",
    "What this call would use cannot be written down, so that it was not made.",
    { hint: "The operator must look at the disk of the gateway.", cause },
  );
}
