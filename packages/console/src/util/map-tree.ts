/** The boundary map on a narrow page: one party a row, what it calls below it and further in. */

import type { BoundaryEdge } from "@faultline/protocol";

import { type MapEdge, type Placing, type Point, boxHeight, headLength } from "./map-shapes.ts";

const margin = 16;
const indent = 30;
/** Deeper parties are not moved further to the right. */
const indentDepthMax = 4;
const boxWidthMax = 360;
const labelHeight = 30;
const rowGap = 18;
/** Where a caller's lines leave it, and how far apart they run. */
const trunkInset = 12;
const trunkStep = 4;
const trunkStepMax = 3;
const cornerRadius = 8;

export function layoutTree(
  edges: readonly BoundaryEdge[],
  ranks: readonly string[][],
  available: number,
): Placing {
  const rows = treeRows(edges, ranks);
  const boxes = new Map<string, Point & { width: number }>();
  const labels = new Map<BoundaryEdge, Point>();
  let y = margin;
  for (const { name, depth } of rows) {
    const x = margin + Math.min(depth, indentDepthMax) * indent;
    for (const edge of edges.filter((candidate) => candidate.to === name)) {
      labels.set(edge, { x, y: y + labelHeight / 2 });
      y += labelHeight;
    }
    boxes.set(name, { x, y, width: Math.min(boxWidthMax, available - margin - x) });
    y += boxHeight + rowGap;
  }
  return {
    width: available,
    height: y - rowGap + margin,
    boxes,
    edges: edges.flatMap((edge) => route(edge, { boxes, labels, edges })),
  };
}

/** Parties in the order of a walk along the calls, each once, as deep as its rank. */
function treeRows(
  edges: readonly BoundaryEdge[],
  ranks: readonly string[][],
): { name: string; depth: number }[] {
  const depth = new Map(ranks.flatMap((names, rank) => names.map((name) => [name, rank] as const)));
  const rows = new Map<string, number>();
  const pending = ranks.flat().reverse();
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (rows.has(name)) continue;
    rows.set(name, depth.get(name) ?? 0);
    const callees = edges.filter((edge) => edge.from === name).map((edge) => edge.to);
    // A callee waits for the last of its callers, so that lines run downward.
    const ready = callees.filter(
      (callee) => !rows.has(callee) && callersOf(callee, edges).every((caller) => rows.has(caller)),
    );
    pending.push(...ready.reverse());
  }
  return [...rows].map(([name, rowDepth]) => ({ name, depth: rowDepth }));
}

function callersOf(name: string, edges: readonly BoundaryEdge[]): string[] {
  return edges.filter((edge) => edge.to === name).map((edge) => edge.from);
}

/** From the foot of the caller straight down (or from its head up) to the label's line, then to the label. */
function route(
  edge: BoundaryEdge,
  map: {
    boxes: ReadonlyMap<string, Point>;
    labels: ReadonlyMap<BoundaryEdge, Point>;
    edges: readonly BoundaryEdge[];
  },
): MapEdge[] {
  const from = map.boxes.get(edge.from);
  const label = map.labels.get(edge);
  if (from === undefined || label === undefined) return [];
  const siblings = map.edges.filter((other) => other.from === edge.from);
  const lane = Math.min(siblings.length - 1 - siblings.indexOf(edge), trunkStepMax);
  const x = from.x + trunkInset - trunkStep * lane;
  const down = label.y > from.y;
  const bend = down ? -cornerRadius : cornerRadius;
  // A caller further in than what it calls turns back towards it.
  const side = label.x >= x ? 1 : -1;
  const tip = { x: label.x, y: label.y };
  return [
    {
      edge,
      path: `M${x},${from.y + (down ? boxHeight : 0)}V${label.y + bend}Q${x},${label.y} ${x + side * cornerRadius},${label.y}H${tip.x - side * headLength}`,
      tip,
      heading: side === 1 ? "right" : "left",
      label: { ...tip, anchor: "start" },
    },
  ];
}
