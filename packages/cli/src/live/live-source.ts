/** What a live system is to a snapshot: it gives files of evidence, and says of the rest why it cannot be read. */

import type { EvidenceFile } from "@faultline/contracts";

/** Limits of what is asked of live systems. What lies beyond is named, never silently cut. */
export const liveLimits = {
  /** Of everything that one source gives, as it arrives. */
  sourceBytesMax: 128 * 1024 * 1024,
  /** Of one answer. */
  answerBytesMax: 64 * 1024 * 1024,
  sourceDurationMs: 60_000,
  /** Parts of one source that are asked for at the same time. */
  partsAtOnce: 4,
  traceCountMax: 100,
  serviceCountMax: 50,
  /** Of one query of metrics. */
  seriesCountMax: 2_000,
  pointCountMax: 1_000,
  /** Of one query of logs. */
  lineCountMax: 5_000,
  /** From one address to another of the same system. */
  redirectCountMax: 3,
  messageLengthMax: 300,
} as const;

/** The window that is asked for. */
export interface LiveWindow {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What a source works with while it collects. */
export interface Collecting {
  readonly window: LiveWindow;
  /** Aborts at the source's deadline, or when the command is interrupted. */
  readonly signal: AbortSignal;
  /** How long the whole source may take. */
  readonly durationMs: number;
  /** A signal that aborts after so long, or earlier with `signal`: for a part that may not take the time of the others. */
  deadline(durationMs: number): AbortSignal;
  /** Keeps a file. Throws `SourceFull` when the source has given all that it may. */
  keep(file: EvidenceFile): void;
  /** Says that something of the source could not be read; the rest goes on. */
  miss(what: string, why: string): void;
}

/** A live system that evidence is read from. */
export interface LiveSource {
  /** For people, without credentials: `prometheus at http://127.0.0.1:9090`. */
  readonly name: string;
  /** What a person asked it to wait, which is not held against its deadline. */
  readonly waitsMs?: number;
  /** Throws only when nothing more can be read of it; what was kept stays. */
  collect(collecting: Collecting): Promise<void>;
}

/** The source gave more than may be kept of one. */
export class SourceFull extends Error {
  override readonly name = "SourceFull";
}

/** An error in one line, short enough to print. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // `fetch` hides what happened behind "fetch failed".
  const cause = error.cause instanceof Error ? error.cause : error;
  const text =
    cause.message === "" ? ("code" in cause ? String(cause.code) : cause.name) : cause.message;
  return text.replace(/\s+/g, " ").slice(0, liveLimits.messageLengthMax);
}
