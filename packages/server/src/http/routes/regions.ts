/** Regions that share accounts: what they tell one another, and edits that contradict one another. */

import { type GrantDocument, effectiveContent, sayContent } from "#ledger/index.ts";
import { type GrantConflict, PlatformError } from "@faultline/protocol";

import type { ApiHandlers, HandlerParts } from "../services.ts";

const recallSecondsDefault = 600;

type Names =
  | "exchangeRegions"
  | "listEscrows"
  | "recallEscrow"
  | "listGrantConflicts"
  | "resolveGrantConflict";

/** Handlers of `/api/regions` and `/api/ledger/conflicts`. */
export function regionHandlers({ services: { regions } }: HandlerParts): Pick<ApiHandlers, Names> {
  return {
    async exchangeRegions({ body }, { signal }) {
      return regions.answer(body, signal);
    },
    async listEscrows(_input, { scope }) {
      return { escrows: await regions.escrows(scope) };
    },
    async recallEscrow({ body }, { scope }) {
      const { region, durationSeconds = recallSecondsDefault } = body;
      await regions.recall(scope, region, durationSeconds * 1_000);
      return { escrows: await regions.escrows(scope) };
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
