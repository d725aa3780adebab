/** The contract `fan-out/pool-starvation`: requests do not wait for connections longer than for their statements. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { EvidenceReference } from "../model/evidence.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import { compareText } from "../text/compare-text.ts";
import { shorten } from "../text/cut-text.ts";
import { plural } from "../text/plural.ts";
import { millis, referenceToCall } from "./handlers.ts";
import { widestOverlap } from "./overlap.ts";
import { type Holding, longestHolding } from "./pool-holders.ts";
import { loadOf, type PoolLoad, poolSeriesOf } from "./pool-metrics.ts";
import { type PoolFailure, poolsOf, type ServicePools, type Wait } from "./pool-waits.ts";
import { poolExhaustionIn } from "./pool-words.ts";

interface PoolStarvationOptions {
  readonly waitMillisMin: number;
  readonly waitCountMin: number;
  readonly concurrentWaitCountMin: number;
  readonly severeWaitMillisMin: number;
  readonly severeWaitRatioMin: number;
  readonly fullCountMin: number;
  readonly waitSecondsMax: number;
  readonly acquireCountMin: number;
}

/** `fan-out/pool-starvation` with its documented defaults. */
export const poolStarvation: Contract = defineContract<PoolStarvationOptions>({
  id: "fan-out/pool-starvation",
  version: 1,
  boundary: "resolver-database",
  promise: "A connection is there when a request needs one: nobody waits long for the pool.",
  reads: ["trace", "metrics", "logs"],
  options: {
    waitMillisMin: {
      default: 100,
      description: "Milliseconds from which on a wait for a connection is long.",
    },
    waitCountMin: {
      default: 3,
      description: "Long waits of one service from which on its pool is starved.",
    },
    concurrentWaitCountMin: {
      default: 2,
      description: "Long waits at the same moment that there must be among them.",
    },
    severeWaitMillisMin: {
      default: 500,
      description: "Milliseconds from which on a wait is severe, whoever else is seen to wait.",
    },
    severeWaitRatioMin: {
      default: 5,
      description: "How many times longer than the statement that follows it a severe wait is.",
    },
    fullCountMin: {
      default: 2,
      description:
        "Recorded moments with every connection in use from which on a pool counts as full.",
    },
    waitSecondsMax: {
      default: 0.5,
      description: "Seconds that a recorded wait for a connection may take while the pool is full.",
    },
    acquireCountMin: {
      default: 20,
      description: "Recorded waits, all short, from which on the pool is shown to be large enough.",
    },
  },
  check: (snapshot, options, found) => judgeServices(snapshot, options).map(found),
});

/** All that is known of the pools of one service. */
interface Seen extends ServicePools {
  readonly service: string;
  readonly logged: LoggedFailure[];
  readonly loads: { readonly pool: string | undefined; readonly load: PoolLoad }[];
}

interface LoggedFailure {
  readonly reference: EvidenceReference;
  readonly isLikely: boolean;
}

function judgeServices(snapshot: Snapshot, options: PoolStarvationOptions): FindingParts[] {
  const services = new Map<string, Seen>();
  const seenFor = (service: string): Seen => {
    const known = services.get(service);
    if (known !== undefined) return known;
    const made: Seen = { service, waits: [], failures: [], logged: [], loads: [] };
    services.set(service, made);
    return made;
  };
  for (const [service, { waits, failures }] of poolsOf(snapshot)) {
    services.set(service, { service, waits, failures, logged: [], loads: [] });
  }
  for (const evidence of evidenceOfKind(snapshot, "logs")) {
    const { content } = evidence;
    for (const [at, line] of content.lines.entries()) {
      const words = poolExhaustionIn(line.text.slice(0, 4_096));
      if (words === undefined) continue;
      const service = line.service ?? content.about?.container ?? content.about?.pod;
      const reference = {
        evidenceId: evidence.id,
        locator: `line ${at + 1}`,
        quote: shorten(line.text, 2_048),
      };
      seenFor(service ?? "unknown_service").logged.push({
        reference,
        isLikely: words === "likely",
      });
    }
  }
  for (const pool of poolSeriesOf(snapshot)) {
    const load = loadOf(pool);
    if (load !== undefined) seenFor(pool.service).loads.push({ pool: pool.pool, load });
  }
  return [...services.values()]
    .sort((left, right) => compareText(left.service, right.service))
    .flatMap((seen) => judgeService(snapshot, seen, options));
}

