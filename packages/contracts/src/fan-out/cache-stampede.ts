/** The contract `fan-out/cache-stampede`: what a cache misses is loaded once, and kept. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { EvidenceReference } from "../model/evidence.ts";
import type { FindingParts } from "../model/make-finding.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { compareText } from "../text/compare-text.ts";
import { shorten } from "../text/cut-text.ts";
import { plural } from "../text/plural.ts";
import { tracesOf } from "../traces/trace.ts";
import { stableName } from "../traces/name-operation.ts";
import { endOfLookup, type Lookup, lookupsOf } from "./cache-lookups.ts";
import { millis } from "./handlers.ts";
import { repeatedQueryOptions } from "./repeated-query/options.ts";
import { widestOverlap } from "./overlap.ts";

interface CacheStampedeOptions {
  readonly concurrentCountMin: number;
  readonly loadMillisMin: number;
  readonly missCountMin: number;
  readonly cacheSystems: readonly string[];
}

/** `fan-out/cache-stampede` with its documented defaults. */
export const cacheStampede: Contract = defineContract<CacheStampedeOptions>({
  id: "fan-out/cache-stampede",
  version: 1,
  boundary: "resolver-database",
  promise:
    "What a cache does not have is loaded by one request for all that wait for it, and kept after that.",
  reads: ["trace"],
  options: {
    concurrentCountMin: {
      default: 5,
      description: "Loads of one key at the same moment from which on they are a stampede.",
    },
    loadMillisMin: {
      default: 10,
      description: "Milliseconds from which on a load is expensive.",
    },
    missCountMin: {
      default: 10,
      description: "Misses of one key without any hit from which on the cache does not keep it.",
    },
    cacheSystems: repeatedQueryOptions.cacheSystems,
  },
  check: (snapshot, options, found) => judgeKeys(snapshot, options).map(found),
});

/** A load of a key after a miss, from the miss to the end of the load. */
interface Load {
  readonly start: number;
  readonly end: number;
  readonly lookup: Lookup;
  readonly loadMicros: number;
}

interface KeySeen {
  readonly service: string;
  readonly key: string;
  readonly lookups: readonly Lookup[];
  readonly loads: readonly Load[];
}

function judgeKeys(snapshot: Snapshot, options: CacheStampedeOptions): FindingParts[] {
  const byKey = new Map<string, Lookup[]>();
  for (const trace of tracesOf(snapshot)) {
    for (const lookup of lookupsOf(trace, options.cacheSystems)) {
      const name = `${lookup.service}\n${lookup.key}`;
      const known = byKey.get(name);
      if (known === undefined) byKey.set(name, [lookup]);
      else known.push(lookup);
    }
  }
  const findings = new Map<string, { readonly weight: number; readonly parts: FindingParts }>();
  // Most keys are looked up once.
  const lookupCountMin = Math.min(options.concurrentCountMin, options.missCountMin);
  for (const lookups of byKey.values()) {
    const seen = lookups.length < lookupCountMin ? undefined : seenOf(lookups);
    const parts = seen === undefined ? undefined : judgeKey(seen, options);
    if (seen === undefined || parts === undefined) continue;
    // Keys that differ only in what they name are one subject: the worst of them speaks.
    const subject = parts.subject.name;
    const weight = weightOf(parts);
    if (weight > (findings.get(subject)?.weight ?? -1)) findings.set(subject, { weight, parts });
  }
  return [...findings]
    .sort(([left], [right]) => compareText(left, right))
    .map(([, { parts }]) => parts);
}

function weightOf({ verdict, evidence }: FindingParts): number {
  return (verdict === "violated" ? 1_000_000 : 0) + (evidence?.length ?? 0);
}

function seenOf(lookups: readonly Lookup[]): KeySeen | undefined {
  const [first] = lookups;
  if (first === undefined) return undefined;
  const loads = lookups.flatMap((lookup): Load[] => {
    const { trace, index, load, outcome } = lookup;
    if (outcome !== "miss" || load === undefined) return [];
    const start = trace.span(index).startMicros;
    const loadMicros = trace.span(load).durationNanos / 1_000;
    return [{ start, end: endOfLookup(lookup), lookup, loadMicros }];
  });
  return { service: first.service, key: first.key, lookups, loads };
}

function judgeKey(seen: KeySeen, options: CacheStampedeOptions): FindingParts | undefined {
  const { loads, lookups } = seen;
  const expensive = loads.filter(({ loadMicros }) => loadMicros >= options.loadMillisMin * 1_000);
  const atOnce = widestOverlap(sameLoads(expensive));
  if (atOnce.length >= Math.max(2, options.concurrentCountMin)) return stampede(seen, atOnce);
  const misses = lookups.filter(({ outcome }) => outcome === "miss");
  // A look-up of unknown outcome may have been a hit.
  const areAllMisses = misses.length === lookups.length;
  if (
    areAllMisses &&
    expensive.length >= Math.max(2, options.missCountMin) &&
    haveTimeBetween(expensive)
  ) {
    return neverKept(seen, expensive);
  }
  if (misses.length > 0 && loads.length <= 1 && lookups.length >= options.concurrentCountMin) {
    return loadedOnce(seen);
  }
  return undefined;
}

