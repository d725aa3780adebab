/** The state of connection pools over time, as metrics record it. */

import type { EvidenceReference, MetricSeries } from "../model/evidence.ts";
import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import { shorten } from "../text/cut-text.ts";
import { labelledName } from "../text/labelled-name.ts";

type Role = "used" | "max" | "pending" | "timeouts" | "wait-seconds";

/** One pool of one service, with the series that tell of it. */
export interface PoolSeries {
  readonly service: string;
  readonly pool: string | undefined;
  readonly series: ReadonlyMap<Role, readonly SeriesSeen[]>;
}

interface SeriesSeen {
  readonly series: MetricSeries;
  readonly reference: EvidenceReference;
}

/** How full a pool was. */
export interface PoolLoad {
  readonly usedMax: number;
  readonly sizeMax: number;
  readonly sizeMin: number;
  /** Moments at which every connection was in use. */
  readonly fullCount: number;
  readonly momentCount: number;
  readonly pendingMax: number | undefined;
  readonly timeoutCount: number | undefined;
  readonly waitSecondsMax: number | undefined;
  readonly evidence: readonly EvidenceReference[];
}

/** The pools that metrics tell of, in the order of their services and names. */
export function poolSeriesOf(snapshot: Snapshot): PoolSeries[] {
  const pools = new Map<
    string,
    { service: string; pool: string | undefined; series: Map<Role, SeriesSeen[]> }
  >();
  for (const { id, content } of evidenceOfKind(snapshot, "metrics")) {
    for (const series of content.series) {
      const role = roleOf(series);
      if (role === undefined) continue;
      const { labels } = series;
      const service =
        labels["service"] ??
        labels["service.name"] ??
        labels["service_name"] ??
        labels["job"] ??
        labels["app"] ??
        "unknown_service";
      const pool =
        labels["db.client.connection.pool.name"] ??
        labels["db_client_connection_pool_name"] ??
        labels["pool.name"] ??
        labels["pool_name"] ??
        labels["pool"];
      const key = `${service}\n${pool ?? ""}`;
      const known = pools.get(key) ?? { service, pool, series: new Map<Role, SeriesSeen[]>() };
      pools.set(key, known);
      const seen = {
        series,
        reference: { evidenceId: id, locator: shorten(labelledName(series), 1_024) },
      };
      const list = known.series.get(role);
      if (list === undefined) known.series.set(role, [seen]);
      else list.push(seen);
    }
  }
  return [...pools].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, pool]) => pool);
}

const roles: readonly (readonly [RegExp, Role])[] = [
  [
    /^(?:db_client_connections?_(?:pending_requests|pending)|hikaricp_connections_pending|\w*pool_(?:pending|waiting|waiters|wait_queue\w*|queue_length)|pgbouncer_pools_client_waiting_connections|pgxpool_empty_acquire|agroal_awaiting_count)$/,
    "pending",
  ],
  [
    /^(?:db_client_connections?_timeouts|hikaricp_connections_timeout|\w*pool_(?:timeouts?|acquire_timeouts?|exhausted))$/,
    "timeouts",
  ],
  [
    /^(?:db_client_connections?_wait_time|\w*pool_wait_(?:seconds|duration|time)(?:_p\d+|_max|_avg)?|\w*pool_acquire_(?:seconds|duration)(?:_p\d+|_max)?|hikaricp_connections_acquire_(?:seconds_)?max)$/,
    "wait-seconds",
  ],
  [
    /^(?:db_client_connections?_max|hikaricp_connections_max|\w*pool_(?:max\w*|size_max|capacity|limit)|go_sql_(?:stats_)?(?:connections_)?max_open(?:_connections)?|jdbc_connections_max|tomcat_jdbc_connections_max|pgxpool_max_conns|agroal_max_size)$/,
    "max",
  ],
  [
    /^(?:db_client_connections?_(?:usage|count|used)|hikaricp_connections_active|\w*pool_(?:in_use|used|active\w*|checked_?out|busy|acquired\w*)|go_sql_(?:stats_)?(?:connections_)?in_use(?:_connections)?|jdbc_connections_active|tomcat_jdbc_connections_active|pgxpool_acquired_conns|agroal_active_count)$/,
    "used",
  ],
];

function roleOf({ name, labels }: MetricSeries): Role | undefined {
  const plain = name
    .toLowerCase()
    .replace(/[.-]/g, "_")
    .replace(/_total$/, "");
  if (!/pool|conn|go_sql|agroal/.test(plain)) return undefined;
  const role = roles.find(([pattern]) => pattern.test(plain))?.[1];
  const state =
    labels["state"] ?? labels["db.client.connection.state"] ?? labels["db_client_connection_state"];
  return role === "used" && state !== undefined && state !== "used" ? undefined : role;
}

/** The load of a pool; `undefined` when its size or its use is not recorded. */
export function loadOf({ series }: PoolSeries): PoolLoad | undefined {
  const used = series.get("used") ?? [];
  const sizes = series.get("max") ?? [];
  const sizeAt = stepsOf(sizes);
  const moments = momentsOf(used);
  if (sizes.length === 0 || moments.size === 0) return undefined;
  let [usedMax, sizeMax, sizeMin, fullCount] = [0, 0, Number.POSITIVE_INFINITY, 0];
  for (const [time, value] of moments) {
    const size = sizeAt(time);
    if (size === undefined || size <= 0) continue;
    usedMax = Math.max(usedMax, value);
    sizeMax = Math.max(sizeMax, size);
    sizeMin = Math.min(sizeMin, size);
    if (value >= size) fullCount += 1;
  }
  if (sizeMax === 0) return undefined;
  const wait = largestOf(series.get("wait-seconds"));
  return {
    usedMax,
    sizeMax,
    sizeMin,
    fullCount,
    momentCount: moments.size,
    pendingMax: largestOf(series.get("pending")),
    timeoutCount: growthOf(series.get("timeouts")),
    waitSecondsMax: wait,
    evidence: [...series.values()].flat().map(({ reference }) => reference),
  };
}

/** Values by time, those of several instances at one moment added up only where each has its own size. */
function momentsOf(list: readonly SeriesSeen[]): Map<number, number> {
  const moments = new Map<number, number>();
  for (const { series } of list) {
    for (const [at, value] of series.values.entries()) {
      const time = series.timesMicros[at] ?? 0;
      moments.set(time, Math.max(moments.get(time) ?? 0, value));
    }
  }
  return moments;
}

/** The size at a time: the last one that was recorded before it, else the first. */
function stepsOf(list: readonly SeriesSeen[]): (time: number) => number | undefined {
  const steps = [...momentsOf(list)].sort(([left], [right]) => left - right);
  return (time) => {
    let size = steps[0]?.[1];
    for (const [at, value] of steps) {
      if (at > time) break;
      size = value;
    }
    return size;
  };
}

function largestOf(list: readonly SeriesSeen[] | undefined): number | undefined {
  if (list === undefined) return undefined;
  return list.reduce(
    (most, { series }) => series.values.reduce((large, value) => Math.max(large, value), most),
    0,
  );
}

/** How much counters grew; what fell began anew. */
function growthOf(list: readonly SeriesSeen[] | undefined): number | undefined {
  if (list === undefined) return undefined;
  let growth = 0;
  for (const { series } of list) {
    for (const [at, value] of series.values.entries()) {
      const before = series.values[at - 1];
      if (before !== undefined) growth += value >= before ? value - before : value;
    }
  }
  return growth;
}
