/** Reads the replies of a journal after a start, and finds those that a crash has left open. */

import { type Log, logStart } from "@faultline/journal";

import { KeptReply } from "./kept-reply.ts";
import { decodeRecord } from "./reply-record.ts";

export interface RecoveredReplies {
  /** By number, in the order of their beginnings. */
  readonly replies: Map<number, KeptReply>;
  /** Those without an end, with their last part. */
  readonly open: ReadonlyMap<KeptReply, Buffer | undefined>;
  /** Above every number and epoch that the journal has seen. */
  readonly nextNumber: number;
  readonly epoch: number;
}

/** Reads the whole journal. */
export async function recoverReplies(log: Log, signal: AbortSignal): Promise<RecoveredReplies> {
  const replies = new Map<number, KeptReply>();
  const open = new Map<KeptReply, Buffer | undefined>();
  let nextNumber = 1;
  let epoch = 0;
  for await (const { position, record: bytes } of log.read(logStart, signal)) {
    const record = decodeRecord(bytes);
    nextNumber = Math.max(nextNumber, record.number + 1);
    if (record.kind === "begin") {
      const reply = new KeptReply(record.facts);
      reply.number = record.number;
      reply.beginPosition = position;
      replies.set(record.number, reply);
      open.set(reply, undefined);
      epoch = Math.max(epoch, record.facts.epoch);
      continue;
    }
    const reply = replies.get(record.number);
    // The beginning was dropped, and so is the rest.
    if (reply === undefined) continue;
    switch (record.kind) {
      case "dispatched":
        reply.dispatched = true;
        break;
      case "head":
        reply.head = record.head;
        reply.isHeadDurable = true;
        break;
      case "part":
        reply.addStored(record.index, position);
        // A copy, so that one part does not hold a whole batch of the journal in memory.
        open.set(reply, Buffer.from(record.bytes));
        break;
      case "end":
        reply.end = record.end;
        reply.isEndDurable = true;
        epoch = Math.max(epoch, record.end.lossEpoch ?? 0);
        open.delete(reply);
        break;
      case "foreign":
        break;
    }
  }
  return { replies, open, nextNumber, epoch: epoch + 1 };
}
