/**
 * The regions that share a tenant's account, as one of them sees it: takes edits of grant documents, answers other regions where
 * it is the home, and where it is not keeps an escrow from the home for its own ledger to spend.
 */

import {
  PlatformError,
  type RegionEscrow,
  type SealedMessage,
  type TenantId,
} from "@faultline/protocol";
import type { Logger } from "pino";

import { assert, type Clock, type Random } from "#kernel/index.ts";
import type { Store, TenantScope } from "#storage/index.ts";

import type { Currency } from "../rules/types.ts";
import type { Ledger } from "../service/ledger.ts";
import type { LedgerAnswer, LedgerRequest } from "../service/ledger-request.ts";
import { homeRequests } from "./apply-document.ts";
import { isStepOf } from "./exchange.ts";
import { exchangeText, readRequestText, type SentRequest } from "./exchange-text.ts";
import {
  type DocumentContent,
  documentKey,
  editVersions,
  type GrantDocument,
  isConflict,
  mergeVersions,
} from "./grant-document.ts";
import { EscrowLending } from "./escrow-lending.ts";
import { regionLimits } from "./limits.ts";
import { RegionAccount } from "./region-account.ts";
import { RegionStore } from "./region-store.ts";
import type { RegionPeer, RegionTerms } from "./region-terms.ts";
import { regionUnknown, seal, unseal } from "./seal.ts";

export interface RegionsParts {
  readonly terms: RegionTerms;
  readonly store: Store;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly random: Random;
  readonly fetch: typeof globalThis.fetch;
  readonly logger: Logger;
  /** Ends all work. */
  readonly signal: AbortSignal;
}

/** What is counted now and then. */
interface RegionSurvey {
  /** Documents of which edits contradict one another. */
  readonly conflictCount: number;
  /** Documents that a home was not told of yet. */
  readonly untoldCount: number;
}

/** How the regions stand to one another. */
export interface RegionUse extends RegionSurvey {
  /** For how long the home of each account that is away was not heard. */
  readonly homes: readonly { readonly home: string; readonly silentMs: number }[];
  /** For how long the regions were not heard that this one may have lent to. */
  readonly regions: readonly { readonly region: string; readonly silentMs: number }[];
}

export class Regions {
  readonly #parts: RegionsParts;
  readonly #store: RegionStore;
  /** Of tenants whose home is elsewhere. */
  readonly #accounts = new Map<TenantId, RegionAccount>();
  /** Of tenants that are at home here: what is being applied, one after the other. */
  readonly #applying = new Map<TenantId, Promise<unknown>>();
  /** Tenants whose ledger may not say what their documents say. */
  readonly #unapplied = new Set<TenantId>();
  readonly #lending: EscrowLending;
  #survey: RegionSurvey = { conflictCount: 0, untoldCount: 0 };

  constructor(parts: RegionsParts) {
    this.#parts = parts;
    this.#store = new RegionStore(parts.store);
    this.#lending = new EscrowLending(parts);
    const { terms } = parts;
    for (const [tenantId, home] of terms.homes) {
      if (home === terms.name) continue;
      const peer = terms.peers.find(({ name }) => name === home);
      assert(peer !== undefined, "the configuration names the peer of every home");
      const store = this.#store;
      this.#accounts.set(tenantId, new RegionAccount({ ...parts, tenantId, peer, store }));
    }
  }