function judgeService(
  snapshot: Snapshot,
  seen: Seen,
  options: PoolStarvationOptions,
): FindingParts[] {
  const long = seen.waits.filter(({ waitMicros }) => waitMicros >= options.waitMillisMin * 1_000);
  const atOnce = widestOverlap(long);
  // Waits that are many times longer than the work say that others hold the connections, also where nobody else is seen.
  const severe = long.filter((wait) => isSevere(wait, options));
  const waitCountMin = Math.max(1, options.waitCountMin);
  const isWaiting =
    severe.length >= waitCountMin ||
    (long.length >= waitCountMin && atOnce.length >= options.concurrentWaitCountMin);
  const starved = seen.loads.filter(({ load }) => isStarved(load, options));
  const failures = [...seen.failures, ...seen.logged];
  if (isWaiting || failures.some(({ isLikely }) => !isLikely) || starved.length > 0) {
    const [first, last] = [atOnce[0], atOnce.at(-1)];
    const window =
      first === undefined || last === undefined ? undefined : { start: first.start, end: last.end };
    const holding = longestHolding(snapshot, seen.service, window);
    return [starvation(seen, { long: isWaiting ? long : [], starved, holding })];
  }
  if (failures.length > 0) return [unclearFailures(seen)];
  if (severe.length > 0) return [fewWaits(seen, severe, waitCountMin)];
  const full = seen.loads.find(
    ({ load }) => load.fullCount >= Math.max(1, options.fullCountMin) && !showsWaiting(load),
  );
  if (full !== undefined) return [fullPool(seen, full.load)];
  const fits = seen.loads.filter(({ load }) => load.fullCount === 0);
  if (fits.length > 0 && fits.length === seen.loads.length && long.length === 0) {
    return [
      roomyPool(
        seen,
        fits.map(({ load }) => load),
      ),
    ];
  }
  const isShown =
    seen.loads.length === 0 && seen.waits.length >= Math.max(1, options.acquireCountMin);
  return isShown && long.length === 0 ? [quickPool(seen)] : [];
}

function isSevere({ waitMicros, statementMicros }: Wait, options: PoolStarvationOptions): boolean {
  return (
    statementMicros !== undefined &&
    waitMicros >= options.severeWaitMillisMin * 1_000 &&
    waitMicros >= options.severeWaitRatioMin * statementMicros
  );
}

function showsWaiting({ pendingMax, timeoutCount, waitSecondsMax }: PoolLoad): boolean {
  return [pendingMax, timeoutCount, waitSecondsMax].some((value) => value !== undefined);
}

/** Every connection in use, and somebody waits: without the latter a full pool is only well used. */
function isStarved(load: PoolLoad, options: PoolStarvationOptions): boolean {
  if (load.fullCount < Math.max(1, options.fullCountMin)) return false;
  return (
    (load.pendingMax ?? 0) > 0 ||
    (load.timeoutCount ?? 0) > 0 ||
    (load.waitSecondsMax ?? 0) > options.waitSecondsMax
  );
}

interface Starvation {
  readonly long: readonly Wait[];
  readonly starved: Seen["loads"];
  readonly holding: Holding | undefined;
}