/** The loads that ask for the same, of the kind that most of them are. */
function sameLoads(loads: readonly Load[]): Load[] {
  const byCall = new Map<string, Load[]>();
  for (const load of loads) {
    const { trace, load: index } = load.lookup;
    const identity = index === undefined ? "" : (trace.callOf(index)?.identity ?? "");
    const known = byCall.get(identity);
    if (known === undefined) byCall.set(identity, [load]);
    else known.push(load);
  }
  let most: Load[] = [];
  for (const list of byCall.values()) if (list.length > most.length) most = list;
  return most;
}

/** Each later miss began after an earlier load had ended, so that its answer could have been kept. */
function haveTimeBetween(loads: readonly Load[]): boolean {
  return widestOverlap(loads).length * 2 <= loads.length;
}

function frameOf({ service, key }: KeySeen): Pick<FindingParts, "subject"> {
  const name = `${service} ${key
    .split(/([:/.|])/)
    .map(stableName)
    .join("")}`;
  return { subject: { kind: "cache-key", name: shorten(name, 1_024) } };
}

function loadReferences(loads: readonly Load[]): EvidenceReference[] {
  return loads.flatMap(({ lookup: { trace, load, key }, loadMicros }) =>
    load === undefined
      ? []
      : [
          trace.reference(
            load,
            shorten(`after a miss of ${key} (${millis(loadMicros)} ms)`, 2_048),
          ),
        ],
  );
}

function loadWords([load]: readonly Load[]): string {
  const index = load?.lookup.load;
  if (load === undefined || index === undefined) return "";
  return shorten(load.lookup.trace.callOf(index)?.shape ?? "", 300);
}

function stampede(seen: KeySeen, atOnce: readonly Load[]): FindingParts {
  const { service, key, lookups, loads } = seen;
  const traceCount = new Set(atOnce.map(({ lookup }) => lookup.trace.traceId)).size;
  const wastedMicros = atOnce.slice(1).reduce((sum, { loadMicros }) => sum + loadMicros, 0);
  return {
    ...frameOf(seen),
    verdict: "violated",
    title: `${service}: ${atOnce.length} requests missed ${key} in the cache at once, and each loaded it: ${loadWords(atOnce)}`,
    expected: "one load of a key at a time; all others wait for it, or take the old value",
    actual: `${atOnce.length} loads of one key ran at the same moment, in ${plural(traceCount, "trace")}; ${millis(wastedMicros)} ms of them were for nothing`,
    causeKind: "capacity",
    measures: {
      concurrentLoadCount: atOnce.length,
      loadCount: loads.length,
      lookupCount: lookups.length,
      traceCount,
      wastedMillis: millis(wastedMicros),
    },
    evidence: loadReferences(atOnce),
    fixes: [
      {
        description:
          "Let one load of a key run at a time and share its answer (single flight in the process, a short lock in the cache across processes).",
        cost: 1,
      },
      {
        description:
          "Serve the old value while one request refreshes it, and spread the times of expiry by chance.",
        cost: 2,
      },
    ],
    nextChecks: [
      "Look when the key expired: stampedes at the same distance point to one time to live.",
    ],
  };
}

function neverKept(seen: KeySeen, loads: readonly Load[]): FindingParts {
  const { service, key, lookups } = seen;
  return {
    ...frameOf(seen),
    verdict: "violated",
    title: `${service} looked up ${key} ${lookups.length} times and never found it, although it was loaded each time: ${loadWords(loads)}`,
    expected: "what was loaded is found by the next look-up",
    actual: `${plural(loads.length, "load")} after misses, no hit`,
    causeKind: "configuration",
    measures: { loadCount: loads.length, lookupCount: lookups.length, hitCount: 0 },
    evidence: loadReferences(loads),
    fixes: [
      {
        description:
          "Write the loaded value under the key that is looked up, with a time to live longer than the time between two requests.",
        cost: 1,
      },
    ],
    nextChecks: [
      "Compare the key of the write with that of the look-up, and the memory limit and eviction of the cache.",
    ],
  };
}

function loadedOnce(seen: KeySeen): FindingParts {
  const { service, key, lookups, loads } = seen;
  return {
    ...frameOf(seen),
    verdict: "holds",
    title: `${service} looked up ${key} ${lookups.length} times and loaded it ${loads.length === 1 ? "once" : "never"}`,
    actual: `${plural(lookups.length, "look-up")}, ${plural(loads.length, "load")}`,
    measures: { loadCount: loads.length, lookupCount: lookups.length },
    evidence: lookups
      .slice(0, 16)
      .map(({ trace, index }) => trace.reference(index, shorten(key, 200))),
  };
}
