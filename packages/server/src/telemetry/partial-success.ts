/** What was not taken of an export, in the words of OTLP's partial success. */

import { telemetryLimits } from "./limits.ts";

/** Nothing rejected and no message means full success; a message without rejections is a warning. */
export interface PartialSuccess {
  readonly rejectedCount: number;
  readonly message?: string;
}

/** What a reader says about a request beside its records. */
export interface ReadRemarks {
  readonly rejected?: { readonly count: number; readonly reasons: readonly string[] };
  readonly notes?: readonly string[];
}

/** Joins what the reader says with what the store refused. */
export function partialSuccess(
  { rejected = { count: 0, reasons: [] }, notes = [] }: ReadRemarks,
  refused: ReadonlyMap<string, number>,
): PartialSuccess {
  const refusals = Array.from(refused, ([reason, count]) =>
    count === 1 ? reason : `${reason} (${count} times)`,
  );
  const sentences = [...rejected.reasons, ...refusals, ...notes];
  const refusedCount = refused.values().reduce((sum, count) => sum + count, 0);
  const rejectedCount = rejected.count + refusedCount;
  if (sentences.length === 0) return { rejectedCount };
  return {
    rejectedCount,
    message: sentences.join(" ").slice(0, telemetryLimits.partialMessageLengthMax),
  };
}

/** Splits records into those within the window and the counted reasons why the others are refused. */
export function withinWindow<T>(
  records: readonly T[],
  options: {
    /** When the record begins, and ends where it lasts, in microseconds. */
    readonly timesOf: (record: T) => { readonly fromMicros: number; readonly toMicros: number };
    readonly window: { fromMicros: number; toMicros: number };
    /** As a sentence begins: `A span`. */
    readonly subject: string;
  },
): { kept: readonly T[]; refused: Map<string, number> } {
  const { timesOf, window, subject } = options;
  const refused = new Map<string, number>();
  const refuse = (reason: string): void => {
    refused.set(reason, (refused.get(reason) ?? 0) + 1);
  };
  const kept = records.filter((record) => {
    const times = timesOf(record);
    if (times.fromMicros < window.fromMicros) {
      refuse(`${subject} is older than what is kept, which begins at ${iso(window.fromMicros)}.`);
    } else if (times.toMicros >= window.toMicros) {
      refuse(`${subject} lies in the future; is the sender's clock right?`);
    } else {
      return true;
    }
    return false;
  });
  return { kept, refused };
}

function iso(micros: number): string {
  return new Date(micros / 1_000).toISOString();
}
