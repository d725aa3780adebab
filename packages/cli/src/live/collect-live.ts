/** Collects from all sources at once, each with its own deadline and bound; what one cannot give takes nothing from another. */

import { type EvidenceFile, readEvidence, type ReadEvidence } from "@faultline/contracts";
import type { Clock } from "@faultline/server/kernel/index.ts";

import {
  type Collecting,
  liveLimits,
  type LiveSource,
  type LiveWindow,
  reasonOf,
  SourceFull,
} from "./live-source.ts";

/** What one source gave. */
export interface Collected {
  readonly source: string;
  readonly fileCount: number;
  readonly sizeBytes: number;
  /** What could not be read of it, and why. */
  readonly missed: readonly { readonly what: string; readonly why: string }[];
}

/** Is told how far the reading has come. */
export interface LiveProgress {
  /** A system gave an answer. */
  kept(source: string, sizeBytes: number): void;
  /** A system has given what it could. */
  ended(collected: Collected): void;
}

export interface LiveEvidence extends ReadEvidence {
  readonly sources: readonly Collected[];
}

export interface CollectOptions {
  readonly window: LiveWindow;
  readonly sourceDurationMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly progress: LiveProgress;
}

/** Evidence of live systems. Throws only when `signal` aborts. */
export async function collectLive(
  sources: readonly LiveSource[],
  options: CollectOptions,
): Promise<LiveEvidence> {
  const collections = await Promise.all(sources.map((source) => collectOne(source, options)));
  options.signal.throwIfAborted();
  const read = readEvidence(collections.flatMap(({ files }) => files));
  return { ...read, sources: collections.map(({ collected }) => collected) };
}

async function collectOne(
  source: LiveSource,
  { window, sourceDurationMs, clock, signal, progress }: CollectOptions,
): Promise<{ readonly files: readonly EvidenceFile[]; readonly collected: Collected }> {
  const files: EvidenceFile[] = [];
  const missed: { what: string; why: string }[] = [];
  let sizeBytes = 0;
  const stop = new AbortController();
  const ownSignal = clock.deadline(
    sourceDurationMs + (source.waitsMs ?? 0),
    AbortSignal.any([signal, stop.signal]),
  );
  const collecting: Collecting = {
    window,
    signal: ownSignal,
    durationMs: sourceDurationMs,
    deadline: (durationMs) => clock.deadline(durationMs, ownSignal),
    keep(file) {
      if (sizeBytes + file.bytes.length > liveLimits.sourceBytesMax)
        throw new SourceFull(fullWords);
      sizeBytes += file.bytes.length;
      files.push(file);
      progress.kept(source.name, file.bytes.length);
    },
    miss: (what, why) => void missed.push({ what, why }),
  };
  try {
    await source.collect(collecting);
  } catch (error) {
    // Who cancels the command wants no snapshot of what was there by then.
    signal.throwIfAborted();
    const isLate = collecting.signal.aborted;
    const why = isLate ? `It took longer than ${sourceDurationMs / 1_000} s.` : reasonOf(error);
    missed.push({ what: files.length === 0 ? "everything" : "the rest", why });
  } finally {
    // What still runs of the source, such as a call beside the one that failed, ends with it.
    stop.abort();
  }
  const sorted = files.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const collected = { source: source.name, fileCount: files.length, sizeBytes, missed };
  progress.ended(collected);
  return { files: sorted, collected };
}

const fullWords = `It gave more than ${liveLimits.sourceBytesMax} bytes.`;
