/** Runs reconciliations: finds what does not agree, makes the entries that were agreed to, and keeps what each run found. */

import type {
  BookedInvoice,
  LedgerDifference,
  Reconciliation,
  ReconciliationRun,
  ReconciliationRunDetail,
  ReconciliationsQuery,
} from "@faultline/protocol";

import { type Clock, type Ids, unreachable } from "#kernel/index.ts";
import type { Store, TenantScope } from "#storage/index.ts";

import type { LedgerBooks } from "../books/ledger-books.ts";
import type { Ledger } from "../service/ledger.ts";
import {
  type LedgerAnswer,
  type LedgerRequest,
  refuseUnstorableText,
} from "../service/ledger-request.ts";
import { refusalError } from "../service/refusal-error.ts";
import { bookLimits } from "../books/limits.ts";
import type { InvoiceCharges } from "./compare-invoice.ts";
import type { DifferenceSource, SourcedDifference } from "./difference-source.ts";
import { type Invoice, type InvoiceCost, invoiceCosts } from "./invoice.ts";
import { type EnteredCost, InvoiceBook } from "./invoice-book.ts";
import { ReconciliationHistory } from "./reconciliation-history.ts";

/** What a run is to do. */
export interface RunRequest {
  readonly cause: ReconciliationRun["cause"];
  /** Who asked. */
  readonly actor?: string;
  readonly invoice?: Invoice;
  /** Whether the proposed entries are made. */
  readonly applies: boolean;
  /** Whether what the invoice says is entered as cost of its providers. */
  readonly books: boolean;
}

type Proposal = NonNullable<LedgerDifference["proposal"]>;

/**
 * What only a person settles: a journal that was lost may still be found and charged, and one that tells of more may belong to
 * other books than these, as after a database was restored.
 */
const personalKinds: ReadonlySet<LedgerDifference["kind"]> = new Set([
  "lease-unread",
  "journal-differs",
]);

export interface ReconciliationsParts {
  readonly store: Store;
  readonly ledger: Pick<Ledger, "submit">;
  readonly books: Pick<LedgerBooks, "differences" | "doneCommands" | "invoiceCharges">;
  /** Default: none. */
  readonly sources?: readonly DifferenceSource[];
  /** Of the history of a tenant. Default: that of the limits. */
  readonly historyBytesMax?: number;
  readonly clock: Clock;
  readonly ids: Ids;
}

export class Reconciliations {
  readonly #parts: ReconciliationsParts;
  readonly #history: ReconciliationHistory;
  readonly #invoices: InvoiceBook;

