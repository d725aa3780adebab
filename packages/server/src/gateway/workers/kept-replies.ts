/** What one worker keeps of replies: durable streams, those of calls with a key, and those in the cache. */

import path from "node:path";

import type { Clock, Random } from "#kernel/index.ts";

import type { Deadlines } from "../calls/deadlines.ts";
import { ResponseCache } from "../cache/response-cache.ts";
import { KeyedCalls } from "../idempotency/keyed-calls.ts";
import type { GatewaySettings } from "../snapshot.ts";
import { DurableStreams } from "../streams/durable-streams.ts";
import type { WorkerStart } from "./messages.ts";

export interface KeptRepliesParts {
  readonly start: WorkerStart;
  readonly clock: Clock;
  readonly random: Random;
  readonly deadlines: Deadlines;
  readonly signal: AbortSignal;
  readonly settings: () => GatewaySettings;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** Makes them; `open` of each must follow. */
export function createKeptReplies({ start, settings, ...parts }: KeptRepliesParts): {
  streams: DurableStreams;
  keyed: KeyedCalls;
  cache: ResponseCache;
} {
  const { index, count, journalFolder } = start;
  const common = { ...parts, worker: { index, count } };
  const streams = new DurableStreams({
    ...common,
    folder: path.join(journalFolder, "streams"),
    random: parts.random.fork("streams"),
    bounds: () => {
      const { streamRetentionMs, streamBytesMax } = settings();
      return { retentionMs: streamRetentionMs, bytesMax: streamBytesMax };
    },
  });
  const keyed = new KeyedCalls(
    {
      ...common,
      folder: path.join(journalFolder, "idempotency"),
      random: parts.random.fork("idempotency"),
      bounds: () => {
        const { idempotencyMs, idempotencyBytesMax } = settings();
        return { retentionMs: idempotencyMs, bytesMax: idempotencyBytesMax };
      },
    },
    streams,
  );
  const cache = new ResponseCache(() => settings().cacheBytesMax);
  return { streams, keyed, cache };
}
