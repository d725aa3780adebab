/** Ids of durable streams: the journal that keeps it, then a part that cannot be guessed. */

import type { Random } from "#kernel/index.ts";

import { streamLimits } from "./limits.ts";

/** The header that tells a caller the id of its stream. */
export const streamIdHeader = "x-faultline-stream-id";

const pattern = /^str_([0-9]{1,4})_([0-9a-f]{32})$/;
const tailBytes = 16;

/** A new id in the journal of this number. */
export function makeStreamId(journal: number, random: Random): string {
  return `str_${journal}_${Buffer.from(random.bytes(tailBytes)).toString("hex")}`;
}

/** The journal that an id names; nothing for what is no id. */
export function journalOfStream(id: string): number | undefined {
  if (id.length > streamLimits.idLengthMax) return undefined;
  const match = pattern.exec(id);
  return match === null ? undefined : Number(match[1]);
}
