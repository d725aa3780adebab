/** When an incident began, as far as evidence beside the metrics says so. */

import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import { type Signal, signalOf } from "./signal.ts";

export interface IncidentMoments {
  /** The moment itself, as of a fault that was injected. */
  readonly beganMicros: number | undefined;
  /** Somebody noticed it then. */
  readonly alertedMicros: number | undefined;
  /** Services that were noticed, and by what kind of metric. */
  readonly alertedServices: ReadonlySet<string>;
  readonly alertedSignals: ReadonlySet<Signal>;
  /** Those metrics by name, with the statistic of it that was looked at where it is told. */
  readonly alertedMetrics: readonly string[];
}

/** The earliest moments that are told. */
export function incidentMomentsOf(snapshot: Snapshot): IncidentMoments {
  const incidents = evidenceOfKind(snapshot, "incident").map(({ content }) => content);
  const alerts = incidents.flatMap((content) => content.alerts);
  return {
    beganMicros: earliestOf(incidents.map(({ beganMicros }) => beganMicros)),
    alertedMicros: earliestOf(alerts.map(({ timeMicros }) => timeMicros)),
    alertedServices: new Set(alerts.flatMap(({ service }) => service ?? [])),
    alertedMetrics: [...new Set(alerts.flatMap(({ metric }) => metric ?? []))],
    alertedSignals: new Set(
      alerts.map(({ metric }) => signalOf(metric ?? "")).filter((signal) => signal !== "other"),
    ),
  };
}

function earliestOf(moments: readonly (number | undefined)[]): number | undefined {
  const known = moments.flatMap((moment) => (moment === undefined ? [] : [moment]));
  return known.length === 0 ? undefined : known.reduce((left, right) => Math.min(left, right));
}
