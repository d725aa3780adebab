/** Randomness drawn in large pieces: drawing the few bytes of one id at a time costs more than the id. */

import { integerBelow, type Random } from "#kernel/index.ts";

const poolBytes = 4_096;

/** Gives the same source, drawn from through a pool. */
export function poolRandom(random: Random): Random {
  let pool: Uint8Array = new Uint8Array(0);
  let used = 0;
  const take = (length: number): Uint8Array => {
    if (length > poolBytes) return random.bytes(length);
    if (used + length > pool.length) {
      pool = random.bytes(poolBytes);
      used = 0;
    }
    used += length;
    return pool.subarray(used - length, used);
  };
  return {
    bytes: take,
    integer: (bound) => integerBelow(bound, take),
    fork: (name) => poolRandom(random.fork(name)),
  };
}
