/** Grants, budgets and credit lines of an account that regions share: edits of documents, which may be made in any of them. */

import {
  documentKey,
  type DocumentContent,
  type LedgerAnswer,
  lotIdOf,
  refusalError,
} from "#ledger/index.ts";
import type { TenantScope } from "#storage/index.ts";
import { PlatformError } from "@faultline/protocol";

import type { HandlerParts } from "../services.ts";

type Given = Extract<DocumentContent, { readonly kind: "grant" }>["given"][number];

export class SharedTerms {
  readonly #services: HandlerParts["services"];
  readonly #nowMs: () => number;

  constructor({ services, clock }: HandlerParts) {
    this.#services = services;
    this.#nowMs = () => clock.nowMs();
  }

  /** Gives credit under an id of the caller; it can be spent once the home of the account knows of it. */
  async grant(
    scope: TenantScope,
    id: string,
    given: Given,
  ): Promise<{ lotId: string; coveredMicros: string }> {
    const { regions, ledgerBooks } = this.#services;
    const { currency } = given;
    const isAway = regions.isAway(scope.tenantId);
    const { accounts } = await ledgerBooks.balance(scope);
    // What stands in a document is done some day: it is refused before.
    if (given.expiresAtMs !== undefined && given.expiresAtMs <= this.#nowMs())
      throw new PlatformError("lot_expired", "The credit would have expired already.");
    if (accounts.some((account) => account.currency === currency && !account.isOpen))
      throw new PlatformError("account_closed", `The account in ${currency} is closed.`);
    if (!isAway && !accounts.some((account) => account.currency === currency))
      await this.set(scope, { kind: "line", currency, limitMicros: 0n });
    const key = `grant/${id}`;
    const { document, answers } = await regions.edit(scope, key, { kind: "grant", given: [given] });
    throwRefused(answers);
    const lotId = lotIdOf(key, given);
    const isOther = !document.versions.some(
      ({ content }) =>
        content.kind === "grant" && content.given.some((one) => lotIdOf(key, one) === lotId),
    );
    if (isOther)
      throw new PlatformError("ledger_id_reused", `The id '${id}' was used for another grant.`, {
        hint: "Give each grant an id of its own.",
      });
    const granted = answers.find((answer) => answer.kind === "granted");
    return { lotId, coveredMicros: String(granted?.coveredMicros ?? 0n) };
  }

  /** Sets a budget or a credit line, or removes a budget. */
  async set(
    scope: TenantScope,
    content: Exclude<DocumentContent, { readonly kind: "grant" }>,
  ): Promise<void> {
    const { answers } = await this.#services.regions.edit(scope, documentKey(content), content);
    throwRefused(answers);
  }

  /** Refuses what only the home of an account may do. */
  refuseAway(scope: TenantScope): void {
    if (!this.#services.regions.isAway(scope.tenantId)) return;
    throw new PlatformError("ledger_command_invalid", "Another region writes this account.", {
      hint: "Do it in the region that `regions.tenants` names as its home.",
    });
  }
}

function throwRefused(answers: readonly LedgerAnswer[]): void {
  for (const answer of answers) if (answer.kind === "refused") throw refusalError(answer);
}
