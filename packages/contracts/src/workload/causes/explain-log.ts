/** Finds the line of a log that explains a failure. */

import type { LogsContent } from "../../model/evidence.ts";
import { cutText } from "../../text/cut-text.ts";
import type { Cause, CauseRule } from "./cause.ts";
import { crashCauses } from "./crash-causes.ts";
import { dependencyCauses } from "./dependency-causes.ts";
import { settingCauses } from "./setting-causes.ts";

/** Of a long log, as many of its last lines are looked at: a process tells its end at its end. */
const lineCountMax = 2_000;
/** Of a long entry, such as a stack trace, as much is looked at. */
const entryLengthMax = 8_192;
const lineLengthMax = 1_000;

const rules: readonly CauseRule[] = [...settingCauses, ...dependencyCauses, ...crashCauses];

/** A cause with the line that tells it. */
export interface ExplainedCause extends Cause {
  readonly line: string;
  readonly weight: number;
  /** How many lines tell the same cause. */
  readonly count: number;
  /** Whether nothing but such lines stands at the end of the log. */
  readonly isLast: boolean;
}

/** The likeliest cause that a log tells: the surest, of those the last. */
export function explainLog(lines: LogsContent["lines"]): ExplainedCause | undefined {
  const told: { cause: Cause; weight: number; line: string; at: number }[] = [];
  const considered = lines.slice(-lineCountMax).flatMap(({ text }) => entryLines(text));
  considered.forEach((line, at) => {
    const found = explainLine(line);
    if (found !== undefined) told.push({ ...found, line, at });
  });
  let best: (typeof told)[number] | undefined;
  for (const item of told) {
    if (best === undefined || item.weight >= best.weight) best = item;
  }
  if (best === undefined) return undefined;
  const { cause, weight, line } = best;
  const same = told.filter((item) => item.cause.because === cause.because);
  return {
    ...cause,
    weight,
    line,
    count: same.length,
    isLast: same.at(-1)?.at === considered.length - 1,
  };
}

/** The cause that one message tells, such as that of a state or an event. */
export function explainText(text: string): ExplainedCause | undefined {
  return explainLog([{ text }]);
}

function explainLine(line: string): { cause: Cause; weight: number } | undefined {
  let best: { cause: Cause; weight: number } | undefined;
  for (const rule of rules) {
    if (best !== undefined && rule.weight <= best.weight) continue;
    const match = rule.pattern.exec(line);
    const cause = match === null ? undefined : rule.cause(match, line);
    if (cause !== undefined) best = { cause, weight: rule.weight };
  }
  return best;
}

function entryLines(text: string): string[] {
  return cutText(text, entryLengthMax)
    .split(/\r?\n|\r/)
    .map((line) => cutText(line.trim(), lineLengthMax))
    .filter((line) => line !== "");
}
