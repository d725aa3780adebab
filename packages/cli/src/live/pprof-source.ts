/** Profiles of a Go process that serves `net/http/pprof`. */

import { AnswerError, type HttpSource } from "./http-source.ts";
import { type Collecting, type LiveSource, reasonOf, SourceFull } from "./live-source.ts";

interface Asked {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly file: string;
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
    file: "goroutines.txt",
    instead: { path: "goroutine", query: {}, file: "goroutines.pb.gz" },
  },
  // Go 1.26 and later: what the garbage collector proves to be leaked.
  { path: "goroutineleak", query: {}, file: "goroutineleak.pb.gz", isOptional: true },
  { path: "heap", query: {}, file: "heap.pb.gz" },
  { path: "profile", query: { seconds: String(profileSeconds) }, file: "profile.pb.gz" },
];

export function pprofSource(http: HttpSource): LiveSource {
  const folder = http.address.endsWith("/debug/pprof") ? "" : "/debug/pprof";
  return {
    name: `pprof at ${http.address}`,
    async collect(collecting) {
      for (const one of asked) {
        try {
          await collectOne(http, { one, folder }, collecting);
        } catch (error) {
          const isOfThisAlone = error instanceof AnswerError && !collecting.signal.aborted;
          if (!isOfThisAlone || error instanceof SourceFull) throw error;
          if (one.isOptional === true && error.status === 404) continue;
          collecting.miss(one.path, reasonOf(error));
        }
      }
    },
  };
}

async function collectOne(
  http: HttpSource,
  { one, folder }: { readonly one: Asked; readonly folder: string },
  collecting: Collecting,
): Promise<void> {
  const { path, query, file, instead } = one;
  try {
    const bytes = await http.get(`${folder}/${path}`, query, collecting.signal);
    collecting.keep({ name: `${http.fileName}-${file}`, bytes });
  } catch (error) {
    const isTooLarge = error instanceof AnswerError && error.status === 200;
    if (!isTooLarge || instead === undefined) throw error;
    await collectOne(http, { one: instead, folder }, collecting);
  }
}
