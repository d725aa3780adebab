/** Places the boundary map: parties in ranks along the direction of the calls, few crossings, edges that bend. */

import type { BoundaryEdge } from "@faultline/protocol";

export type PartyKind = "service" | "database" | "model" | "tool";
export interface Point {
  readonly x: number;
  readonly y: number;
}
export interface Party {
  readonly name: string;
  readonly kind: PartyKind;
  readonly callCount: number;
  /** The upper left corner. */
  readonly at: Point;
}
export interface MapEdge {
  readonly edge: BoundaryEdge;
  /** The `d` of an SVG path. */
  readonly path: string;
  /** Where its label is centred. */
  readonly label: Point;
}
export interface MapLayout {
  readonly width: number;
  readonly height: number;
  readonly nodeWidth: number;
  readonly nodeHeight: number;
  readonly parties: readonly Party[];
  readonly edges: readonly MapEdge[];
}
export type MapDirection = "across" | "down";

/** Lays out the calls in the given width; where the ranks need more, the map is wider than that. */
export function layoutMap(
  edges: readonly BoundaryEdge[],
  space: { width: number; direction: MapDirection },
): MapLayout {
  const ranks = orderRanks(rankParties(edges), edges);
  const grid =
    space.direction === "across" ? acrossGrid(ranks, space.width) : downGrid(ranks, space.width);
  const places = new Map<string, Point>();
  ranks.forEach((names, rank) =>
    names.forEach((name, index) => places.set(name, grid.place(rank, index, names.length))),
  );
  const box = { direction: space.direction, width: grid.nodeWidth, height: grid.nodeHeight };
  return {
    width: grid.width,
    height: grid.height,
    nodeWidth: grid.nodeWidth,
    nodeHeight: grid.nodeHeight,
    parties: [...places].map(([name, at]) => ({
      name,
      at,
      kind: partyKind(name, edges),
      callCount: callCount(name, edges),
    })),
    edges: edges.flatMap((edge, index) => {
      const from = places.get(edge.from);
      const to = places.get(edge.to);
      if (from === undefined || to === undefined) return [];
      const twins = edges.slice(0, index).filter((other) => isBetweenSame(other, edge)).length;
      return [{ edge, ...route({ from, to, box, twins }) }];
    }),
  };
}

/** The rank of each party: one beyond the farthest of those that call it. Calls that close a ring are left aside. */
function rankParties(edges: readonly BoundaryEdge[]): string[][] {
  const names = [...new Set(edges.flatMap((edge) => [edge.from, edge.to]))];
  const rank = new Map(names.map((name) => [name, 0]));
  const forward = edges.filter((edge) => !reaches(edge.to, edge.from, edges));
  // Each pass settles at least one more rank, so that as many passes as parties suffice.
  for (let pass = 0; pass < names.length; pass += 1) {
    let moved = false;
    for (const edge of forward) {
      const wanted = (rank.get(edge.from) ?? 0) + 1;
      if (wanted > (rank.get(edge.to) ?? 0)) {
        rank.set(edge.to, wanted);
        moved = true;
      }
    }
    if (!moved) break;
  }
  const ranks: string[][] = [];
  for (const name of names) (ranks[rank.get(name) ?? 0] ??= []).push(name);
  return ranks.map((rankNames) => rankNames ?? []);
}

function reaches(from: string, to: string, edges: readonly BoundaryEdge[]): boolean {
  const seen = new Set([from]);
  const pending = [from];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === to) return true;
    for (const edge of edges) {
      if (edge.from !== name || seen.has(edge.to)) continue;
      seen.add(edge.to);
      pending.push(edge.to);
    }
  }
  return false;
}

/** Moves each party towards the middle of its neighbours, a few times over. */
function orderRanks(ranks: readonly string[][], edges: readonly BoundaryEdge[]): string[][] {
  const ordered = ranks.map((names) => [...names]);
  for (let sweep = 0; sweep < 6; sweep += 1) {
    const place = new Map<string, number>();
    for (const names of ordered) {
      names.forEach((name, index) => place.set(name, (index + 1) / (names.length + 1)));
    }
    for (const names of ordered) {
      const pull = new Map(names.map((name) => [name, middleOfNeighbours(name, edges, place)]));
      names.sort((one, other) => (pull.get(one) ?? 0) - (pull.get(other) ?? 0));
    }
  }
  return ordered;
}

function middleOfNeighbours(
  name: string,
  edges: readonly BoundaryEdge[],
  place: ReadonlyMap<string, number>,
): number {
  const places = edges.flatMap((edge) => {
    if (edge.from === name) return [place.get(edge.to) ?? 0];
    return edge.to === name ? [place.get(edge.from) ?? 0] : [];
  });
  return places.reduce((sum, at) => sum + at, 0) / Math.max(1, places.length);
}

