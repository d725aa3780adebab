/** Lines that a diff really takes out and puts in: without those that only move, and without comments and logging. */

import type { DiffFile } from "./parse-diff.ts";

export interface NetLines {
  readonly removed: readonly string[];
  readonly added: readonly string[];
  /** Everything that the diff shows of the new text, comments left out. */
  readonly now: readonly string[];
  /** Lines that write logs or metrics, which change nothing else. */
  readonly isOnlyTelemetry: boolean;
}

const comment = /^\s*(?:\/\/|#(?:\s|$)|\*|\/\*|--\s|<!--|"""|''')/;
const telemetry =
  /\b(?:log|logger|logging|slog|zap|logrus|console|fmt\.Print\w*|span|tracer|prometheus|histogram|metrics?)\b\S*[.(]/i;

export function netLinesOf(file: DiffFile): NetLines {
  const removed: string[] = [];
  const added: string[] = [];
  const now: string[] = [];
  let telemetryCount = 0;
  for (const { lines } of file.hunks) {
    const open = { "+": 0, "-": 0 };
    for (const { sign, text } of lines) {
      if (text.trim() === "" || comment.test(text)) continue;
      if (sign !== "-") now.push(text);
      if (sign === " ") continue;
      // A call that logs goes on over further lines until its brackets close.
      if (open[sign] > 0 || telemetry.test(text)) {
        open[sign] = Math.max(0, open[sign] + balanceOf(text));
        telemetryCount += 1;
        continue;
      }
      (sign === "+" ? added : removed).push(text);
    }
  }
  const both = withoutCommon(removed, added);
  return {
    ...both,
    now,
    isOnlyTelemetry: telemetryCount > 0 && both.removed.length + both.added.length === 0,
  };
}

function balanceOf(text: string): number {
  let balance = 0;
  for (const letter of text) {
    if (letter === "(" || letter === "{" || letter === "[") balance += 1;
    if (letter === ")" || letter === "}" || letter === "]") balance -= 1;
  }
  return balance;
}

/** Lines that stand on both sides, but for white space and a closing comma, changed nothing. */
function withoutCommon(
  removed: readonly string[],
  added: readonly string[],
): Pick<NetLines, "removed" | "added"> {
  const counts = new Map<string, number>();
  for (const line of removed) counts.set(plain(line), (counts.get(plain(line)) ?? 0) + 1);
  const keptAdded = added.filter((line) => {
    const count = counts.get(plain(line)) ?? 0;
    if (count > 0) counts.set(plain(line), count - 1);
    return count === 0;
  });
  const keptRemoved = removed.filter((line) => {
    const count = counts.get(plain(line)) ?? 0;
    if (count > 0) counts.set(plain(line), count - 1);
    return count > 0;
  });
  return { removed: keptRemoved, added: keptAdded };
}

function plain(line: string): string {
  return line.replaceAll(/\s+/g, "").replace(/[,;]$/, "");
}