function starvation(seen: Seen, { long, starved, holding }: Starvation): FindingParts {
  const { service, failures, logged } = seen;
  const load = starved[0]?.load;
  const shrunk = load !== undefined && load.sizeMin < load.sizeMax ? load : undefined;
  const failureCount = failures.length + logged.length;
  const facts = [
    ...(failureCount === 0 ? [] : [`${plural(failureCount, "request")} got no connection`]),
    ...(long.length === 0
      ? []
      : [`${plural(long.length, "request")} waited up to ${millis(longestWait(long))} ms for one`]),
    ...(load === undefined
      ? []
      : [
          `all ${load.sizeMin} connections were in use at ${load.fullCount} of ${plural(load.momentCount, "moment")}`,
        ]),
    ...(shrunk === undefined
      ? []
      : [`the size of the pool changed between ${shrunk.sizeMax} and ${shrunk.sizeMin}`]),
    ...holdingWords(holding),
  ];
  return {
    ...frameOf(service),
    verdict: "violated",
    title: `${service} is short of connections: ${facts.slice(0, 2).join("; ")}`,
    actual: facts.join("; "),
    causeKind: shrunk === undefined ? "capacity" : "configuration",
    measures: {
      failureCount,
      longWaitCount: long.length,
      waitMillisMax: millis(longestWait(long)),
      acquireCount: seen.waits.length,
      pool: poolNames(seen),
      ...loadMeasures(load),
      holder: holding === undefined ? undefined : holding.unit.operation,
      holdingMillis: holding === undefined ? undefined : millis(holding.end - holding.start),
    },
    evidence: [
      ...failures.map(failureReference),
      ...long.map(waitReference),
      ...(load?.evidence ?? []),
      ...logged.slice(0, 32).map(({ reference }) => reference),
      ...(holding?.foreign ?? []).map(referenceToCall),
    ],
    fixes: fixesFor(holding, shrunk),
    nextChecks: [
      "List what holds connections while requests wait (`pg_stat_activity` with state `idle in transaction`, the pool's leak detection) and how long.",
      "After the repair, record the same load and check it: this subject must hold.",
    ],
  };
}

function holdingWords(holding: Holding | undefined): string[] {
  if (holding === undefined) return [];
  const { unit, start, end, foreign } = holding;
  const calls = [...new Set(foreign.map(({ call }) => shorten(call.shape, 120)))].slice(0, 3);
  const during = calls.length === 0 ? "" : ` while it called ${calls.join(", ")}`;
  return [`${unit.operation} held a connection for ${millis(end - start)} ms${during}`];
}

function fixesFor(
  holding: Holding | undefined,
  shrunk: PoolLoad | undefined,
): NonNullable<FindingParts["fixes"]> {
  return [
    ...(shrunk === undefined
      ? []
      : [
          {
            description: `Set the size of the pool back to ${shrunk.sizeMax}: it was changed to ${shrunk.sizeMin}.`,
            cost: 1,
          },
        ]),
    ...(holding === undefined || holding.foreign.length === 0
      ? []
      : [
          {
            description: `In ${holding.unit.operation}, call other services before the transaction begins or after it ends, not within it.`,
            cost: 1,
          },
        ]),
    {
      description:
        "Give connections back as soon as the last statement is done: short transactions, and every path that fails closes what it took.",
      cost: 2,
    },
    {
      description:
        "Size the pool for throughput times the time a connection is held, within what the database allows, and bound the wait with a clear error.",
      cost: 3,
    },
  ];
}

function fewWaits(seen: Seen, severe: readonly Wait[], waitCountMin: number): FindingParts {
  return {
    ...frameOf(seen.service),
    verdict: "inconclusive",
    title: `${seen.service} waited ${millis(longestWait(severe))} ms for a connection, many times longer than for its statement, and too few requests are seen to tell why`,
    actual: `${plural(severe.length, "severe wait")} of ${seen.waits.length}`,
    measures: {
      longWaitCount: severe.length,
      waitMillisMax: millis(longestWait(severe)),
      acquireCount: seen.waits.length,
    },
    evidence: severe.map(waitReference),
    missing: [
      `traces of other requests of that time: at least ${waitCountMin} long waits, or the use and the size of the pool`,
    ],
    nextChecks: ["Take all traces of the service at that time, and the metrics of its pool."],
  };
}

