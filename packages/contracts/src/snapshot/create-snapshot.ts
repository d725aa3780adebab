/** Freezes evidence into a snapshot: each piece addressed by its content, sorted, once. */

import type { Evidence, EvidenceContent, EvidenceId, EvidenceSource } from "../model/evidence.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { compareText } from "../text/compare-text.ts";
import { ContentWriter } from "./canonical-content.ts";
import { type CreateHasher, evidenceIdOf } from "./evidence-id.ts";
import { identifiedLater } from "./later-id.ts";

/** What goes into a snapshot: content, and where it came from. */
export interface SnapshotPart {
  readonly source: EvidenceSource;
  readonly content: EvidenceContent;
}

/**
 * Makes a snapshot. Equal content is kept once, with the source that sorts first, so that the order in
 * which parts are given does not matter. Content must not change any more: ids are computed where they are asked for.
 */
export function createSnapshot(
  parts: Iterable<SnapshotPart>,
  createHasher?: CreateHasher,
): Snapshot {
  const writer = new ContentWriter();
  const evidence: Evidence[] = [];
  for (const { source, content } of parts) {
    const computeId = (): EvidenceId => evidenceIdOf(content, createHasher, writer);
    evidence.push(identifiedLater({ source, content }, computeId));
  }
  return snapshotOf(evidence);
}

/** Makes a snapshot of evidence whose ids are known to fit their content. */
export function snapshotOf(evidence: readonly Evidence[]): Snapshot {
  const sorted = evidence.toSorted(compareEvidence);
  return {
    formatVersion: 1,
    evidence: sorted.filter((item, index) => {
      const before = sorted[index - 1];
      return before === undefined || compareKinds(before, item) !== 0 || before.id !== item.id;
    }),
  };
}

/** Of equal content the one whose source sorts first comes first. */
function compareEvidence(left: Evidence, right: Evidence): number {
  return (
    compareKinds(left, right) ||
    compareText(left.id, right.id) ||
    compareText(sourceKey(left), sourceKey(right))
  );
}

/** By kind and trace id, which tell most pieces apart without their ids. */
function compareKinds({ content: left }: Evidence, { content: right }: Evidence): number {
  if (left.kind !== "trace" || right.kind !== "trace") return compareText(left.kind, right.kind);
  return compareText(left.traceId, right.traceId);
}

function sourceKey(item: Evidence): string {
  return `${item.source.name}\n${item.source.format}\n${item.source.notes.join("\n")}`;
}
