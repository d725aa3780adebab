/** Logs of Loki, by its query API: for each query the newest lines of the window. */

import { collectQueries, type NamedQuery } from "./collect-queries.ts";
import type { HttpSource } from "./http-source.ts";
import { fieldOf, itemsOf } from "./json-fields.ts";
import { type Collecting, liveLimits, type LiveSource } from "./live-source.ts";

/** Labels by which collectors name what writes; Loki asks for one that has to be there. */
const labelsTried = ["service_name", "namespace", "app", "job", "container"] as const;
/** What fails comes first, so that it is there when the bound cuts the rest. */
const failing = "|~ `(?i)\\b(error|fatal|panic|exception|warn|critical|timed? ?out|refused)`";
const nanosPerMilli = 1_000_000n;

/** The queries that were asked for; without any, those that fit the labels there are. */
export function lokiSource(http: HttpSource, queries: readonly string[]): LiveSource {
  return {
    name: `loki at ${http.address}`,
    async collect(collecting) {
      const chosen = queries.length > 0 ? queries : await usualQueries(http, collecting);
      const plan = {
        holds: "logs",
        atOnce: liveLimits.partsAtOnce,
        timeShare: 1 / 2,
        collect: collectQuery,
      };
      await collectQueries(http, { queries: chosen, plan }, collecting);
    },
  };
}

async function usualQueries(http: HttpSource, collecting: Collecting): Promise<readonly string[]> {
  const answer = await http.getJson("/loki/api/v1/labels", windowOf(collecting), collecting.signal);
  const labels = new Set(itemsOf(fieldOf(answer, "data")));
  const label = labelsTried.find((name) => labels.has(name));
  if (label === undefined) {
    // A system without a line in the window has no labels either.
    if (labels.size > 0) {
      collecting.miss(
        "lines",
        `It has none of the labels ${labelsTried.join(", ")}; name a query with --loki-query.`,
      );
    }
    return [];
  }
  const all = `{${label}=~".+"}`;
  return [`${all} ${failing}`, all];
}

async function collectQuery(
  http: HttpSource,
  { query, name }: NamedQuery,
  collecting: Collecting,
): Promise<void> {
  const { answer, bytes } = await http.getDocument(
    "/loki/api/v1/query_range",
    {
      query,
      ...windowOf(collecting),
      limit: String(liveLimits.lineCountMax),
      direction: "backward",
    },
    collecting.signal,
  );
  const data = fieldOf(answer, "data");
  const streams = itemsOf(fieldOf(data, "result"));
  const lineCount = streams.reduce<number>(
    (sum, stream) => sum + itemsOf(fieldOf(stream, "values")).length,
    0,
  );
  if (lineCount === 0) return;
  if (fieldOf(data, "resultType") !== "streams") {
    collecting.miss(query, "It does not give lines of a log.");
    return;
  }
  if (lineCount >= liveLimits.lineCountMax) {
    collecting.miss(query, `Only the newest ${liveLimits.lineCountMax} lines were read.`);
  }
  collecting.keep({ name, bytes });
}

function windowOf({ window }: Collecting): { start: string; end: string } {
  return {
    start: String(BigInt(Math.floor(window.fromMs)) * nanosPerMilli),
    end: String(BigInt(Math.ceil(window.toMs)) * nanosPerMilli),
  };
}
