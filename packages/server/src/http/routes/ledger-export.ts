/** Entries and uses of the ledger as files of CSV, sent while they are read. */

import type { ApiContext, ApiHandlers, HandlerParts } from "../services.ts";

/** Handlers of `/api/ledger/export`. */
export function ledgerExportHandlers({
  services: { ledgerBooks },
  clock,
}: HandlerParts): Pick<ApiHandlers, "exportEntries" | "exportUsage"> {
  const asFile = (reply: ApiContext["reply"], name: string): void => {
    const day = new Date(clock.nowMs()).toISOString().slice(0, 10);
    reply.type("text/csv; charset=utf-8");
    reply.header("content-disposition", `attachment; filename="${name}-${day}.csv"`);
  };
  return {
    async exportEntries({ query }, { scope, reply }) {
      const lines = ledgerBooks.exportEntries(scope, query ?? {});
      asFile(reply, "ledger-entries");
      return lines;
    },
    async exportUsage({ query }, { scope, reply }) {
      const lines = ledgerBooks.exportUsage(scope, query ?? {});
      asFile(reply, "ledger-usage");
      return lines;
    },
  };
}
