/** What one worker shows of the replies that it keeps. */

import type { GatewayState } from "./gateway-state.ts";
import type { MetricData } from "./gateway-metrics.ts";

const prefix = "faultline_gateway_";
const msPerSecond = 1_000;

/** The metrics of durable streams, of calls with a key, and of their journals. */
export function readKeptMetrics({ streams, keyed }: GatewayState): MetricData[] {
  const lagMs = Math.max(streams.lagMs, keyed.lagMs);
  return [
    gauge("durable_streams_open", "Durable streams under way.", streams.openCount),
    gauge("stream_readers", "Connections that read durable streams.", streams.followerCount),
    gauge("stream_journal_bytes", "Disk that durable streams take.", streams.bytes),
    gauge("idempotency_keys", "Idempotency keys that are remembered.", keyed.keyCount),
    gauge("idempotency_journal_bytes", "Disk that replies of keyed calls take.", keyed.bytes),
    {
      name: `${prefix}idempotency_total`,
      help: "Calls with an Idempotency-Key by what they got.",
      type: "counter",
      aggregator: "sum",
      values: Object.entries(keyed.counts).map(([outcome, value]) => ({
        labels: { outcome },
        value,
      })),
    },
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

function gauge(name: string, help: string, value: number): MetricData {
  const values = [{ labels: {}, value }];
  return { name: `${prefix}${name}`, help, type: "gauge", aggregator: "sum", values };
}
