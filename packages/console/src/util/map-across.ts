/** The boundary map from left to right: one column for each rank. */

import type { BoundaryEdge } from "@faultline/protocol";

import { type MapEdge, type Placing, type Point, boxHeight, headLength } from "./map-shapes.ts";

const margin = 14;
const boxWidthMin = 172;
const boxWidthMax = 204;
const rowHeight = 108;
/** Room for a label between two columns, and how far columns stand apart at most. */
const gapMin = 168;
const gapMax = 340;
const heightMin = 200;

/** The least width that so many ranks need. */
export function acrossWidthMin(rankCount: number): number {
  return rankCount * boxWidthMin + (rankCount - 1) * gapMin + 2 * margin;
}

export function layoutAcross(
  edges: readonly BoundaryEdge[],
  ranks: readonly string[][],
  available: number,
): Placing {
  const gapCount = ranks.length - 1;
  const roomy = (available - 2 * margin - gapCount * gapMin) / ranks.length;
  const boxWidth = Math.min(boxWidthMax, Math.max(boxWidthMin, roomy));
  const free = available - 2 * margin - ranks.length * boxWidth;
  const gap = Math.min(gapMax, Math.max(gapMin, free / Math.max(1, gapCount)));
  const inner = ranks.length * boxWidth + gapCount * gap;
  const width = Math.max(available, inner + 2 * margin);
  const left = (width - inner) / 2;
  const rowCount = Math.max(1, ...ranks.map((names) => names.length));
  const height = Math.max(heightMin, rowCount * rowHeight + margin);
  const boxes = new Map<string, Point & { width: number }>();
  ranks.forEach((names, rank) =>
    names.forEach((name, index) =>
      boxes.set(name, {
        x: left + rank * (boxWidth + gap),
        y: height / 2 + (index - (names.length - 1) / 2) * rowHeight - boxHeight / 2,
        width: boxWidth,
      }),
    ),
  );
  return {
    width,
    height,
    boxes,
    edges: edges.flatMap((edge, index) => route(edge, boxes, edges.slice(0, index))),
  };
}

/** A curve from the side of one box to the side of the other; edges already drawn between the two move it aside. */
function route(
  edge: BoundaryEdge,
  boxes: ReadonlyMap<string, Point & { readonly width: number }>,
  drawn: readonly BoundaryEdge[],
): MapEdge[] {
  const from = boxes.get(edge.from);
  const to = boxes.get(edge.to);
  if (from === undefined || to === undefined) return [];
  const twins = drawn.filter((other) => other.from === edge.from && other.to === edge.to).length;
  const shift = twins * 28;
  const forward = to.x > from.x;
  const side = forward ? 1 : -1;
  const start = { x: from.x + (forward ? from.width : 0), y: from.y + boxHeight / 2 + shift / 2 };
  const tip = { x: to.x + (forward ? 0 : to.width), y: to.y + boxHeight / 2 + shift / 2 };
  const end = { x: tip.x - side * headLength, y: tip.y };
  // A call back, or of a party to itself, swings out so that it does not lie upon the calls forward.
  const swing = forward ? shift : 96 + shift;
  const reach = forward ? 0.5 * Math.abs(end.x - start.x) : 64;
  const one = { x: start.x + side * reach, y: start.y + swing };
  const two = { x: end.x - side * reach, y: end.y + swing };
  const label = {
    x: (start.x + 3 * one.x + 3 * two.x + end.x) / 8,
    y: (start.y + 3 * one.y + 3 * two.y + end.y) / 8,
    anchor: "centre" as const,
  };
  const path = `M${text(start)}C${text(one)} ${text(two)} ${text(end)}`;
  return [{ edge, path, tip, heading: forward ? "right" : "left", label }];
}

function text(point: Point): string {
  return `${point.x.toFixed(1)},${point.y.toFixed(1)}`;
}
