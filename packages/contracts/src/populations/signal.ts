/** What a metric tells of, as far as its name says so. */

export type Signal =
  | "work"
  | "limit"
  | "saturation"
  | "errors"
  | "availability"
  | "latency"
  | "traffic"
  | "cpu"
  | "memory"
  | "disk"
  | "network"
  | "restarts"
  | "cache"
  | "other";

/** In the order in which they are tried: a queue of requests is no traffic, and the time of a request is none either. */
const signals: readonly (readonly [Signal, RegExp])[] = [
  ["availability", /availab|success|apdex|(?:^|_)up$/],
  ["cache", /cache|hit_?ratio|hit_?rate|miss_?ratio|evict/],
  ["restarts", /restart|oom|kill|crash/],
  ["limit", /(?:^|_)(?:limits?|max|quota|desired|capacity|allocatable)(?:_|$)/],
  [
    "saturation",
    /queue|pool|saturat|in_use|backlog|(?:^|_)lag|pending|waiting|threads?(?:_|$)|utili[sz]ation_ratio/,
  ],
  [
    "errors",
    /err(?:or)?s?(?:_|$)|fail|5xx|4xx|exception|panic|timeouts?(?:_|$)|refused|servfail|rejected|dropped|abort/,
  ],
  [
    "work",
    /(?:quer(?:y|ies)|calls?|statements?|lookups?)_?(?:count|s)?_per|per_(?:request|transaction|call)|retries|retry|attempts/,
  ],
  [
    "latency",
    /latency|duration|response_?time|(?:^|_)(?:rt|p\d\d\d?|wait)(?:_|$)|_seconds(?:_|$)|_ms(?:_|$)|ttft/,
  ],
  ["memory", /mem(?:ory)?(?:_|$)|rss|heap|working_?set|(?:^|_)gc(?:_|$)/],
  ["cpu", /cpu|throttl|(?:^|_)load\d*(?:_|$)/],
  ["disk", /disk|(?:^|_)fs(?:_|$)|iops|inode|volume|(?:^|_)io(?:_|$)|diskio/],
  [
    "network",
    /network|socket|tcp|packet|bandwidth|receive|transmit|connections?|(?:^|_)(?:rx|tx|net)(?:_|$)/,
  ],
  ["traffic", /requests?|rps|qps|workload|throughput|traffic|calls|hits|(?:^|_)ops|per_sec/],
];

/** The signal of a metric by its name, in whatever spelling. */
export function signalOf(name: string): Signal {
  const plain = name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "_");
  return signals.find(([, pattern]) => pattern.test(plain))?.[0] ?? "other";
}

/** Whether what a signal tells of is a resource of the service itself, which no other service deviates for it. */
export function isOwnResource(signal: Signal): boolean {
  return ["limit", "cpu", "memory", "disk", "restarts", "work", "cache"].includes(signal);
}
