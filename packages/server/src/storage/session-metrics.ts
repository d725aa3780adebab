/** Metrics of the store: how near each role's sessions are to their limit. */

import { Gauge, type Registry } from "prom-client";

import type { Store } from "./store.ts";

/** Registers gauges that look at the store whenever they are collected. */
export function registerSessionMetrics(registry: Registry, store: Pick<Store, "sessions">): void {
  const gauge = new Gauge({
    name: "faultline_database_sessions",
    help: "Database sessions by role and state; `limit` is the most that are ever open, `waiting` counts callers.",
    labelNames: ["role", "state"],
    registers: [registry],
    collect() {
      for (const { role, limit, open, idle, waiting } of store.sessions()) {
        gauge.set({ role, state: "limit" }, limit);
        gauge.set({ role, state: "busy" }, open - idle);
        gauge.set({ role, state: "idle" }, idle);
        gauge.set({ role, state: "waiting" }, waiting);
      }
    },
  });
}
