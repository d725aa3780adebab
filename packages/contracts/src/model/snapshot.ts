/** A snapshot: a frozen set of evidence from which every check can be replayed anywhere. */

import { type Static, Type } from "typebox";

import { Evidence, type EvidenceContent, type EvidenceKind } from "./evidence.ts";

export const Snapshot = Type.Object(
  {
    formatVersion: Type.Literal(1),
    /** Sorted by kind, traces by their trace id, the rest by id; each id once: equal content has one representation. */
    evidence: Type.Array(Evidence),
  },
  { additionalProperties: false },
);
export type Snapshot = Static<typeof Snapshot>;

/** Evidence whose content is of the given kind. */
export type EvidenceOf<K extends EvidenceKind> = Evidence & {
  content: Extract<EvidenceContent, { kind: K }>;
};

/** The pieces of evidence of one kind, in the snapshot's order. */
export function evidenceOfKind<K extends EvidenceKind>(
  snapshot: Snapshot,
  kind: K,
): readonly EvidenceOf<K>[] {
  const { evidence } = snapshot;
  const known =
    kindsByEvidence.get(evidence) ?? Map.groupBy(evidence, ({ content }) => content.kind);
  kindsByEvidence.set(evidence, known);
  // The grouping proves the narrowing that the type system cannot derive from a nested tag.
  return (known.get(kind) ?? []) as EvidenceOf<K>[];
}

/** A memory and no state: each contract asks for what it reads, and there may be very many traces. */
const kindsByEvidence = new WeakMap<readonly Evidence[], ReadonlyMap<EvidenceKind, Evidence[]>>();