interface Grid {
  readonly width: number;
  readonly height: number;
  readonly nodeWidth: number;
  readonly nodeHeight: number;
  place(rank: number, index: number, count: number): Point;
}

const margin = 20;

function acrossGrid(ranks: readonly string[][], available: number): Grid {
  const nodeWidth = 184;
  const nodeHeight = 56;
  const rowHeight = 112;
  const gapCount = Math.max(1, ranks.length - 1);
  const free = available - 2 * margin - ranks.length * nodeWidth;
  const gap = Math.min(320, Math.max(176, free / gapCount));
  const inner = ranks.length * nodeWidth + (ranks.length - 1) * gap;
  const width = Math.max(available, inner + 2 * margin);
  const left = (width - inner) / 2;
  const rowCount = Math.max(1, ...ranks.map((names) => names.length));
  const height = Math.max(200, rowCount * rowHeight + 2 * margin);
  return {
    width,
    height,
    nodeWidth,
    nodeHeight,
    place: (rank, index, count) => ({
      x: left + rank * (nodeWidth + gap),
      y: height / 2 + (index - (count - 1) / 2) * rowHeight - nodeHeight / 2,
    }),
  };
}

function downGrid(ranks: readonly string[][], available: number): Grid {
  const gap = 12;
  const nodeHeight = 56;
  const rowHeight = 176;
  const columnCount = Math.max(1, ...ranks.map((names) => names.length));
  const fitting = (available - 2 * margin - (columnCount - 1) * gap) / columnCount;
  const nodeWidth = Math.min(184, Math.max(132, fitting));
  const width = Math.max(available, columnCount * nodeWidth + (columnCount - 1) * gap + 2 * margin);
  return {
    width,
    height: (ranks.length - 1) * rowHeight + nodeHeight + 2 * margin,
    nodeWidth,
    nodeHeight,
    place: (rank, index, count) => ({
      x: width / 2 + (index - (count - 1) / 2) * (nodeWidth + gap) - nodeWidth / 2,
      y: margin + rank * rowHeight,
    }),
  };
}

/** A curve from the side of one box to the side of the other; `twins` counts edges already drawn between them. */
function route(way: {
  from: Point;
  to: Point;
  box: { direction: MapDirection; width: number; height: number };
  twins: number;
}): { path: string; label: Point } {
  const { box } = way;
  const across = box.direction === "across";
  const forward = across ? way.to.x > way.from.x : way.to.y > way.from.y;
  const shift = way.twins * 26;
  const start = across
    ? { x: way.from.x + (forward ? box.width : 0), y: way.from.y + box.height / 2 + shift / 2 }
    : { x: way.from.x + box.width / 2 + shift / 2, y: way.from.y + (forward ? box.height : 0) };
  const end = across
    ? { x: way.to.x + (forward ? 0 : box.width), y: way.to.y + box.height / 2 + shift / 2 }
    : { x: way.to.x + box.width / 2 + shift / 2, y: way.to.y + (forward ? 0 : box.height) };
  // A call back, or of a party to itself, swings out so that it does not lie upon the calls forward.
  const swing = forward ? shift : 84 + shift;
  const reach = forward ? 0.5 * (across ? end.x - start.x : end.y - start.y) : 60;
  const bend = forward ? reach : -reach;
  const one = across
    ? { x: start.x + bend, y: start.y + swing }
    : { x: start.x + swing, y: start.y + bend };
  const two = across
    ? { x: end.x - bend, y: end.y + swing }
    : { x: end.x + swing, y: end.y - bend };
  return {
    path: `M${text(start)}C${text(one)} ${text(two)} ${text(end)}`,
    label: {
      x: (start.x + 3 * one.x + 3 * two.x + end.x) / 8,
      y: (start.y + 3 * one.y + 3 * two.y + end.y) / 8,
    },
  };
}

function text(point: Point): string {
  return `${point.x.toFixed(1)},${point.y.toFixed(1)}`;
}

function isBetweenSame(one: BoundaryEdge, other: BoundaryEdge): boolean {
  return one.from === other.from && one.to === other.to;
}

function partyKind(name: string, edges: readonly BoundaryEdge[]): PartyKind {
  // Whoever calls out or is called as a service is one, whatever else it is.
  const inward = edges.filter((edge) => edge.to === name).map((edge) => edge.boundary);
  if (edges.some((edge) => edge.from === name)) return "service";
  if (inward.includes("resolver-database")) return "database";
  if (inward.includes("model-tool")) return "tool";
  return inward.includes("model-tokenizer") || inward.includes("client-server")
    ? "model"
    : "service";
}

function callCount(name: string, edges: readonly BoundaryEdge[]): number {
  const inward = edges.filter((edge) => edge.to === name);
  const counted = inward.length > 0 ? inward : edges.filter((edge) => edge.from === name);
  return counted.reduce((sum, edge) => sum + edge.count, 0);
}
