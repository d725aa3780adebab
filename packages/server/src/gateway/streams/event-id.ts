/** Ids of events: `<epoch>-<sequence>`. The epoch names one life of the journal, so that no two lives give one id twice. */

import { streamLimits } from "./limits.ts";

export interface EventId {
  readonly epoch: number;
  /** The first event of a stream has 1. */
  readonly sequence: number;
}

const pattern = /^(0|[1-9]\d{0,9})-(0|[1-9]\d{0,9})$/;

/** Gives nothing for what is no id of ours. */
export function parseEventId(text: string): EventId | undefined {
  if (text.length > streamLimits.idLengthMax) return undefined;
  const match = pattern.exec(text);
  if (match === null) return undefined;
  return { epoch: Number(match[1]), sequence: Number(match[2]) };
}

/** The event with its id as the last line. */
export function numberFrame(frame: Buffer, blankAt: number, { epoch, sequence }: EventId): Buffer {
  const line = Buffer.from(`id: ${epoch}-${sequence}\n`);
  return Buffer.concat([frame.subarray(0, blankAt), line, frame.subarray(blankAt)]);
}
