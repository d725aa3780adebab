/** Profiles of a Go process that serves `net/http/pprof`. */

import type { Clock } from "@faultline/server/kernel/index.ts";

import { collectParts } from "./collect-parts.ts";
import { AnswerError, type HttpSource, isOfWholeSystem } from "./http-source.ts";
import type { Collecting, LiveSource } from "./live-source.ts";

interface Asked {
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** It lasts as long as the processor is watched. */
  readonly isWatch?: true;
  readonly file: string;
  readonly ending: string;
  /** Asked for again in each round: what grows shows only over several. */
  readonly isRepeated?: true;
  /** Asked for where the answer to the first is too large or takes too long. */
  readonly instead?: Asked;
  /** A process that has no such profile says so by 404, and misses nothing. */
  readonly isOptional?: true;
}

/** How long the processor is watched: long enough for some hundred samples, where the time of one profile allows it. */
const profileSecondsMax = 5;
/** What one profile may take, as a share of the source's own time: there are eight in three rounds. */
const timeShare = 1 / 8;
/** A profile takes this many times as long as it watches, at most. */
const profileSlack = 1.5;

const asked: readonly Asked[] = [
  {
    path: "goroutine",
    query: { debug: "2" },
    file: "goroutines",
    ending: "txt",
    isRepeated: true,
    instead: { path: "goroutine", file: "goroutines", ending: "pb.gz" },
  },
  // Go 1.26 and later: what the garbage collector proves to be leaked.
  {
    path: "goroutineleak",
    file: "goroutineleak",
    ending: "pb.gz",
    isOptional: true,
  },
  { path: "heap", file: "heap", ending: "pb.gz", isRepeated: true },
  {
    path: "profile",
    isWatch: true,
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
    waitsMs: (pprofRoundCount - 1) * (rounds?.intervalMs ?? 0),
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

/** One profile after the other: what is at work for one would be seen in the next. */
async function collectRound(
  http: HttpSource,
  list: readonly Asked[],
  { round, collecting }: Round,
): Promise<void> {
  const plan = {
    atOnce: 1,
    timeShare,
    isOfAll: isOfWholeSystem,
    nameOf: ({ path }: Asked) => path,
    async collect(one: Asked, within: Collecting) {
      try {
        await collectOne(http, one, { round, collecting: within });
      } catch (error) {
        const isAbsent = error instanceof AnswerError && error.status === 404;
        if (isAbsent && one.isOptional === true) return;
        const isTooLarge = error instanceof AnswerError && error.status === 200;
        const isLate = within.signal.aborted && !collecting.signal.aborted;
        if (one.instead === undefined || !(isTooLarge || isLate)) throw error;
        const signal = collecting.deadline(Math.ceil(collecting.durationMs * timeShare));
        await collectOne(http, one.instead, { round, collecting: { ...within, signal } });
      }
    },
  };
  await collectParts(list, plan, collecting);
}

async function collectOne(
  http: HttpSource,
  { path, query = {}, isWatch, file, ending }: Asked,
  { round, collecting }: Round,
): Promise<void> {
  const seconds = watchedSeconds(collecting.durationMs * timeShare);
  const asking = isWatch === true ? { ...query, seconds: String(seconds) } : query;
  const folder = http.address.endsWith("/debug/pprof") ? "" : "/debug/pprof";
  const bytes = await http.get(`${folder}/${path}`, asking, collecting.signal);
  // The round comes last: numbers in an address would be taken for places in one series, and replicas for rounds.
  collecting.keep({ name: `${http.fileName}-${file}-${round}.${ending}`, bytes });
}

/** Whole seconds, as `net/http/pprof` takes them. */
function watchedSeconds(durationMs: number): number {
  const fitting = Math.floor(durationMs / 1_000 / profileSlack);
  return Math.min(profileSecondsMax, Math.max(1, fitting));
}
