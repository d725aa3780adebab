/** The order of the parties on the boundary map: ranks along the direction of the calls, with few crossings. */

import type { BoundaryEdge } from "@faultline/protocol";

type Call = Pick<BoundaryEdge, "from" | "to">;

/** Passes over all ranks that move parties towards their neighbours; more change little. */
const sweepCount = 6;

/** Parties by rank, each rank in the order in which it is drawn. */
export function rankParties(calls: readonly Call[]): string[][] {
  return orderRanks(findRanks(calls), calls);
}

/** The rank of each party: one beyond the farthest of those that call it. Calls that close a ring are left aside. */
function findRanks(calls: readonly Call[]): string[][] {
  const names = [...new Set(calls.flatMap((call) => [call.from, call.to]))];
  const rank = new Map(names.map((name) => [name, 0]));
  const forward = calls.filter((call) => !reaches(call.to, call.from, calls));
  // Each pass settles at least one more rank, so that as many passes as parties suffice.
  for (let pass = 0; pass < names.length; pass += 1) {
    let moved = false;
    for (const call of forward) {
      const wanted = (rank.get(call.from) ?? 0) + 1;
      if (wanted > (rank.get(call.to) ?? 0)) {
        rank.set(call.to, wanted);
        moved = true;
      }
    }
    if (!moved) break;
  }
  const rankCount = Math.max(0, ...rank.values()) + 1;
  return Array.from({ length: rankCount }, (_, index) =>
    names.filter((name) => rank.get(name) === index),
  );
}

function reaches(from: string, to: string, calls: readonly Call[]): boolean {
  const seen = new Set([from]);
  const pending = [from];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === to) return true;
    for (const call of calls) {
      if (call.from !== name || seen.has(call.to)) continue;
      seen.add(call.to);
      pending.push(call.to);
    }
  }
  return false;
}

/** Moves each party towards the middle of its neighbours, a few times over. */
function orderRanks(ranks: readonly string[][], calls: readonly Call[]): string[][] {
  const ordered = ranks.map((names) => [...names]);
  for (let sweep = 0; sweep < sweepCount; sweep += 1) {
    const place = new Map<string, number>();
    for (const names of ordered) {
      names.forEach((name, index) => place.set(name, (index + 1) / (names.length + 1)));
    }
    for (const names of ordered) {
      const pull = new Map(names.map((name) => [name, middleOfNeighbours(name, calls, place)]));
      names.sort((one, other) => (pull.get(one) ?? 0) - (pull.get(other) ?? 0));
    }
  }
  return ordered;
}

function middleOfNeighbours(
  name: string,
  calls: readonly Call[],
  place: ReadonlyMap<string, number>,
): number {
  const places = calls.flatMap((call) => {
    if (call.from === name) return [place.get(call.to) ?? 0];
    return call.to === name ? [place.get(call.from) ?? 0] : [];
  });
  return places.reduce((sum, at) => sum + at, 0) / Math.max(1, places.length);
}