  constructor(parts: ReconciliationsParts) {
    this.#parts = parts;
    const { store, historyBytesMax: bytesMax } = parts;
    this.#invoices = new InvoiceBook(store);
    this.#history = new ReconciliationHistory({
      store,
      ...(bytesMax === undefined ? {} : { bytesMax }),
    });
  }

  /** Compares, and makes what the request says. Throws what the ledger refuses. */
  async run(scope: TenantScope, request: RunRequest): Promise<Reconciliation> {
    const { clock, ids } = this.#parts;
    const { invoice, applies, cause, actor } = request;
    // What a run found could not be kept after its entries were made.
    refuseUnstorableText(invoice);
    const atMs = clock.nowMs();
    const costs = invoice !== undefined && request.books ? await this.#costsOf(scope, invoice) : [];
    const found = await this.#compare(scope, invoice);
    const differences = found.map(({ request: _made, ...difference }) => difference);
    const mayApply = ({ kind }: LedgerDifference): boolean =>
      applies && (cause === "request" || !personalKinds.has(kind));
    const applied: string[] = [];
    const id = ids.next();
    try {
      for (const { proposal, request: how } of found.filter(mayApply))
        if (proposal !== undefined && (await this.#make(scope, proposal, how)))
          applied.push(proposal.commandId);
      if (invoice !== undefined) await this.#book(scope, invoice, { costs, bookedAtMs: atMs });
    } finally {
      // Entries were made, whether or not a later one was refused.
      await this.#history.keep(scope, { id, atMs, cause, actor, differences, applied });
    }
    const booked = costs.map(({ request: { id: commandId } }) => commandId);
    const cut = cutKinds(differences);
    return { at: new Date(atMs).toISOString(), runId: id, differences, cut, applied, booked };
  }

  /** Newest first. Throws `request_invalid`, `not_found`. */
  async list(scope: TenantScope, query: ReconciliationsQuery): Promise<ReconciliationRun[]> {
    return this.#history.list(scope, query);
  }

  /** Lines of invoices that were entered as cost, newest first. */
  async invoices(scope: TenantScope): Promise<BookedInvoice[]> {
    return this.#invoices.list(scope);
  }

  /** Throws `not_found`. */
  async read(scope: TenantScope, id: string): Promise<ReconciliationRunDetail> {
    return this.#history.read(scope, id);
  }

  /** The same invoice is entered once, also where it was entered by the command of an earlier release. */
  async #costsOf(scope: TenantScope, invoice: Invoice): Promise<InvoiceCost[]> {
    const costs = invoiceCosts(invoice);
    const earlierIds = costs.map(({ earlierId }) => earlierId);
    const done = await this.#parts.books.doneCommands(scope, earlierIds);
    return costs.map((cost) => {
      const { request, earlierId } = cost;
      return done.has(earlierId) ? { ...cost, request: { ...request, id: earlierId } } : cost;
    });
  }

  async #compare(
    scope: TenantScope,
    invoice: RunRequest["invoice"],
  ): Promise<readonly SourcedDifference[]> {
    const { books, sources = [] } = this.#parts;
    const own = await books.differences(scope, invoice);
    const others: SourcedDifference[] = [];
    for (const source of sources) others.push(...(await source.differences(scope)));
    // The books know what settled their own; of what others say, an entry that was made settles it.
    const commandIds = others.flatMap(({ proposal }) => proposal?.commandId ?? []);
    const done = await books.doneCommands(scope, commandIds);
    return [...own, ...others.filter(({ proposal }) => !done.has(proposal?.commandId ?? ""))];
  }

  /** Makes a proposed entry; whether there was still something to settle. */
  async #make(
    scope: TenantScope,
    proposal: Proposal,
    request: SourcedDifference["request"],
  ): Promise<boolean> {
    const { commandId: id, currency, direction, holdId } = proposal;
    if (request !== undefined) {
      const answer = await this.#submit(scope, request);
      if (answer.kind === "settled") return !answer.isRepeated;
      return answer.kind !== "lease-reported" || answer.charges.some((one) => !one.isRepeated);
    }
    switch (direction) {
      case "give":
      case "take": {
        const amountMicros = BigInt(proposal.amountMicros);
        const adjustment = { kind: "adjust", id, currency, direction, amountMicros } as const;
        const answer = await this.#parts.ledger.submit(scope, adjustment);
        if (answer.kind !== "refused") return true;
        // Another comparison, which saw something else, made the next entry first: what is left the next run finds.
        if (answer.code === "ledger_id_reused") return false;
        throw refusalError(answer);
      }
      case "release": {
        if (holdId === undefined) return false;
        const answer = await this.#parts.ledger.submit(scope, { kind: "release", id, holdId });
        if (answer.kind !== "refused") return true;
        // It has ended since it was looked at.
        if (answer.code === "hold_ended") return false;
        throw refusalError(answer);
      }
      default:
        return unreachable(direction);
    }
  }

  /** Enters what an invoice says as cost. */
  async #book(
    scope: TenantScope,
    invoice: Invoice,
    entering: { readonly costs: readonly InvoiceCost[]; readonly bookedAtMs: number },
  ): Promise<void> {
    const { costs, bookedAtMs } = entering;
    if (costs.length === 0) return;
    const { fromMs, untilMs } = invoice;
    const chargedFor: InvoiceCharges = await this.#parts.books.invoiceCharges(scope, invoice);
    const entered: EnteredCost[] = [];
    try {
      for (const cost of costs) {
        await this.#submit(scope, cost.request);
        entered.push({ ...cost, chargedMicros: chargedFor(cost), bookedAtMs, fromMs, untilMs });
      }
    } finally {
      await this.#invoices.keep(scope, entered);
    }
  }

  async #submit(scope: TenantScope, request: LedgerRequest): Promise<TakenAnswer> {
    const answer = await this.#parts.ledger.submit(scope, request);
    if (answer.kind === "refused") throw refusalError(answer);
    return answer;
  }
}

type TakenAnswer = Exclude<LedgerAnswer, { readonly kind: "refused" }>;

/** Kinds of which no more are told than so many: whatever settles those, there may be others. An invoice is compared as a whole. */
function cutKinds(differences: readonly LedgerDifference[]): Reconciliation["cut"] {
  const groups = Map.groupBy(differences, ({ kind }) => kind);
  return [...groups].flatMap(([kind, { length }]) =>
    kind !== "invoice-differs" && length >= bookLimits.differenceCountMax ? [kind] : [],
  );
}
