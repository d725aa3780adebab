/** Traces of Tempo: a search for those that failed and for any, then each by its id, a few at once. */

import { collectParts } from "./collect-parts.ts";
import { type HttpSource, isOfWholeSystem } from "./http-source.ts";
import { fieldOf, itemsOf } from "./json-fields.ts";
import { type Collecting, liveLimits, type LiveSource } from "./live-source.ts";

/** Failures first, so that they are there when the bound cuts the rest. */
const searches = ["{ status = error }", "{ }"] as const;

export function tempoSource(http: HttpSource): LiveSource {
  return {
    name: `tempo at ${http.address}`,
    async collect(collecting) {
      const ids = await findTraces(http, collecting);
      const plan = {
        atOnce: liveLimits.partsAtOnce,
        timeShare: 1 / 8,
        nameOf: (id: string) => `trace ${id}`,
        async collect(id: string, within: Collecting) {
          const bytes = await http.get(`/api/traces/${id}`, {}, within.signal);
          within.keep({ name: `${http.fileName}-trace-${id}.json`, bytes });
        },
      };
      await collectParts(ids, plan, collecting);
    },
  };
}

/** A search that cannot be answered takes nothing from the other. */
async function findTraces(http: HttpSource, collecting: Collecting): Promise<readonly string[]> {
  const { window } = collecting;
  const found = new Map<string, readonly unknown[]>();
  const plan = {
    atOnce: searches.length,
    timeShare: 1 / 2,
    isOfAll: isOfWholeSystem,
    nameOf: (search: string) => `the search for ${search}`,
    async collect(search: string, { signal }: Collecting) {
      const query = {
        q: search,
        start: String(Math.floor(window.fromMs / 1_000)),
        end: String(Math.ceil(window.toMs / 1_000)),
        limit: String(liveLimits.traceCountMax),
      };
      const answer = await http.getJson("/api/search", query, signal);
      found.set(search, itemsOf(fieldOf(answer, "traces")));
    },
  };
  await collectParts(searches, plan, collecting);
  const ids = searches
    .flatMap((search) => found.get(search) ?? [])
    .map((trace) => fieldOf(trace, "traceID"))
    .filter((id): id is string => typeof id === "string" && /^[0-9a-f]{1,32}$/i.test(id));
  return [...new Set(ids)].slice(0, liveLimits.traceCountMax);
}
