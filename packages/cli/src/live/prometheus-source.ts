/** Metrics of Prometheus, or of what speaks its query API: a bounded set of series over the window. */

import { collectQueries, type NamedQuery } from "./collect-queries.ts";
import type { HttpSource } from "./http-source.ts";
import { fieldOf, itemsOf } from "./json-fields.ts";
import {
  type Collecting,
  liveLimits,
  type LiveSource,
  type LiveWindow,
  reasonOf,
} from "./live-source.ts";

const stepSecondsMin = 15;
/** Queries over many series are work for a Prometheus that others need as well. */
const queriesAtOnce = 2;

/** What is asked for unless a person says what: what contracts about resources, requests and pods look at. */
export const defaultQueries: readonly string[] = [
  "up",
  '{__name__=~"go_goroutines|go_memstats_heap_(inuse|alloc)_bytes|process_(open|max)_fds|process_resident_memory_bytes|process_cpu_seconds_total"}',
  '{__name__=~"go_gc_duration_seconds_(sum|count)|go_cpu_classes_(gc_)?total_cpu_seconds_total|go_memstats_alloc_bytes_total|jvm_gc_(pause|collection|duration)_seconds_(sum|count)|jvm_gc_live_data_size_bytes|nodejs_gc_duration_seconds_(sum|count)|dotnet_gc_pause_time_seconds_total"}',
  '{__name__=~"db_client_connections?_(create|use)_time.*_count|hikaricp_connections_(creation|usage)_seconds_count|envoy_cluster_upstream_(cx_total|rq_completed)|redis_(connections_received|commands_processed)_total"}',
  '{__name__=~"http_(server_)?requests?_total|http_(server|client)?_?request_duration_seconds_(count|sum)|grpc_server_handled_total"}',
  '{__name__=~"gen_ai_.*_(count|sum)"}',
  '{__name__=~"kube_pod_container_status_restarts_total|container_memory_working_set_bytes|container_cpu_usage_seconds_total|container_cpu_cfs_throttled_periods_total"}',
];

export function prometheusSource(http: HttpSource, queries: readonly string[]): LiveSource {
  return {
    name: `prometheus at ${http.address}`,
    async collect(collecting) {
      const plan = {
        holds: "query",
        atOnce: queriesAtOnce,
        timeShare: 1 / 4,
        collect: collectQuery,
      };
      await collectQueries(http, { queries, plan }, collecting);
    },
  };
}

async function collectQuery(
  http: HttpSource,
  { query, name }: NamedQuery,
  collecting: Collecting,
): Promise<void> {
  const { window, signal } = collecting;
  const range = rangeOf(query, window);
  const { answer, bytes } = await http.getDocument("/api/v1/query_range", range, signal);
  for (const warning of itemsOf(fieldOf(answer, "warnings"))) {
    collecting.miss(query, `It answered in part: ${reasonOf(warning)}`);
  }
  const series = itemsOf(fieldOf(fieldOf(answer, "data"), "result"));
  // A system that has none of these series has nothing to say about them.
  if (series.length === 0) return;
  if (series.length >= liveLimits.seriesCountMax) {
    collecting.miss(
      query,
      `There are ${liveLimits.seriesCountMax} series or more; narrow it with --prometheus-query.`,
    );
  }
  collecting.keep({ name, bytes });
}

function rangeOf(query: string, { fromMs, toMs }: LiveWindow): Record<string, string> {
  const seconds = Math.ceil((toMs - fromMs) / 1_000);
  const step = Math.max(stepSecondsMin, Math.ceil(seconds / liveLimits.pointCountMax));
  return {
    query,
    start: (fromMs / 1_000).toFixed(3),
    end: (toMs / 1_000).toFixed(3),
    step: String(step),
    limit: String(liveLimits.seriesCountMax),
  };
}
