/** Ids that are computed when somebody asks: of a million traces a check quotes a few, and an id costs as much as reading. */

import type { Evidence, EvidenceId } from "../model/evidence.ts";

/** Evidence whose id is computed once, where it is asked for. */
export function identifiedLater(
  { source, content }: Omit<Evidence, "id">,
  computeId: () => EvidenceId,
): Evidence {
  const evidence = {
    get id(): EvidenceId {
      const id = computeId();
      Object.defineProperty(evidence, "id", { value: id, enumerable: true, writable: true });
      return id;
    },
    source,
    content,
  };
  return evidence;
}

/** The id of evidence, where it was given or asked for before. Evidence without one is referred to by nobody. */
export function idIfKnown(evidence: Evidence): EvidenceId | undefined {
  const isComputed = Object.getOwnPropertyDescriptor(evidence, "id")?.get === undefined;
  return isComputed ? evidence.id : undefined;
}
