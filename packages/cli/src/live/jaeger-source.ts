/** Traces of Jaeger, by its query API: for each service those that failed, then any; each trace is kept once. */

import { collectParts } from "./collect-parts.ts";
import { type HttpSource, isOfWholeSystem } from "./http-source.ts";
import { fieldOf, itemsOf } from "./json-fields.ts";
import { type Collecting, liveLimits, type LiveSource } from "./live-source.ts";

const searches: readonly Readonly<Record<string, string>>[] = [{ tags: '{"error":"true"}' }, {}];

export function jaegerSource(http: HttpSource): LiveSource {
  return {
    name: `jaeger at ${http.address}`,
    async collect(collecting) {
      const services = await servicesOf(http, collecting);
      const ids = new Set<string>();
      // All that failed come before any other, whatever service answers first.
      for (const search of searches) {
        const plan = {
          atOnce: liveLimits.partsAtOnce,
          timeShare: 1 / 8,
          isOfAll: isOfWholeSystem,
          nameOf: (service: string) => `traces of ${service}`,
          async collect(service: string, within: Collecting) {
            const query = { ...search, ...rangeOf(within, service, services.length) };
            const answer = await http.getJson("/api/traces", query, within.signal);
            keepTraces(answer, { http, ids }, within);
          },
        };
        await collectParts(services, plan, collecting);
      }
    },
  };
}

async function servicesOf(http: HttpSource, collecting: Collecting): Promise<readonly string[]> {
  const answer = await http.getJson("/api/services", {}, collecting.signal);
  const names = itemsOf(fieldOf(answer, "data")).filter((name) => typeof name === "string");
  const left = names.length - liveLimits.serviceCountMax;
  if (left > 0)
    collecting.miss("services", `${left} more than ${liveLimits.serviceCountMax} were left out.`);
  return names.toSorted().slice(0, liveLimits.serviceCountMax);
}

function rangeOf(
  { window }: Collecting,
  service: string,
  serviceCount: number,
): Record<string, string> {
  return {
    service,
    lookback: "custom",
    start: String(Math.floor(window.fromMs * 1_000)),
    end: String(Math.ceil(window.toMs * 1_000)),
    limit: String(Math.max(5, Math.ceil(liveLimits.traceCountMax / serviceCount))),
  };
}

/** A trace through several services comes with each of them. */
function keepTraces(
  answer: unknown,
  { http, ids }: { readonly http: HttpSource; readonly ids: Set<string> },
  collecting: Collecting,
): void {
  for (const trace of itemsOf(fieldOf(answer, "data"))) {
    const id = fieldOf(trace, "traceID");
    if (typeof id !== "string" || ids.has(id) || ids.size >= liveLimits.traceCountMax) continue;
    ids.add(id);
    const bytes = new TextEncoder().encode(JSON.stringify({ data: [trace] }));
    collecting.keep({ name: `${http.fileName}-trace-${id}.json`, bytes });
  }
}
