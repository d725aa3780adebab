/** Simulates services that call each other, with load, noise and one fault, for tests of localisation. */

import type { MetricSeries } from "../model/evidence.ts";
import { normal, seeded } from "./incident-maker.ts";

export type Fault = "cpu" | "memory" | "disk" | "socket" | "delay" | "loss" | "code" | "none";

export interface SimulatedIncident {
  readonly series: readonly MetricSeries[];
  readonly calls: readonly { readonly from: string; readonly to: string }[];
  readonly beganMicros: number;
  readonly rootService: string;
}

/** A shop: who calls whom, callers first; the last ones are stores, of which only resources are measured. */
const calls: readonly (readonly [string, string])[] = [
  ["frontend", "cart"],
  ["frontend", "catalog"],
  ["frontend", "recommendation"],
  ["frontend", "checkout"],
  ["frontend", "ads"],
  ["recommendation", "catalog"],
  ["checkout", "cart"],
  ["checkout", "payment"],
  ["checkout", "shipping"],
  ["checkout", "email"],
  ["checkout", "catalog"],
  ["cart", "redis"],
  ["catalog", "catalog-db"],
  ["payment", "payment-db"],
];
const services = [...new Set(calls.flat())];
const stores = new Set(["redis", "catalog-db", "payment-db"]);

/** Services that faults are put into. */
export const faultyServices = ["cart", "catalog", "checkout", "recommendation", "payment"] as const;

const startMicros = 1.7e15;

interface Plan {
  readonly seed: number;
  readonly fault: Fault;
  readonly rootService: string;
  readonly pointCount?: number;
  /** More load comes from outside at the moment, with or without a fault. */
  readonly loadGrowth?: number;
}

/** Series of each service over the time before and after the moment in the middle. */
export function simulateIncident(plan: Plan): SimulatedIncident {
  const { seed, fault, rootService, pointCount = 600, loadGrowth = 1 } = plan;
  const next = seeded(seed * 7_919 + 13);
  const onset = Math.floor(pointCount / 2);
  const phase = next() * 6;
  const strength = 0.5 + next();
  const load = Array.from({ length: pointCount }, (_, at) => {
    const season = 1 + 0.25 * Math.sin(phase + (at / pointCount) * 5);
    return season * (at >= onset ? loadGrowth : 1) * (1 + 0.08 * normal(next));
  });
  const isFaulty = (at: number): boolean => at >= onset;
  const series = services.flatMap((service) => {
    const distance = fault === "none" ? Infinity : distanceOf(service, rootService);
    return seriesOf({ service, distance, fault, strength, load, isFaulty, next });
  });
  return {
    series,
    calls: calls.map(([from, to]) => ({ from, to })),
    beganMicros: startMicros + onset * 1e6,
    rootService,
  };
}

/** Calls between a service and the root; infinite where it does not call it, over others either. */
function distanceOf(service: string, root: string): number {
  if (service === root) return 0;
  const below = calls.filter(([from]) => from === service).map(([, to]) => distanceOf(to, root));
  return 1 + Math.min(Infinity, ...below);
}

interface ServicePlan {
  readonly service: string;
  readonly distance: number;
  readonly fault: Fault;
  readonly strength: number;
  readonly load: readonly number[];
  readonly isFaulty: (at: number) => boolean;
  readonly next: () => number;
}

/** How the fault changes what is measured of the service itself, as factors and additions of usual levels. */
const ownEffects: Readonly<Record<Fault, Readonly<Record<string, number>>>> = {
  cpu: { cpu: 4, "latency-90": 2.5, "latency-50": 1 },
  memory: { mem: 2.5, "latency-90": 0.8, cpu: 0.3 },
  disk: { diskio: 8, cpu: 0.6, "latency-90": 0.6 },
  socket: { socket: 5, "latency-90": 0.8 },
  delay: { "latency-90": 8, "latency-50": 5, cpu: -0.25 },
  loss: { "latency-90": 4, error: 3, workload: -0.2 },
  code: { error: 12, "latency-50": 0.3 },
  none: {},
};

function seriesOf(plan: ServicePlan): MetricSeries[] {
  const { service, next } = plan;
  const metrics: readonly (readonly [metric: string, level: number, followsLoad: number])[] = [
    ["cpu", 0.05 + next() * 0.2, 0.9],
    ["mem", 5e7 * (1 + next()), 0.02],
    ["diskio", next() < 0.4 && plan.distance > 0 ? 0 : 2e4 * (0.1 + next()), 0.3],
    ["socket", 5 + Math.floor(next() * 20), 0.2],
    ...(stores.has(service)
      ? []
      : ([
          ["workload", 20 + next() * 50, 1],
          ["error", next() < 0.5 ? 0 : 0.05, 0],
          ["latency-50", 0.005 + next() * 0.02, 0.15],
          ["latency-90", 0.02 + next() * 0.08, 0.25],
        ] as const)),
  ];
  return metrics.map(([metric, level, followsLoad]) =>
    madeSeries(plan, { metric, level, followsLoad }),
  );
}

interface MetricPlan {
  readonly metric: string;
  readonly level: number;
  readonly followsLoad: number;
}

/** Noise is correlated in time, its tails are long for latencies, and points are missing here and there. */
function madeSeries(plan: ServicePlan, { metric, level, followsLoad }: MetricPlan): MetricSeries {
  const { service, load, isFaulty, next } = plan;
  const correlation = 0.5 * next();
  const spread = metric === "mem" ? 0.01 : metric.startsWith("latency") ? 0.15 : 0.08;
  const timesMicros: number[] = [];
  const values: number[] = [];
  let wander = 0;
  for (const [at, share] of load.entries()) {
    wander = correlation * wander + Math.sqrt(1 - correlation ** 2) * normal(next);
    const isSpike = next() < (metric.startsWith("latency") || metric === "cpu" ? 0.01 : 0.002);
    if (next() < 0.02) continue;
    const effect = isFaulty(at) ? effectOf(plan, metric) : 0;
    const base = level * (1 + followsLoad * (share - 1)) * (1 + spread * wander);
    const value = base * (isSpike ? 1.5 + 2 * next() : 1) * (1 + effect);
    timesMicros.push(startMicros + at * 1e6);
    values.push(metric === "error" ? errorsOf(plan, at, level) : Math.max(0, value));
  }
  return { name: `${service}_${metric}`, labels: {}, type: "unknown", timesMicros, values };
}

/** What a fault does to this service: its own effect, and to its callers less of slowness and failure with each call. */
function effectOf({ distance, fault, strength }: ServicePlan, metric: string): number {
  const own = ownEffects[fault][metric] ?? 0;
  if (distance === 0) return own * strength;
  if (distance === Infinity) return metric === "workload" && fault !== "none" ? -0.1 : 0;
  const isPassedOn = metric.startsWith("latency");
  return isPassedOn ? own * strength * 0.5 ** distance : 0;
}

function errorsOf(plan: ServicePlan, at: number, level: number): number {
  const { distance, fault, strength, isFaulty, next } = plan;
  const own = isFaulty(at) && distance < Infinity ? (ownEffects[fault]["error"] ?? 0) : 0;
  const rate = level + own * strength * 0.6 ** distance * 0.5;
  return Array.from({ length: 4 }, () => (next() < rate / 4 ? 1 : 0)).reduce(
    (sum: number, count) => sum + count,
    0,
  );
}
