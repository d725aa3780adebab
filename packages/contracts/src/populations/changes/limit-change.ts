/** Numbers that a diff or a flag sets to another value: limits, sizes, timeouts, counts. */

import type { Explains } from "./mechanism.ts";

export interface LimitChange {
  /** The name beside the number, as it is written. */
  readonly name: string;
  readonly before: number;
  readonly after: number;
  /** What the new number explains; empty for one that bounds nothing. */
  readonly explains: Explains;
}

const number = String.raw`-?\d+(?:[._]\d+)*(?:\s?(?:[KMGT]i?B?|ms|us|s|sec|m|min|h|d|%)\b)?(?:\s*\*\s*(?:time\.)?[A-Za-z_]+)?`;
const assigned = new RegExp(
  String.raw`([A-Za-z_][\w.-]*)["']?\s*(?::=|=>|[:=(])\s*["']?(${number})`,
  "g",
);

/** Numbers under one name that differ between what was taken out and what was put in. */
export function limitChangesOf(
  removed: readonly string[],
  added: readonly string[],
): LimitChange[] {
  const before = numbersIn(removed);
  const after = numbersIn(added);
  return [...before].flatMap(([name, old]) => {
    const now = after.get(name);
    return now === undefined || now === old ? [] : [limitChange(name, old, now)];
  });
}

/** The change of one named number. */
export function limitChange(name: string, before: number, after: number): LimitChange {
  return { name, before, after, explains: explainsOf(name, before, after) };
}

function numbersIn(lines: readonly string[]): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const line of lines) {
    for (const match of line.matchAll(assigned)) {
      const name = lastName(match[1] ?? "");
      const value = valueOf(match[2] ?? "");
      if (value !== undefined && !numbers.has(name)) numbers.set(name, value);
    }
  }
  return numbers;
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}

const units: ReadonlyMap<string, number> = new Map([
  ["ms", 1e-3],
  ["us", 1e-6],
  ["s", 1],
  ["sec", 1],
  ["min", 60],
  ["h", 3_600],
  ["d", 86_400],
  ["ki", 2 ** 10],
  ["mi", 2 ** 20],
  ["gi", 2 ** 30],
  ["ti", 2 ** 40],
  ["k", 1e3],
  ["g", 1e9],
  ["t", 1e12],
  ["mb", 1e6],
  ["gb", 1e9],
  ["kb", 1e3],
]);
const factors: ReadonlyMap<string, number> = new Map([
  ["nanosecond", 1e-9],
  ["microsecond", 1e-6],
  ["millisecond", 1e-3],
  ["second", 1],
  ["minute", 60],
  ["hour", 3_600],
]);

/** `512Mi`, `30 * time.Second`, `5m`; a bare `m` is minutes, as in most settings, and so is an `M` a million. */
export function valueOf(text: string): number | undefined {
  const match = /^(-?\d+(?:[._]\d+)*)\s?([A-Za-z%]+)?(?:\s*\*\s*(?:time\.)?([A-Za-z_]+))?/.exec(
    text.trim(),
  );
  if (match === null) return undefined;
  const plain = Number((match[1] ?? "").replaceAll("_", ""));
  if (!Number.isFinite(plain)) return undefined;
  const unit = match[2] ?? "";
  const factor = factors.get((match[3] ?? "").toLowerCase().replace(/s$/, "")) ?? 1;
  if (unit === "M" || unit === "m") return plain * (unit === "M" ? 1e6 : 60);
  return plain * factor * (units.get(unit.toLowerCase()) ?? 1);
}

interface Rule {
  readonly name: RegExp;
  readonly lowered: Explains;
  readonly raised: Explains;
}

/** In the order in which they are tried. */
const rules: readonly Rule[] = [
  // How long something rests, or how often it is looked after, bounds nothing.
  {
    name: /idle|health|keep_?alive|jitter|probe|period_seconds|grace/,
    lowered: { descriptors: 0.1, connection: 0.15 },
    raised: { descriptors: 0.15 },
  },
  {
    name: /port$/,
    lowered: { connection: 1, timeout: 0.5 },
    raised: { connection: 1, timeout: 0.5 },
  },
  {
    name: /backoff|retry_?(?:delay|interval|wait)/,
    lowered: { retry: 0.9, traffic: 0.7, "rate-limit": 0.7 },
    raised: { latency: 0.5 },
  },
  {
    name: /retr(?:y|ies)|attempt/,
    lowered: { errors: 0.5 },
    raised: { retry: 1, traffic: 0.8, "rate-limit": 0.7, latency: 0.4, pool: 0.4 },
  },
  {
    name: /timeout|deadline/,
    lowered: { timeout: 1, errors: 0.6, connection: 0.4, retry: 0.4 },
    raised: { latency: 0.6, pool: 0.5 },
  },
  {
    name: /conns?(?:_|$)|connections?|pool/,
    lowered: { pool: 1, timeout: 0.6, latency: 0.6, errors: 0.4 },
    raised: { pool: 0.5, descriptors: 0.5, connection: 0.4, memory: 0.3 },
  },
  {
    name: /mem(?:ory)?(?:_|$)|heap|xmx|xms/,
    lowered: { memory: 1, crash: 0.3 },
    raised: { memory: 0.2 },
  },
  { name: /cpu/, lowered: { cpu: 1, latency: 0.8, timeout: 0.4 }, raised: {} },
  {
    name: /replicas?|instances?|workers?|threads?|concurren|parallel|max_?procs/,
    lowered: { traffic: 0.9, latency: 0.7, cpu: 0.6, pool: 0.7, timeout: 0.4 },
    raised: { pool: 0.7, cpu: 0.5, memory: 0.5, descriptors: 0.5, "rate-limit": 0.5, lock: 0.4 },
  },
  {
    name: /ttl|expir|max_?age|stale/,
    lowered: { cache: 1, "repeated-work": 0.6, latency: 0.6, pool: 0.4, access: 0.4, cpu: 0.4 },
    raised: { memory: 0.5, cache: 0.3 },
  },
  {
    name: /cache/,
    lowered: { cache: 1, latency: 0.6, "repeated-work": 0.5, cpu: 0.4 },
    raised: { memory: 0.8 },
  },
  {
    name: /rate|quota|qps|rps|burst/,
    lowered: { "rate-limit": 1, errors: 0.5 },
    raised: { traffic: 0.5, "rate-limit": 0.5 },
  },
  {
    name: /interval|frequency|poll|cron|period/,
    lowered: { cpu: 0.6, traffic: 0.6, "rate-limit": 0.6 },
    raised: { latency: 0.3 },
  },
  {
    name: /cost|rounds|iterations|depth|factor/,
    lowered: {},
    raised: { cpu: 1, latency: 0.7, memory: 0.4 },
  },
  {
    name: /batch|page|chunk|buffer|size|queue|limit|max|cap/,
    lowered: { "repeated-work": 0.5, latency: 0.4, errors: 0.4, pool: 0.3 },
    raised: { memory: 0.7, latency: 0.5, cpu: 0.3 },
  },
];

function explainsOf(name: string, before: number, after: number): Explains {
  const plain = name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll(/[.-]/g, "_")
    .toLowerCase();
  const rule = rules.find((candidate) => candidate.name.test(plain));
  return (after < before ? rule?.lowered : rule?.raised) ?? {};
}