  /** Opens the accounts of tenants whose home is elsewhere, and begins to speak with their homes. */
  async open(): Promise<void> {
    for (const account of this.#accounts.values()) await account.open();
    // What was written down before the process died may not have been applied.
    for (const tenantId of this.#homeTenants()) {
      await this.#adoptBudgets({ tenantId, signal: this.#parts.signal });
      this.#unapplied.add(tenantId);
    }
    await this.#applyRest();
    const { clock, terms, signal } = this.#parts;
    if (terms.homes.size === 0) return;
    clock.every(terms.intervalMs, signal, () => void this.#applyRest());
    clock.every(regionLimits.surveyMs, signal, () => void this.survey());
  }

  /** Whether the tenant's account is shared, so that its terms are edited as documents. */
  isShared(tenantId: TenantId): boolean {
    return this.#parts.terms.homes.has(tenantId);
  }

  /** Whether another region writes the tenant's ledger. */
  isAway(tenantId: TenantId): boolean {
    return this.#accounts.has(tenantId);
  }

  /** Resolves once the home was asked for more, or cannot be; whether it may help to try again. */
  async replenish(tenantId: TenantId, lackMicros: bigint): Promise<"asked" | "cut-off"> {
    const account = this.#accounts.get(tenantId);
    assert(account !== undefined, "only a region that is not the home is lent credit");
    return account.replenish(lackMicros);
  }

  /** Speaks with the homes of all tenants now. Runs by itself; tests call it. */
  async exchange(): Promise<void> {
    await Promise.all([...this.#accounts.values()].map((account) => account.exchange()));
  }

  /** What other regions hold of the tenant's credit; nothing where this is not its home. */
  async escrows(scope: TenantScope): Promise<RegionEscrow[]> {
    return this.isAway(scope.tenantId) ? [] : this.#lending.show(scope);
  }

  /**
   * Asks a region to give back what it can, and lends it nothing until a time is over and all has come back; for no time, it is
   * lent to again. Throws `not_found`.
   */
  async recall(scope: TenantScope, region: string, durationMs: number): Promise<void> {
    const escrows = await this.escrows(scope);
    if (!escrows.some((escrow) => escrow.region === region))
      throw new PlatformError(
        "not_found",
        `The region '${region}' holds no credit of this account.`,
        {
          hint: "Ask in the home of the account; `faultline ledger escrow` lists the regions.",
        },
      );
    await this.#lending.recall(scope, region, durationMs);
  }

  /** How things stand, for metrics. */
  use(): RegionUse {
    const silences = [...this.#accounts.values()].map(({ home, silentMs }) => ({ home, silentMs }));
    const { terms } = this.#parts;
    const hasHome = [...this.#homeTenants()].length > 0;
    const regions = hasHome ? terms.peers.map(({ name }) => name) : [];
    return {
      ...this.#survey,
      homes: silences,
      regions: regions.map((region) => ({ region, silentMs: this.#lending.silentMs(region) })),
    };
  }

  /** Counts what metrics show. Runs by itself. */
  async survey(): Promise<void> {
    const { terms, signal, logger } = this.#parts;
    let [conflictCount, untoldCount] = [0, 0];
    try {
      for (const tenantId of terms.homes.keys())
        conflictCount += (await this.conflicts({ tenantId, signal })).length;
      for (const account of this.#accounts.values()) untoldCount += await account.countUntold();
      this.#survey = { conflictCount, untoldCount };
    } catch (error) {
      // What was counted last is shown until it can be counted again.
      if (!signal.aborted) logger.warn({ err: error }, "documents of regions were not counted");
    }
  }

  /** Edits a document here; at the home it holds when this resolves. Throws what the ledger refuses. */
  async edit(
    scope: TenantScope,
    key: string,
    content: DocumentContent,
  ): Promise<{ document: GrantDocument; answers: readonly LedgerAnswer[] }> {
    const { clock, terms } = this.#parts;
    const document = await this.#store.edit(scope, key, (known) => {
      if (content.kind === "grant" && known.length > 0) return known;
      const edit = { content, region: terms.name, editedAtMs: clock.nowMs() };
      return mergeVersions(known, [editVersions(known, edit)]);
    });
    if (this.isAway(scope.tenantId)) return { document, answers: [] };
    return { document, answers: await this.#apply(scope, [document.key]) };
  }

  async documents(scope: TenantScope): Promise<GrantDocument[]> {
    return this.#store.documents(scope);
  }

  /** Documents of which edits contradict one another. */
  async conflicts(scope: TenantScope): Promise<GrantDocument[]> {
    const documents = await this.#store.documents(scope);
    return documents.filter(({ versions }) => isConflict(versions));
  }

  /** A person decides that what one of the edits says holds. Throws `not_found`. */
  async resolve(scope: TenantScope, key: string, choice: number): Promise<GrantDocument> {
    const { clock, terms } = this.#parts;
    const document = await this.#store.edit(scope, key, (known) => {
      const chosen = known[choice - 1];
      if (chosen === undefined)
        throw new PlatformError("not_found", `There is no edit ${choice} of '${key}'.`, {
          hint: "`faultline ledger conflicts` lists the edits.",
        });
      const { content } = chosen;
      const edit = { content, region: terms.name, editedAtMs: clock.nowMs() };
      return mergeVersions(known, [editVersions(known, edit)]);
    });
    if (!this.isAway(scope.tenantId)) await this.#apply(scope, [document.key]);
    return document;
  }

  /** Answers a region. Throws `permission_denied` unless it is a peer, and this is the home of the account. */
  async answer(message: SealedMessage, signal: AbortSignal): Promise<SealedMessage> {
    const { terms } = this.#parts;
    const peer = terms.peers.find(({ name }) => name === message.from);
    if (peer === undefined || message.to !== terms.name) throw regionUnknown();
    const request = readRequestText(unseal(peer.key, "request", message));
    const tenantId = [...this.#homeTenants()].find((id) => id === request.tenantId);
    if (tenantId === undefined)
      throw new PlatformError(
        "permission_denied",
        `The region ${terms.name} is not the home of '${request.tenantId}'.`,
        { hint: "All regions name the same `home` for a tenant under `regions.tenants`." },
      );
    const text = await this.#answerPeer(peer, { tenantId, signal }, request);
    const { nonce } = message;
    return seal(peer.key, "reply", { from: terms.name, to: peer.name, nonce, text });
  }

  /** Budgets that were set before the account was shared become documents, so that every region keeps them. */
  async #adoptBudgets(scope: TenantScope): Promise<void> {
    const { clock, terms } = this.#parts;
    for (const budget of await this.#store.budgets(scope)) {
      const content = { kind: "budget", terms: budget.terms } as const;
      const edit = { content, region: terms.name, editedAtMs: clock.nowMs() };
      await this.#store.edit(scope, documentKey(content), (known) =>
        known.length > 0 ? known : [editVersions([], edit)],
      );
    }
  }

  async #answerPeer(peer: RegionPeer, scope: TenantScope, request: SentRequest): Promise<string> {
    const { ledger } = this.#parts;
    this.#lending.hear(peer.name);
    const heard = await this.#store.hear(scope, request.documents);
    await this.#apply(
      scope,
      heard.map(({ key }) => key),
    );
    const details = new Map(Object.entries(request.details));
    const steps = request.steps.filter((step) => isStepOf(peer.name, step));
    const isRecalled = await this.#lending.isRecalled(scope, peer.name);
    const refusals = isRecalled ? await this.#lending.refusals(scope, steps) : undefined;
    const answers = await Promise.all(
      steps.map(async (step) => ({
        id: step.id,
        answer: refusals?.get(step.id) ?? (await ledger.submit(scope, step, { details })),
      })),
    );
    const changed = await this.#store.changedDocuments(scope, request.heardRevision);
    return exchangeText({ answers, ...changed, ...(isRecalled ? { isRecalled } : {}) });
  }

  /** Makes the ledger say what documents say. Edits that follow one another are applied in that order. */
  async #apply(scope: TenantScope, keys: readonly string[]): Promise<readonly LedgerAnswer[]> {
    const { tenantId } = scope;
    if (keys.length === 0) return [];
    const before = this.#applying.get(tenantId) ?? Promise.resolve();
    // Each one tells its own caller how it failed.
    const run = before.then(() => this.#applyNow(scope, keys));
    const settled = run.catch(() => void this.#unapplied.add(tenantId));
    this.#applying.set(tenantId, settled);
    return run;
  }

  /** Applies documents as they are by now. What the ledger refuses (a grant that expired on its way) is told in the log. */
  async #applyNow(scope: TenantScope, keys: readonly string[]): Promise<readonly LedgerAnswer[]> {
    const { ledger, logger } = this.#parts;
    const documents = await this.#store.documents(scope, { keys });
    const requests: LedgerRequest[] = documents.flatMap((document) => homeRequests(document));
    const submit = async (request: LedgerRequest): Promise<LedgerAnswer> => {
      const answer = await ledger.submit(scope, request);
      const isUnopened = answer.kind === "refused" && answer.code === "currency_mismatch";
      if (request.kind !== "grant" || !isUnopened) return answer;
      await this.#openFor(scope, request.currency);
      return ledger.submit(scope, request);
    };
    const answers = await Promise.all(requests.map(submit));
    for (const [index, answer] of answers.entries()) {
      if (answer.kind !== "refused" || answer.code === "budget_not_found") continue;
      const { tenantId } = scope;
      const id = requests[index]?.id;
      logger.error({ tenantId, id, answer }, "a grant document was not applied");
    }
    return answers;
  }

  /** Whoever grants credit wants the account that it goes to, in whatever region that was. */
  async #openFor(scope: TenantScope, currency: Currency): Promise<void> {
    const { clock, ledger, terms } = this.#parts;
    const content = { kind: "line", currency, limitMicros: 0n } as const;
    const edit = { content, region: terms.name, editedAtMs: clock.nowMs() };
    // A line that stands already is applied as it stands, whatever came first.
    const line = await this.#store.edit(scope, documentKey(content), (known) =>
      known.length > 0 ? known : [editVersions([], edit)],
    );
    for (const request of homeRequests(line)) await ledger.submit(scope, request);
  }

  /** Applies again what could not be applied, or may not have been. */
  async #applyRest(): Promise<void> {
    const { signal, logger } = this.#parts;
    for (const tenantId of this.#unapplied) {
      this.#unapplied.delete(tenantId);
      const scope = { tenantId, signal };
      try {
        const documents = await this.#store.documents(scope);
        await this.#apply(
          scope,
          documents.map(({ key }) => key),
        );
      } catch (error) {
        this.#unapplied.add(tenantId);
        if (!signal.aborted)
          logger.warn({ err: error, tenantId }, "grant documents wait for the ledger");
        return;
      }
    }
  }

  *#homeTenants(): Iterable<TenantId> {
    const { terms } = this.#parts;
    for (const [tenantId, home] of terms.homes) if (home === terms.name) yield tenantId;
  }
}
