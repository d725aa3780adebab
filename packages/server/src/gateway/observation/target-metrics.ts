/** What one worker shows of its targets. Labels are of the catalog and of closed lists, never of callers. */

import type { HealthState } from "../dispatch/target-health.ts";
import type { TargetState } from "../dispatch/target-state.ts";
import type { Targets } from "../dispatch/targets.ts";
import type { MetricData } from "./metric-data.ts";

const prefix = "faultline_gateway_";

/** How far a breaker is from letting everything through. */
const breakerValues: Readonly<Record<HealthState, number>> = { closed: 0, "half-open": 1, open: 2 };

/** The metrics of attempts, places and breakers. */
export function readTargetMetrics(targets: Targets): MetricData[] {
  const states = [...targets.states];
  const each = (name: string, help: string, read: (state: TargetState) => number): MetricData => ({
    name: `${prefix}${name}`,
    help,
    type: name.endsWith("_total") ? "counter" : "gauge",
    aggregator: "sum",
    values: states.map((state) => ({ labels: labelsOf(state), value: read(state) })),
  });
  return [
    each("attempts_total", "Requests sent to a target.", (state) => state.attemptCount),
    each("retries_total", "Attempts with the same target again.", (state) => state.retryCount),
    each(
      "fallbacks_total",
      "Calls that turned to a target after another had failed.",
      (state) => state.fallbackCount,
    ),
    {
      name: `${prefix}attempt_failures_total`,
      help: "Attempts that failed, by reason.",
      type: "counter",
      aggregator: "sum",
      values: states.flatMap((state) =>
        [...state.failureCounts].map(([reason, value]) => ({
          labels: { ...labelsOf(state), reason },
          value,
        })),
      ),
    },
    each(
      "target_open_calls",
      "Calls under way with a target.",
      ({ concurrency }) => concurrency.takenCount,
    ),
    each(
      "target_waiting_calls",
      "Calls that wait for a place with a target.",
      ({ lane }) => lane.length,
    ),
    each(
      "target_concurrency_limit",
      "Calls at once that a target gets.",
      ({ concurrency }) => concurrency.limit,
    ),
    {
      ...each(
        "target_breaker_state",
        "0 lets calls through, 1 probes, 2 lets none through; the worst of all workers.",
        ({ health }) => breakerValues[health.state],
      ),
      aggregator: "max",
    },
  ];
}

function labelsOf({ provider, id }: TargetState): { provider: string; model: string } {
  return { provider, model: id };
}
