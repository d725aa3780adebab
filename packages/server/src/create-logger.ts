/** The logger of a process: JSON lines, or pretty on a terminal. */

import type { Config } from "#config/index.ts";
import { type DestinationStream, type Logger, pino } from "pino";
import { prettyFactory } from "pino-pretty";

import { StderrLines } from "./stderr-lines.ts";

/** Fields that may carry a secret, whoever logs them. */
const secretFields = ["apiKey", "secret", "key", "authorization", "cookie", "password"];
const causeDepthMax = 4;

/** Writes to standard error, because standard output belongs to the command. */
export function createLogger(
  settings: Config["log"],
  lines: DestinationStream = new StderrLines(),
): Logger {
  const options = {
    level: settings.level,
    redact: { paths: secretFields.flatMap((field) => [field, `*.${field}`]), censor: "[redacted]" },
    timestamp: pino.stdTimeFunctions.isoTime,
    base: { pid: process.pid },
    serializers: { err: (error: unknown) => describeError(error, causeDepthMax) },
  };
  const isPretty =
    settings.format === "pretty" || (settings.format === "auto" && process.stderr.isTTY);
  if (!isPretty) return pino(options, lines);
  const format = prettyFactory({ ignore: "pid", translateTime: "SYS:HH:MM:ss.l" });
  return pino(options, { write: (line) => lines.write(format(line)) });
}

/** What an error says of itself. Whatever else hangs on it, such as a whole client of the database, stays out of the log. */
function describeError(error: unknown, depth: number): unknown {
  if (!(error instanceof Error)) return error;
  return {
    type: error.name,
    message: error.message,
    ...("code" in error && error.code !== undefined ? { code: error.code } : {}),
    stack: error.stack,
    ...(error.cause === undefined || depth === 0
      ? {}
      : { cause: describeError(error.cause, depth - 1) }),
  };
}
