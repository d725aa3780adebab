/** What one worker shows of the replies that it keeps. */

import type { GatewayState } from "../workers/gateway-state.ts";
import type { MetricData } from "./metric-data.ts";

const prefix = "faultline_gateway_";
const msPerSecond = 1_000;

/** The metrics of durable streams, of calls with a key, of their journals, and of the cache. */
export function readKeptMetrics({ streams, keyed, cache, journals }: GatewayState): MetricData[] {
  const lagMs = Math.max(streams.lagMs, keyed.lagMs);
  return [
    gauge("durable_streams_open", "Durable streams under way.", streams.openCount),
    gauge("stream_readers", "Connections that read durable streams.", streams.followerCount),
    gauge("stream_journal_bytes", "Disk that durable streams take.", streams.bytes),
    gauge("idempotency_keys", "Idempotency keys that are remembered.", keyed.keyCount),
    gauge("idempotency_journal_bytes", "Disk that replies of keyed calls take.", keyed.bytes),
    byOutcome("idempotency_total", "Calls with an Idempotency-Key by what they got.", {
      ...keyed.counts,
    }),
    byOutcome("cache_total", "Calls that asked the response cache by what it had.", {
      hit: cache.hitCount,
      miss: cache.missCount,
    }),
    gauge("cache_entries", "Replies in the response cache.", cache.size),
    gauge("cache_bytes", "Memory that the response cache takes.", cache.bytes),
    gauge("journals_failed", "Journals that take no records any more.", journals.failedCount),
    {
      ...gauge(
        "journal_lag_seconds",
        "How long the oldest record of a kept reply waits for the disk.",
        lagMs / msPerSecond,
      ),
      aggregator: "max",
    },
  ];
}

function byOutcome(
  name: string,
  help: string,
  counts: Readonly<Record<string, number>>,
): MetricData {
  const values = Object.entries(counts).map(([outcome, value]) => ({ labels: { outcome }, value }));
  return { name: `${prefix}${name}`, help, type: "counter", aggregator: "sum", values };
}

function gauge(name: string, help: string, value: number): MetricData {
  const values = [{ labels: {}, value }];
  return { name: `${prefix}${name}`, help, type: "gauge", aggregator: "sum", values };
}
