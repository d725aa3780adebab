/** Comparisons of the books: made now, and those that were made. */

import { readMoment } from "#ledger/index.ts";

import type { ApiHandlers, HandlerParts } from "../services.ts";
import { SharedTerms } from "./shared-terms.ts";

type Names = "reconcileLedger" | "listInvoices" | "listReconciliations" | "readReconciliation";

/** Handlers of `/api/ledger/reconcile`, `/api/ledger/invoices` and `/api/ledger/reconciliations`. */
export function reconciliationHandlers(parts: HandlerParts): Pick<ApiHandlers, Names> {
  const { reconciliations } = parts.services;
  const shared = new SharedTerms(parts);
  return {
    async reconcileLedger({ body }, { scope, principal }) {
      const { invoice, apply = false, book = false } = body;
      // What an entry gave here nobody would have lent.
      if (apply || book) shared.refuseAway(scope);
      return reconciliations.run(scope, {
        cause: "request",
        actor: `${principal.keyName} (${principal.keyId})`,
        applies: apply,
        books: book,
        ...(invoice === undefined
          ? {}
          : {
              invoice: {
                lines: invoice.lines,
                fromMs: readMoment(invoice.from, "body /invoice/from"),
                untilMs: readMoment(invoice.until, "body /invoice/until"),
              },
            }),
      });
    },
    async listInvoices(_input, { scope }) {
      return { invoices: await reconciliations.invoices(scope) };
    },
    async listReconciliations({ query }, { scope }) {
      return { runs: await reconciliations.list(scope, query ?? {}) };
    },
    async readReconciliation({ params }, { scope }) {
      return reconciliations.read(scope, params.id);
    },
  };
}
