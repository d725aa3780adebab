/**
 * How a region and the home of an account speak: the region sends its steps and the grant documents that it knows, the home
 * answers the steps and gives the documents that it knows. Whoever carries this may lose, repeat, reorder and delay it.
 */

import type { LedgerOutcome, Refusal } from "../rules/commands.ts";
import { escrowId } from "./escrow.ts";
import {
  type DocumentVersion,
  type GrantDocument,
  mergeVersions,
  versionText,
} from "./grant-document.ts";
import type { RegionRequest } from "./region-request.ts";

export interface ExchangeRequest {
  readonly region: string;
  readonly steps: readonly RegionRequest[];
  readonly documents: readonly GrantDocument[];
}

export interface ExchangeReply {
  readonly answers: readonly {
    readonly id: string;
    readonly answer: LedgerOutcome | Refusal;
  }[];
  readonly documents: readonly GrantDocument[];
}

/** Whether a region may ask this of the home: steps of its own escrow, and nothing else. */
export function isStepOf(region: string, request: RegionRequest): boolean {
  switch (request.kind) {
    case "lease":
      return (
        request.isEscrow === true &&
        request.workerId === `region/${region}` &&
        request.id === escrowId({ region, currency: request.currency })
      );
    case "renew-lease":
    case "report-lease":
    case "shrink-lease":
      return (
        request.leaseId.startsWith(`escrow/${region}/`) &&
        request.id.startsWith(`${request.leaseId}/`)
      );
    default:
      return false;
  }
}

/** Documents as they are after hearing of some; gives those that changed, to be written down and applied. */
export function hearDocuments(
  known: ReadonlyMap<string, GrantDocument>,
  heard: Iterable<GrantDocument>,
): GrantDocument[] {
  const changed: GrantDocument[] = [];
  for (const { key, versions } of heard) {
    const before = known.get(key)?.versions ?? [];
    const after = mergeVersions(before, versions);
    if (textOf(before) !== textOf(after)) changed.push({ key, versions: after });
  }
  return changed;
}

function textOf(versions: readonly DocumentVersion[]): string {
  return versions.map(versionText).sort().join(" | ");
}
