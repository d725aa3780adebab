/** The queries of one source, a few at once, each with the file that its answer is kept as. */

import { collectParts } from "./collect-parts.ts";
import { type HttpSource, isOfWholeSystem } from "./http-source.ts";
import type { Collecting } from "./live-source.ts";

export interface NamedQuery {
  readonly query: string;
  /** Of the file that its answer is kept as. */
  readonly name: string;
}

/** How the queries of a source are asked. */
export interface QueryPlan {
  /** What their answers hold, in the names of files. */
  readonly holds: string;
  readonly atOnce: number;
  /** What one query may take, as a share of the source's own time. */
  readonly timeShare: number;
  collect(http: HttpSource, query: NamedQuery, within: Collecting): Promise<void>;
}

/** Asks `http` each query, in the order given. */
export async function collectQueries(
  http: HttpSource,
  { queries, plan }: { readonly queries: readonly string[]; readonly plan: QueryPlan },
  collecting: Collecting,
): Promise<void> {
  const named = queries.map((query, index) => ({
    query,
    name: `${http.fileName}-${plan.holds}-${index + 1}.json`,
  }));
  await collectParts(
    named,
    {
      atOnce: plan.atOnce,
      timeShare: plan.timeShare,
      isOfAll: isOfWholeSystem,
      nameOf: ({ query }: NamedQuery) => query,
      collect: async (one: NamedQuery, within: Collecting) => plan.collect(http, one, within),
    },
    collecting,
  );
}
