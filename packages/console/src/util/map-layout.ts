/** Places the boundary map: across in ranks where there is room, else as a tree of rows that reads downward. */

import type { BoundaryEdge } from "@faultline/protocol";

import { layoutAcross } from "./map-across.ts";
import type { MapLayout, PartyKind } from "./map-shapes.ts";
import { layoutTree } from "./map-tree.ts";

/** Below this width the map reads downward. */
const acrossWidthMin = 700;

/** Lays out the calls in the given width; where the ranks need more, the map is wider than that. */
export function layoutMap(edges: readonly BoundaryEdge[], width: number): MapLayout {
  const placing = width < acrossWidthMin ? layoutTree(edges, width) : layoutAcross(edges, width);
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
