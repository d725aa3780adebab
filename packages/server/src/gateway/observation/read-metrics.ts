/** Everything that one worker shows. */

import type { GatewayState } from "../workers/gateway-state.ts";
import { readKeptMetrics } from "./kept-metrics.ts";
import type { MetricData } from "./metric-data.ts";
import { readTargetMetrics } from "./target-metrics.ts";

/** The metrics of a worker, as they are now. */
export function readMetrics(state: GatewayState): MetricData[] {
  return [
    ...state.metrics.read(),
    ...state.controlLink.read(),
    ...readKeptMetrics(state),
    ...readTargetMetrics(state.targets),
  ];
}
