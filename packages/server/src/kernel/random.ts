/** Chance as an argument: a consumer forks its own stream, so one more draw here changes nothing there. */

import { createHash, randomBytes, randomFillSync } from "node:crypto";

export interface Random {
  /** `length` random bytes. */
  bytes(length: number): Uint8Array;
  /** A uniformly distributed integer in `[0, bound)`, for `1 <= bound <= 2^32`. */
  integer(bound: number): number;
  /** An independent stream named `name`; the same name gives the same stream in seeded use. */
  fork(name: string): Random;
}

const drawnLength = 4_096;

/** Cryptographic randomness of the operating system. */
export const systemRandom: Random = createSystemRandom();

/** Asking for a few bytes costs as much as asking for thousands, so that these are drawn ahead; each is given once. */
function createSystemRandom(): Random {
  const drawn = new Uint8Array(drawnLength);
  let given = drawnLength;
  const bytes = (length: number): Uint8Array => {
    if (length > drawnLength / 8) return new Uint8Array(randomBytes(length));
    if (given + length > drawnLength) {
      randomFillSync(drawn);
      given = 0;
    }
    given += length;
    return drawn.slice(given - length, given);
  };
  const random: Random = {
    bytes,
    integer: (bound) => integerBelow(bound, bytes),
    fork: () => random,
  };
  return random;
}

/** Deterministic randomness: SHA-256 in counter mode over `seed`. Not for keys. */
export function seededRandom(seed: string): Random {
  let counter = 0;
  let pool: Uint8Array = new Uint8Array(0);
  const take = (length: number): Uint8Array => {
    while (pool.length < length) {
      const block = createHash("sha256").update(`${seed}\u0000${counter}`).digest();
      counter += 1;
      pool = Buffer.concat([pool, block]);
    }
    const taken = pool.slice(0, length);
    pool = pool.slice(length);
    return taken;
  };
  return {
    bytes: take,
    integer: (bound) => integerBelow(bound, take),
    fork: (name) => seededRandom(`${seed}/${name}`),
  };
}

/** An integer in `[0, bound)` from what `take` gives. Rejection sampling over 32 bits, so that no value below `bound` is favoured. */
function integerBelow(bound: number, take: (length: number) => Uint8Array): number {
  const range = 2 ** 32;
  const acceptBelow = range - (range % bound);
  for (;;) {
    const bytes = take(4);
    const value = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
    if (value < acceptBelow) return value % bound;
  }
}
