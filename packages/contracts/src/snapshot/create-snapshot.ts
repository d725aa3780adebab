/** Freezes evidence into a snapshot: each piece addressed by its content, sorted, once. */

import type { Evidence, EvidenceContent, EvidenceSource } from "../model/evidence.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { ContentWriter } from "./canonical-content.ts";
import { type CreateHasher, evidenceIdOf } from "./evidence-id.ts";

/** What goes into a snapshot: content, and where it came from. */
export interface SnapshotPart {
  readonly source: EvidenceSource;
  readonly content: EvidenceContent;
}

/**
 * Makes a snapshot. Equal content is kept once, with the source that sorts first, so that the order in
 * which parts are given does not matter.
 */
export function createSnapshot(
  parts: Iterable<SnapshotPart>,
  createHasher?: CreateHasher,
): Snapshot {
  const writer = new ContentWriter();
  const evidence: Evidence[] = [];
  for (const { source, content } of parts) {
    evidence.push({ id: evidenceIdOf(content, createHasher, writer), source, content });
  }
  return snapshotOf(evidence);
}

/** Makes a snapshot of evidence whose ids are known to fit their content. */
export function snapshotOf(evidence: readonly Evidence[]): Snapshot {
  const byId = new Map<string, Evidence>();
  for (const item of evidence) {
    const known = byId.get(item.id);
    if (known === undefined || sourceKey(item) < sourceKey(known)) byId.set(item.id, item);
  }
  const sorted = [...byId.values()].sort((left, right) => (left.id < right.id ? -1 : 1));
  return { formatVersion: 1, evidence: sorted };
}

function sourceKey(item: Evidence): string {
  return `${item.source.name}\n${item.source.format}\n${item.source.notes.join("\n")}`;
}
