/** Metrics of telemetry: what was written, what was turned away, and how near the queue and the store are to their limits. */

import { Counter, Gauge, type Registry } from "prom-client";

import { telemetryLimits } from "./limits.ts";
import type { Telemetry } from "./telemetry.ts";

type Source = Pick<Telemetry, "counts" | "sizeBytesMax">;

/** Registers metrics that look at the store whenever they are collected. */
export function registerTelemetryMetrics(registry: Registry, telemetry: Source): void {
  registerCounts([registry], telemetry);
  registerLimits([registry], telemetry);
}

function registerCounts(registers: Registry[], telemetry: Source): void {
  const records = new Counter({
    name: "faultline_telemetry_records_total",
    help: "Spans, log records and data points: `written`, or `repeated` and therefore left out.",
    labelNames: ["outcome"],
    registers,
    collect() {
      const { rowCount, repeatedCount } = telemetry.counts;
      records.reset();
      records.inc({ outcome: "written" }, rowCount);
      records.inc({ outcome: "repeated" }, repeatedCount);
    },
  });
  const refused: Counter = new Counter({
    name: "faultline_telemetry_requests_refused_total",
    help: "Requests that were turned away because too many records waited.",
    registers,
    collect() {
      refused.reset();
      refused.inc(telemetry.counts.refusedCount);
    },
  });
  const commits: Counter = new Counter({
    name: "faultline_telemetry_commits_total",
    help: "Commits; requests that come together share one.",
    registers,
    collect() {
      commits.reset();
      commits.inc(telemetry.counts.commitCount);
    },
  });
}

function registerLimits(registers: Registry[], telemetry: Source): void {
  const queue = new Gauge({
    name: "faultline_telemetry_queue_records",
    help: "Records that wait for a commit, and the most that may.",
    labelNames: ["state"],
    registers,
    collect() {
      queue.set({ state: "waiting" }, telemetry.counts.waitingRowCount);
      queue.set({ state: "limit" }, telemetryLimits.queueRowCountMax);
    },
  });
  const size = new Gauge({
    name: "faultline_telemetry_bytes",
    help: "Bytes of telemetry on disk as of the last upkeep, and the size cap.",
    labelNames: ["state"],
    registers,
    collect() {
      size.set({ state: "used" }, telemetry.counts.bytes);
      size.set({ state: "limit" }, telemetry.sizeBytesMax);
    },
  });
}
