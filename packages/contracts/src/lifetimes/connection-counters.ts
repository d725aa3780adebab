/** Counters of connections that were opened, beside counters of what they were used for. */

import type { EvidenceReference, MetricSeries } from "../model/evidence.ts";
import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import { shorten } from "../text/cut-text.ts";
import { labelledName, sortedLabels } from "../text/labelled-name.ts";

/** Two counters whose quotient tells how long connections are kept. */
interface CounterPair {
  readonly opened: RegExp;
  readonly used: RegExp;
  /** What is used, in the plural. */
  readonly uses: string;
  /**
   * Openings for each use at which none is kept: less than one where a client greets before it asks. Counted at the
   * server, they do not tell who opens.
   */
  readonly shareOpenMin: number;
  readonly isOfServer: boolean;
}

const pairs: readonly CounterPair[] = [
  {
    opened: /^db[._]client[._]connections?[._]create_time(?:_[a-z]+)?_count$/,
    used: /^db[._]client[._]connections?[._]use_time(?:_[a-z]+)?_count$/,
    uses: "uses",
    shareOpenMin: 0.9,
    isOfServer: false,
  },
  {
    opened: /^hikaricp_connections_creation(?:_seconds)?_count$/,
    used: /^hikaricp_connections_usage(?:_seconds)?_count$/,
    uses: "uses",
    shareOpenMin: 0.9,
    isOfServer: false,
  },
  {
    opened: /^http[._]client[._]connection[._]duration(?:_seconds)?_count$/,
    used: /^http[._]client[._]request[._]duration(?:_seconds)?_count$/,
    uses: "requests",
    shareOpenMin: 0.9,
    isOfServer: false,
  },
  {
    opened: /^envoy_cluster_upstream_cx_total$/,
    // Of what Envoy only passes on as TCP, each connection counts as a request, and none as completed.
    used: /^envoy_cluster_upstream_rq_completed$/,
    uses: "requests",
    shareOpenMin: 0.9,
    isOfServer: false,
  },
  {
    opened: /^redis_connections_received_total$/,
    used: /^redis_commands_processed_total$/,
    uses: "commands",
    shareOpenMin: 0.15,
    isOfServer: true,
  },
  {
    opened: /^mysql_global_status_connections(?:_total)?$/,
    used: /^mysql_global_status_(?:questions|queries)(?:_total)?$/,
    uses: "statements",
    shareOpenMin: 0.15,
    isOfServer: true,
  },
  {
    opened: /^pg_stat_database_sessions(?:_total)?$/,
    used: /^pg_stat_database_xact_commit(?:_total)?$/,
    uses: "transactions",
    shareOpenMin: 0.8,
    isOfServer: true,
  },
];

/** How often connections were opened and used in one third of the time, or since the process began. */
interface CountedPart {
  readonly openedCount: number;
  readonly usedCount: number;
}

export interface CountedConnections {
  readonly name: string;
  readonly uses: string;
  readonly shareOpenMin: number;
  readonly isOfServer: boolean;
  readonly parts: readonly CountedPart[];
  /** Of all parts; absent where the counters were read once. */
  readonly durationSeconds: number | undefined;
  readonly references: readonly EvidenceReference[];
}

/** Labels that tell one process and pool from another; the rest tells apart what is asked. */
const subjectLabels =
  /^(?:service|service[._]name|job|app|instance|service[._]instance[._]id|pod|k8s[._]pod[._]name|pool|pool[._]name|db[._]client[._]connection[._]pool[._]name|server[._]address|server[._]port|envoy_cluster_name|datname)$/;
const seriesCountMax = 20_000;
const partCount = 3;

/** All that a snapshot's metrics count. */
export function countedConnectionsOf(snapshot: Snapshot): CountedConnections[] {
  const found: CountedConnections[] = [];
  for (const { id, content } of evidenceOfKind(snapshot, "metrics")) {
    for (const pair of pairs) {
      const opened = content.series.filter(({ name }) => pair.opened.test(name));
      if (opened.length === 0 || opened.length > seriesCountMax) continue;
      const used = content.series.filter(({ name }) => pair.used.test(name));
      const uses = Map.groupBy(used, subjectOf);
      for (const [subject, list] of Map.groupBy(opened, subjectOf)) {
        const counted = countOf(list, uses.get(subject) ?? []);
        if (counted === undefined) continue;
        const [name = ""] = list.map((series) => series.name);
        found.push({
          ...counted,
          name: subject === "" ? name : `${name}{${subject}}`,
          uses: pair.uses,
          shareOpenMin: pair.shareOpenMin,
          isOfServer: pair.isOfServer,
          references: [...list, ...(uses.get(subject) ?? [])]
            .slice(0, 16)
            .map((series) => ({ evidenceId: id, locator: shorten(labelledName(series), 1_024) })),
        });
      }
    }
  }
  return found;
}

function subjectOf({ labels }: MetricSeries): string {
  return sortedLabels(
    Object.fromEntries(Object.entries(labels).filter(([name]) => subjectLabels.test(name))),
  );
}

function countOf(
  opened: readonly MetricSeries[],
  used: readonly MetricSeries[],
): Pick<CountedConnections, "parts" | "durationSeconds"> | undefined {
  const all = [...opened, ...used];
  if (used.length === 0) return undefined;
  if (all.every(({ values }) => values.length === 1)) {
    // A counter that was read once counts from the beginning of its process.
    return {
      parts: [{ openedCount: totalOf(opened), usedCount: totalOf(used) }],
      durationSeconds: undefined,
    };
  }
  let [from, to] = [0, Number.POSITIVE_INFINITY];
  for (const { timesMicros } of all) {
    from = Math.max(from, timesMicros[0] ?? 0);
    to = Math.min(to, timesMicros.at(-1) ?? 0);
  }
  if (to <= from) return undefined;
  const parts = Array.from({ length: partCount }, (_part, index) => {
    const begin = from + ((to - from) * index) / partCount;
    const end = from + ((to - from) * (index + 1)) / partCount;
    return {
      openedCount: growthOf(opened, begin, end),
      usedCount: growthOf(used, begin, end),
    };
  });
  return { parts, durationSeconds: (to - from) / 1_000_000 };
}

function totalOf(list: readonly MetricSeries[]): number {
  return list.reduce((sum, { values }) => sum + (values[0] ?? 0), 0);
}

/** What counters gained between two moments; where one falls its process began anew, and it counts from nothing. */
function growthOf(list: readonly MetricSeries[], begin: number, end: number): number {
  let growth = 0;
  for (const { timesMicros, values } of list) {
    let before: number | undefined;
    for (const [index, value] of values.entries()) {
      const time = timesMicros[index] ?? 0;
      if (before !== undefined && time > begin && time <= end) {
        growth += value >= before ? value - before : value;
      }
      before = value;
    }
  }
  return growth;
}
