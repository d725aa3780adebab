/** Who gets which version: a pure function of a caller's key, so that every process decides alike. */

import { hash } from "node:crypto";

/** One of several to choose from, with its share. */
export interface Weighted {
  /** What the choice is drawn by; it must stay the same while the weight changes. */
  readonly id: string;
  /** Any number above 0; shares are taken relative to one another. */
  readonly weight: number;
}

/**
 * Chooses by weighted rendezvous hashing: each candidate draws an exponential number from the hash of its id and the
 * key, at a rate equal to its weight, and the least one wins. So shares are exact in the mean, the choice of one key never
 * changes while weights stay, and a candidate whose share grows never loses a key that it had.
 */
export function chooseSticky<T extends Weighted>(
  candidates: readonly T[],
  key: string,
): T | undefined {
  const [only] = candidates;
  if (candidates.length <= 1) return only;
  let chosen: T | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    if (candidate.weight <= 0) continue;
    const draw = -Math.log(uniform(candidate.id, key)) / candidate.weight;
    if (draw < least) {
      least = draw;
      chosen = candidate;
    }
  }
  return chosen ?? only;
}

/** Candidates in the order in which they win: the first one as `chooseSticky` does, then the next best. */
export function orderSticky<T extends Weighted>(candidates: readonly T[], key: string): T[] {
  if (candidates.length <= 1) return [...candidates];
  const drawn = candidates.map((candidate) => ({
    candidate,
    draw:
      candidate.weight > 0
        ? -Math.log(uniform(candidate.id, key)) / candidate.weight
        : Number.POSITIVE_INFINITY,
  }));
  return drawn
    .sort(({ draw: one }, { draw: other }) => (one < other ? -1 : one > other ? 1 : 0))
    .map(({ candidate }) => candidate);
}

const bits = 48;

/** A number in (0, 1] from 48 bits of SHA-256: the caller's key may be anything, also what an adversary chose. */
function uniform(id: string, key: string): number {
  const digest = hash("sha256", `${id}\0${key}`, "buffer");
  return (digest.readUIntBE(0, bits / 8) + 1) / 2 ** bits;
}
