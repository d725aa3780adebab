/** Traces of Tempo: a search for those that failed and for any, then each by its id. */

import type { HttpSource } from "./http-source.ts";
import { fieldOf, itemsOf } from "./json-fields.ts";
import {
  type Collecting,
  liveLimits,
  type LiveSource,
  reasonOf,
  SourceFull,
} from "./live-source.ts";

/** Failures first, so that they are there when the bound cuts the rest. */
const searches = ["{ status = error }", "{ }"] as const;

export function tempoSource(http: HttpSource): LiveSource {
  return {
    name: `tempo at ${http.address}`,
    async collect(collecting) {
      const ids = await findTraces(http, collecting);
      for (const id of ids) {
        try {
          const bytes = await http.get(`/api/traces/${id}`, {}, collecting.signal);
          collecting.keep({ name: `${http.fileName}-trace-${id}.json`, bytes });
        } catch (error) {
          if (collecting.signal.aborted || error instanceof SourceFull) throw error;
          collecting.miss(`trace ${id}`, reasonOf(error));
        }
      }
    },
  };
}

async function findTraces(http: HttpSource, collecting: Collecting): Promise<ReadonlySet<string>> {
  const { window, signal } = collecting;
  const ids = new Set<string>();
  for (const search of searches) {
    const answer = await http.getJson(
      "/api/search",
      {
        q: search,
        start: String(Math.floor(window.fromMs / 1_000)),
        end: String(Math.ceil(window.toMs / 1_000)),
        limit: String(liveLimits.traceCountMax),
      },
      signal,
    );
    for (const trace of itemsOf(fieldOf(answer, "traces"))) {
      const id = fieldOf(trace, "traceID");
      if (typeof id !== "string" || !/^[0-9a-f]{1,32}$/i.test(id)) continue;
      if (ids.size < liveLimits.traceCountMax) ids.add(id);
    }
  }
  return ids;
}
