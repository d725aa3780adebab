/** Levels of logs, by their words and their numbers, as the severities of the model. */

import type { LogSeverity } from "../../model/evidence.ts";

const severityByWord: ReadonlyMap<string, LogSeverity> = new Map<string, LogSeverity>([
  ...words("trace", "trc verbose finest finer silly t"),
  ...words("debug", "dbg fine config d v"),
  ...words("info", "inf information informational notice note default log http i"),
  ...words("warn", "warning wrn w"),
  ...words("error", "err eror severe fail failure failed e"),
  ...words("fatal", "ftl critical crit alert emerg emergency panic dpanic f c"),
]);

function words(severity: LogSeverity, others: string): [string, LogSeverity][] {
  return [severity, ...others.split(" ")].map((word) => [word, severity]);
}

/** The severity that a level's word means, in any case; of another word, nothing. */
export function severityOfWord(word: string): LogSeverity | undefined {
  const plain = word.trim().toLowerCase();
  // OpenTelemetry counts steps within a level: `INFO2`.
  return severityByWord.get(plain) ?? severityByWord.get(plain.replace(/[234]$/, ""));
}

/** The severity of a number of pino and bunyan: tens from 10 (trace) to 60 (fatal). */
export function severityOfTens(level: number): LogSeverity | undefined {
  if (level < 10 || level > 60) return undefined;
  return (["trace", "debug", "info", "warn", "error", "fatal"] as const)[
    Math.floor(level / 10) - 1
  ];
}

/** The severity of syslog's number: 0 (emergency) to 7 (debug). */
export function severityOfSyslog(priority: number): LogSeverity | undefined {
  return (["fatal", "fatal", "fatal", "error", "warn", "info", "info", "debug"] as const)[priority];
}

/** The severity of OpenTelemetry's number: 1 (trace) to 24 (fatal). */
export function severityOfOtel(number: number): LogSeverity | undefined {
  if (number < 1 || number > 24) return undefined;
  return (["trace", "debug", "info", "warn", "error", "fatal"] as const)[
    Math.floor((number - 1) / 4)
  ];
}
