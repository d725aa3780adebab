/** What becomes of a reply that a crash has left open: its reader gets an end, its key an outcome. */

import type { SurfaceName } from "#config/index.ts";
import { PlatformError } from "@faultline/protocol";

import { ReplyReader } from "../calls/reply-reader.ts";
import { surfaces } from "../calls/surface.ts";
import { SseScanner } from "../wire/sse-scanner.ts";
import { numberFrame } from "./event-id.ts";
import { FrameSplitter } from "./frame-splitter.ts";
import type { KeptReply } from "./kept-reply.ts";
import type { KeptHead, ReplyEnd, ReplyFacts } from "./reply-facts.ts";
import { streamIdHeader } from "./stream-id.ts";

export interface InterruptedEnd {
  /** When the crash took the head: one that says as much as its reader may have seen. */
  readonly head: KeptHead | undefined;
  /** The last words, in the dialect of the stream. */
  readonly part: Buffer | undefined;
  readonly end: ReplyEnd;
}

/** `lastPart` is the last one that the journal has; `epoch` that of the new life. */
export function closeInterrupted(
  reply: KeptReply,
  lastPart: Buffer | undefined,
  now: { readonly epoch: number; readonly nowMs: number },
): InterruptedEnd {
  const { facts, dispatched } = reply;
  const outcome = dispatched ? "unknown" : "released";
  const end: ReplyEnd = { how: "broken", outcome, endedMs: now.nowMs };
  // Before the dispatch nobody can know the id of the stream.
  if (!facts.durable || !dispatched) return { head: undefined, part: undefined, end };
  if (reply.head !== undefined && reply.head.head[streamIdHeader] === undefined) {
    // No stream after all, but an error as a plain reply.
    return { head: undefined, part: undefined, end };
  }
  const error = new PlatformError(
    "stream_interrupted",
    "The gateway process that carried this stream ended; the rest of the stream is lost.",
  );
  const words = lastWords(facts, error, lastPart);
  let part: Buffer | undefined;
  const splitter = new FrameSplitter((frame, blankAt) => {
    part = numberFrame(frame, blankAt, { epoch: now.epoch, sequence: reply.partCount + 1 });
  });
  splitter.write(Buffer.from(words));
  splitter.end();
  const head: KeptHead = {
    status: 200,
    head: { "content-type": "text/event-stream", [streamIdHeader]: facts.id },
  };
  return {
    head: reply.head === undefined ? head : undefined,
    part,
    end: { ...end, how: "cut", lossEpoch: now.epoch },
  };
}

/** The event that ends a stream with an error, in its dialect; `lastPart` is the latest one that its reader has got. */
export function lastWords(
  { surface }: Pick<ReplyFacts, "surface">,
  error: PlatformError,
  lastPart: Buffer | undefined,
): string {
  return surfaces[surface].errorEvent(error, sequenceIn(surface, lastPart));
}

/** The number of the latest event, in dialects that number them. */
function sequenceIn(surface: SurfaceName, lastPart: Buffer | undefined): number {
  if (lastPart === undefined) return -1;
  const reader = new ReplyReader(surfaces[surface].reply);
  new SseScanner(reader, { onFrame: () => {} }).write(lastPart);
  return reader.sequence;
}
