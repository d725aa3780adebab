/** Services that others say in their logs they could not call: edges of the graph of calls, and a hint who fails. */

import type { CallGraph } from "./call-graph.ts";
import type { DeviatingSeries } from "./deviating-series.ts";
import type { LogSeries } from "./log-series.ts";
import type { ObservedSeries } from "./observed-series.ts";

/** Of the lines that depart, the share that must name one service for it to be told of that one as well. */
const namedShareMin = 0.5;

export class LoggedCallees {
  /** The calls that were recorded, and those that failed by what the callers logged. */
  readonly graph: CallGraph;
  readonly #names: ServiceNames;

  constructor(
    failedCalls: LogSeries["failedCalls"],
    series: readonly ObservedSeries[],
    recorded: CallGraph,
  ) {
    if (failedCalls.size === 0) {
      this.#names = new ServiceNames([]);
      this.graph = recorded;
      return;
    }
    this.#names = new ServiceNames([
      ...series.map(({ service }) => service),
      ...recorded.keys(),
      ...[...recorded.values()].flatMap((callees) => [...callees]),
    ]);
    const graph = new Map([...recorded].map(([caller, callees]) => [caller, new Set(callees)]));
    for (const [caller, hosts] of failedCalls)
      for (const host of hosts) {
        const callee = this.#names.of(host);
        if (callee === undefined || callee === caller) continue;
        graph.set(caller, (graph.get(caller) ?? new Set()).add(callee));
      }
    this.graph = graph;
  }

  /**
   * The departures, and those of lines by which a service says that it cannot call one other, told of that one as well: a
   * service that is gone logs nothing itself. What fails to call several may have lost its own network.
   */
  withTold(departures: readonly DeviatingSeries[]): DeviatingSeries[] {
    return departures.flatMap((item) => {
      const callee = this.#calleeOf(item);
      return callee === undefined ? [item] : [item, { ...item, series: told(item.series, callee) }];
    });
  }

  #calleeOf({ series, deviation, onsetMicros }: DeviatingSeries): string | undefined {
    if (series.counted === undefined || series.signal !== "errors") return undefined;
    if (deviation.direction !== "up") return undefined;
    const { lineCount, hosts } = series.counted.failedCallsFrom(onsetMicros);
    const counts = new Map<string, number>();
    for (const [host, count] of hosts) {
      const service = this.#names.of(host);
      if (service !== undefined) counts.set(service, (counts.get(service) ?? 0) + count);
    }
    for (const [service, count] of counts)
      if (service !== series.service && count > namedShareMin * lineCount) return service;
    return undefined;
  }
}

function told(series: ObservedSeries, callee: string): ObservedSeries {
  const { name, origin, signal, timesMicros, values, counted, locator } = series;
  return {
    service: callee,
    name: `${name} of ${series.service === "" ? "a caller" : series.service}`,
    origin,
    signal,
    timesMicros,
    values,
    ...(counted === undefined ? {} : { counted }),
    // Computed only where a finding points at it.
    get evidenceId() {
      return series.evidenceId;
    },
    locator,
  };
}

/** Ends of names that say only that something is a service. */
const plainEnd = /[-_]?(?:service|svc)$/;

/** The services that are known, by the names under which others call them. */
class ServiceNames {
  readonly #byName = new Map<string, string>();
  /** Names without their ends; those that several have name none of them. */
  readonly #byPlain = new Map<string, string | undefined>();

  constructor(services: Iterable<string>) {
    for (const service of new Set(services)) {
      if (service === "") continue;
      const name = service.toLowerCase();
      this.#byName.set(name, service);
      const plain = name.replace(plainEnd, "");
      this.#byPlain.set(plain, this.#byPlain.has(plain) ? undefined : service);
    }
  }

  /** The service that a host is: by its whole name, or by the first word of it, as within a cluster. */
  of(host: string): string | undefined {
    const [first = host] = host.split(".", 1);
    return (
      this.#byName.get(host) ??
      this.#byName.get(first) ??
      this.#byPlain.get(first.replace(plainEnd, ""))
    );
  }
}
