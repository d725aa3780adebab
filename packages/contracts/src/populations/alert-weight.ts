/** How well a service that departs fits what was noticed: another service is noticed by what it gets from the origin. */

import { type CallGraph, isReached } from "./call-graph.ts";
import type { IncidentMoments } from "./incident-moment.ts";
import { depthOf, type RankedService } from "./service-order.ts";

/** A service that the noticed one does not call, over others either, counts so much. */
const unreachedWeight = 0.5;
/** One that departs in other kinds of metrics than those by which it was noticed counts so much. */
const otherSignalWeight = 0.6;
/** Share of its deepest departure that a departure of the noticed kind must have. */
const sameSignalShareMin = 0.7;

/** The weight of candidates that nothing proves, from 0 to 1; 1 where nothing was noticed of any service. */
export function alertWeightOf(
  { name, series }: RankedService,
  { alertedServices, alertedSignals }: IncidentMoments,
  graph: CallGraph,
): number {
  const noticed = [...alertedServices].filter((service) => graph.has(service));
  const isNear =
    noticed.length === 0 ||
    noticed.some((service) => service === name || isReached(graph, service, name));
  const [deepest] = series;
  const least = deepest === undefined ? 0 : sameSignalShareMin * depthOf(deepest);
  const isSame =
    alertedSignals.size === 0 ||
    series.some((item) => alertedSignals.has(item.series.signal) && depthOf(item) >= least);
  return (isNear ? 1 : unreachedWeight) * (isSame ? 1 : otherSignalWeight);
}
