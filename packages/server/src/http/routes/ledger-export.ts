/** The ledger as files: entries and uses as CSV, sent while they are read, and all of it at one moment as lines of JSON. */

import type { ApiContext, ApiHandlers, HandlerParts } from "../services.ts";

/** Handlers of `/api/ledger/export`. */
export function ledgerExportHandlers({
  services: { ledgerBooks },
  clock,
}: HandlerParts): Pick<ApiHandlers, "exportEntries" | "exportLedger" | "exportUsage"> {
  const named = (reply: ApiContext["reply"], name: string, ending: string): void => {
    const day = new Date(clock.nowMs()).toISOString().slice(0, 10);
    reply.header("content-disposition", `attachment; filename="${name}-${day}.${ending}"`);
  };
  const asFile = (reply: ApiContext["reply"], name: string): void => {
    reply.type("text/csv; charset=utf-8");
    named(reply, name, "csv");
  };
  return {
    async exportLedger({ query }, { scope, reply }) {
      // It is read at once, so that whoever asks for the head alone is not to cause that.
      const isHead = reply.request.method === "HEAD";
      const pieces = isHead ? [] : await ledgerBooks.exportLedger(scope, query ?? {});
      reply.type("application/x-ndjson; charset=utf-8");
      named(reply, "ledger", "jsonl");
      return piecesOf(pieces);
    },
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

async function* piecesOf(pieces: readonly string[]): AsyncGenerator<string> {
  yield* pieces;
}
