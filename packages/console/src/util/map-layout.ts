/** Places the boundary map: across in ranks where there is room, else as a tree of rows that reads downward. */

import type { BoundaryEdge } from "@faultline/protocol";

import { acrossWidthMin, layoutAcross } from "./map-across.ts";
import { rankParties } from "./map-ranks.ts";
import type { MapLayout, PartyKind } from "./map-shapes.ts";
import { layoutTree } from "./map-tree.ts";

/** Lays out the calls in the given width. */
export function layoutMap(edges: readonly BoundaryEdge[], width: number): MapLayout {
  const ranks = rankParties(edges);
  // What does not fit side by side would hide what lies furthest from the start, where faults often are.
  const fits = width >= acrossWidthMin(ranks.length);
  const placing = fits ? layoutAcross(edges, ranks, width) : layoutTree(edges, ranks, width);
  return {
    width: placing.width,
    height: placing.height,
    edges: placing.edges,
    parties: [...placing.boxes].map(([name, box]) => ({
      name,
      at: { x: box.x, y: box.y },
      width: box.width,
      kind: partyKind(name, edges),
      callCount: callCount(name, edges),
    })),
  };
}

function partyKind(name: string, edges: readonly BoundaryEdge[]): PartyKind {
  // Whoever calls out is a service, whatever else it is.
  if (edges.some((edge) => edge.from === name)) return "service";
  const inward = edges.filter((edge) => edge.to === name).map((edge) => edge.boundary);
  if (inward.includes("resolver-database")) return "database";
  if (inward.includes("model-tool")) return "tool";
  const callsModel = inward.includes("model-tokenizer") || inward.includes("client-server");
  return callsModel ? "model" : "service";
}

function callCount(name: string, edges: readonly BoundaryEdge[]): number {
  const inward = edges.filter((edge) => edge.to === name);
  const counted = inward.length > 0 ? inward : edges.filter((edge) => edge.from === name);
  return counted.reduce((sum, edge) => sum + edge.count, 0);
}
