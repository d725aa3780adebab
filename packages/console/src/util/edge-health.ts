/** The health of an edge of the boundary map, as a tone and as words. */

import type { BoundaryEdge } from "@faultline/protocol";

import { formatShare } from "./format.ts";

export interface EdgeHealth {
  readonly tone: "good" | "bad" | "warn" | "plain";
  readonly text: string;
}

/** A contract's verdict comes before errors; without either there is nothing to say but that. */
export function edgeHealth(edge: BoundaryEdge): EdgeHealth {
  if (edge.verdict === "violated") return { tone: "bad", text: "violated" };
  if (edge.errorCount > 0) {
    return { tone: "warn", text: `${formatShare(edge.errorCount, edge.count)} errors` };
  }
  if (edge.verdict === "inconclusive") return { tone: "warn", text: "inconclusive" };
  if (edge.verdict === "holds") return { tone: "good", text: "holds" };
  return { tone: "plain", text: "no errors" };
}