function unclearFailures(seen: Seen): FindingParts {
  const count = seen.failures.length + seen.logged.length;
  return {
    ...frameOf(seen.service),
    verdict: "inconclusive",
    title: `${seen.service} waited for a connection in vain ${count} times, because the pool was in use or because the database could not be reached`,
    actual: `${plural(count, "failure")} whose words fit both`,
    measures: { failureCount: count, acquireCount: seen.waits.length },
    evidence: [
      ...seen.failures.map(failureReference),
      ...seen.logged.slice(0, 32).map(({ reference }) => reference),
    ],
    missing: ["how many connections of the pool were in use at that time"],
    nextChecks: [
      "Record the use and the size of the pool, and look whether other services reached the database meanwhile.",
    ],
  };
}

function fullPool(seen: Seen, load: PoolLoad): FindingParts {
  return {
    ...frameOf(seen.service),
    verdict: "inconclusive",
    title: `${seen.service} used all ${load.sizeMax} connections at ${load.fullCount} of ${plural(load.momentCount, "moment")}, and whether anybody waited is not recorded`,
    actual: `${load.usedMax} of ${load.sizeMax} connections in use`,
    measures: { pool: poolNames(seen), ...loadMeasures(load) },
    evidence: load.evidence,
    missing: [
      "requests that waited for a connection: db.client.connection.pending_requests, .timeouts or .wait_time",
    ],
    nextChecks: ["Record the pool's pending requests and the time they wait."],
  };
}

function roomyPool(seen: Seen, loads: readonly PoolLoad[]): FindingParts {
  const tightest = loads.reduce((tight, load) =>
    load.usedMax / load.sizeMax > tight.usedMax / tight.sizeMax ? load : tight,
  );
  return {
    ...frameOf(seen.service),
    verdict: "holds",
    title: `${seen.service} used at most ${tightest.usedMax} of ${tightest.sizeMax} connections`,
    actual: `at most ${tightest.usedMax} of ${tightest.sizeMax} connections in use at ${plural(tightest.momentCount, "moment")}`,
    measures: { pool: poolNames(seen), ...loadMeasures(tightest) },
    evidence: tightest.evidence,
  };
}

function quickPool(seen: Seen): FindingParts {
  const [first] = seen.waits;
  return {
    ...frameOf(seen.service),
    verdict: "holds",
    title: `${seen.service} got a connection ${seen.waits.length} times within ${millis(longestWait(seen.waits))} ms`,
    actual: `${plural(seen.waits.length, "recorded wait")}, none long`,
    measures: { acquireCount: seen.waits.length, waitMillisMax: millis(longestWait(seen.waits)) },
    evidence: first === undefined ? [] : seen.waits.slice(0, 8).map(waitReference),
  };
}

function frameOf(service: string): Pick<FindingParts, "subject"> {
  return { subject: { kind: "connection-pool", name: shorten(service, 1_024) } };
}

function loadMeasures(load: PoolLoad | undefined): NonNullable<FindingParts["measures"]> {
  return {
    usedMax: load?.usedMax,
    sizeMin: load?.sizeMin,
    sizeMax: load?.sizeMax,
    fullCount: load?.fullCount,
    pendingMax: load?.pendingMax,
    timeoutCount: load?.timeoutCount,
    waitSecondsMax: load?.waitSecondsMax,
  };
}

function poolNames({ waits, loads }: Seen): string | undefined {
  const names = new Set<string>();
  for (const { pool } of [...waits, ...loads]) if (pool !== undefined) names.add(pool);
  return names.size === 0 ? undefined : [...names].sort(compareText).join(", ");
}

function longestWait(waits: readonly Wait[]): number {
  return waits.reduce((longest, { waitMicros }) => Math.max(longest, waitMicros), 0);
}

function waitReference({ trace, index, waitMicros }: Wait): EvidenceReference {
  return trace.reference(index, `${trace.span(index).name} waited ${millis(waitMicros)} ms`);
}

function failureReference({ trace, index, text }: PoolFailure): EvidenceReference {
  return trace.reference(index, shorten(text, 2_048));
}
