/** Profiles of a Go process that serves `net/http/pprof`. */

import type { Clock } from "@faultline/server/kernel/index.ts";

import { AnswerError, type HttpSource } from "./http-source.ts";
import { type Collecting, type LiveSource, reasonOf, SourceFull } from "./live-source.ts";

interface Asked {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly file: string;
  readonly ending: string;
  /** Asked for again in each round: what grows shows only over several. */
  readonly isRepeated?: true;
  /** Asked for where the answer to the first is too large. */
  readonly instead?: Asked;
  /** A process that has no such profile says so by 404, and misses nothing. */
  readonly isOptional?: true;
}

/** How long the processor is watched: long enough for some hundred samples. */
const profileSeconds = 5;

const asked: readonly Asked[] = [
  {
    path: "goroutine",
    query: { debug: "2" },
    file: "goroutines",
    ending: "txt",
    isRepeated: true,
    instead: { path: "goroutine", query: {}, file: "goroutines", ending: "pb.gz" },
  },
  // Go 1.26 and later: what the garbage collector proves to be leaked.
  {
    path: "goroutineleak",
    query: {},
    file: "goroutineleak",
    ending: "pb.gz",
    isOptional: true,
  },
  { path: "heap", query: {}, file: "heap", ending: "pb.gz", isRepeated: true },
  {
    path: "profile",
    query: { seconds: String(profileSeconds) },
    file: "profile",
    ending: "pb.gz",
  },
];

/** Rounds that tell a growth, where a person gives them the time. */
export const pprofRoundCount = 3;

/** How often goroutines and the heap are read, and how long after each other. */
export interface PprofRounds {
  readonly intervalMs: number;
  readonly clock: Clock;
}

/** One process; without `rounds` it is read once. */
export function pprofSource(http: HttpSource, rounds: PprofRounds | undefined): LiveSource {
  return {
    name: `pprof at ${http.address}`,
    async collect(collecting) {
      await collectRound(http, asked, { round: 1, collecting });
      if (rounds === undefined) return;
      const again = asked.filter(({ isRepeated }) => isRepeated === true);
      for (let round = 2; round <= pprofRoundCount; round += 1) {
        await rounds.clock.sleep(rounds.intervalMs, collecting.signal);
        await collectRound(http, again, { round, collecting });
      }
    },
  };
}

interface Round {
  readonly round: number;
  readonly collecting: Collecting;
}

async function collectRound(
  http: HttpSource,
  list: readonly Asked[],
  { round, collecting }: Round,
): Promise<void> {
  for (const one of list) {
    try {
      await collectOne(http, one, { round, collecting });
    } catch (error) {
      const isOfThisAlone = error instanceof AnswerError && !collecting.signal.aborted;
      if (!isOfThisAlone || error instanceof SourceFull) throw error;
      if (one.isOptional === true && error.status === 404) continue;
      collecting.miss(one.path, reasonOf(error));
    }
  }
}

async function collectOne(
  http: HttpSource,
  one: Asked,
  { round, collecting }: Round,
): Promise<void> {
  const { path, query, file, ending, instead } = one;
  const folder = http.address.endsWith("/debug/pprof") ? "" : "/debug/pprof";
  try {
    const bytes = await http.get(`${folder}/${path}`, query, collecting.signal);
    // The round comes last: numbers in an address would be taken for places in one series, and replicas for rounds.
    collecting.keep({ name: `${http.fileName}-${file}-${round}.${ending}`, bytes });
  } catch (error) {
    const isTooLarge = error instanceof AnswerError && error.status === 200;
    if (!isTooLarge || instead === undefined) throw error;
    await collectOne(http, instead, { round, collecting });
  }
}
