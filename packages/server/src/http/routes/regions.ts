/** Regions that share accounts: what they tell one another, and edits that contradict one another. */

import { type GrantDocument, effectiveContent, sayContent } from "#ledger/index.ts";
import { type GrantConflict, PlatformError } from "@faultline/protocol";

import type { ApiHandlers, HandlerParts } from "../services.ts";

type Names = "exchangeRegions" | "listGrantConflicts" | "resolveGrantConflict";

/** Handlers of `/api/regions` and `/api/ledger/conflicts`. */
export function regionHandlers({ services: { regions } }: HandlerParts): Pick<ApiHandlers, Names> {
  return {
    async exchangeRegions({ body }, { signal }) {
      return regions.answer(body, signal);
    },
    async listGrantConflicts(_input, { scope }) {
      const documents = await regions.conflicts(scope);
      return { conflicts: documents.map(showConflict) };
    },
    async resolveGrantConflict({ body }, { scope }) {
      if (!regions.isShared(scope.tenantId))
        throw new PlatformError("not_found", "The tenant's account is in one region alone.");
      const document = await regions.resolve(scope, body.key, body.number);
      return { key: document.key, holds: holdsOf(document) };
    },
  };
}

function showConflict(document: GrantDocument): GrantConflict {
  return {
    key: document.key,
    holds: holdsOf(document),
    edits: document.versions.map(({ region, editedAtMs, content }, index) => ({
      number: index + 1,
      region,
      at: new Date(editedAtMs).toISOString(),
      says: sayContent(content),
    })),
  };
}

function holdsOf({ versions }: GrantDocument): string {
  const content = effectiveContent(versions);
  return content === undefined ? "nothing" : sayContent(content);
}
