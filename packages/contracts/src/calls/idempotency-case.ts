/** One case that concerns idempotency: what was repeated, and whether that was safe. */

import type { EvidenceReference } from "../model/evidence.ts";
import type { Edge } from "./edge.ts";

export interface IdempotencyCase {
  readonly edge: Pick<Edge, "name" | "isDatabase">;
  readonly verdict: "violated" | "holds" | "inconclusive";
  readonly kind:
    | "effect-repeated"
    | "retry-without-key"
    | "key-changed"
    | "key-reused"
    | "message-repeated"
    | "key-kept";
  /** Completes "checkout → payment POST /charge …". */
  readonly words: string;
  readonly missing?: string;
  /** The offending spans first. */
  readonly references: readonly EvidenceReference[];
}
