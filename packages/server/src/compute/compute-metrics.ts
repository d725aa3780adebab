/** Metrics of compute: what waits and runs, how long admission takes, how reservations end, and whether the ledger agrees. */

import { Counter, Gauge, type Registry } from "prom-client";

import type { Compute } from "./compute.ts";

type Source = Pick<Compute, "use" | "openCounts">;

/** Registers metrics that look at compute whenever they are collected. */
export function registerComputeMetrics(registry: Registry, compute: Source): void {
  registerReservations([registry], compute);
  registerScheduling([registry], compute);
}

function registerReservations(registers: Registry[], compute: Source): void {
  const open = new Gauge({
    name: "faultline_compute_reservations",
    help: "Open reservations by stage: `waiting`, `reserving` (the ledger is asked), `reserved`, `running`.",
    labelNames: ["stage"],
    registers,
    collect() {
      open.reset();
      for (const [stage, count] of compute.openCounts()) open.set({ stage }, count);
    },
  });
  const ended = new Counter({
    name: "faultline_compute_ended_total",
    help: "Reservations by how they ended: `completed`, `preempted`, `expired`, `silent`, `lost`, `withdrawn`.",
    labelNames: ["end"],
    registers,
    collect() {
      ended.reset();
      for (const [end, count] of compute.use().counts.ended) ended.inc({ end }, count);
    },
  });
  const differences: Gauge = new Gauge({
    name: "faultline_compute_differences",
    help: "Holds without work and work without a hold, as the latest comparison with the ledger found them.",
    registers,
    collect() {
      differences.set(compute.use().differenceCount);
    },
  });
}

function registerScheduling(registers: Registry[], compute: Source): void {
  const admitted: Counter = new Counter({
    name: "faultline_compute_admitted_total",
    help: "Jobs that were admitted.",
    registers,
    collect() {
      admitted.reset();
      admitted.inc(compute.use().counts.admitted);
    },
  });
  const waited: Counter = new Counter({
    name: "faultline_compute_wait_seconds_total",
    help: "Time from a job's request to its admission, over all jobs that were admitted.",
    registers,
    collect() {
      waited.reset();
      waited.inc(compute.use().counts.waitMsSum / 1_000);
    },
  });
  const passes: Counter = new Counter({
    name: "faultline_compute_passes_total",
    help: "Looks of the scheduler at all reservations.",
    registers,
    collect() {
      passes.reset();
      passes.inc(compute.use().passCount);
    },
  });
  const seconds: Counter = new Counter({
    name: "faultline_compute_pass_seconds_total",
    help: "What those looks took, with the ledger's answers.",
    registers,
    collect() {
      seconds.reset();
      seconds.inc(compute.use().passMsSum / 1_000);
    },
  });
  const devices = new Gauge({
    name: "faultline_compute_devices",
    help: "Devices of the configured nodes, and those of them that are free.",
    labelNames: ["state"],
    registers,
    collect() {
      const { deviceCount, freeDeviceCount } = compute.use();
      devices.set({ state: "all" }, deviceCount);
      devices.set({ state: "free" }, freeDeviceCount);
    },
  });
}
