/** The logger of a process: JSON lines, or pretty on a terminal. */

import type { Config } from "#config/index.ts";
import { type Logger, pino } from "pino";
import pretty from "pino-pretty";

/** Fields that may carry a secret, whoever logs them. */
const secretFields = ["apiKey", "secret", "key", "authorization", "cookie", "password"];

/** Writes to standard error, because standard output belongs to the command. */
export function createLogger(settings: Config["log"]): Logger {
  const options = {
    level: settings.level,
    redact: { paths: secretFields.flatMap((field) => [field, `*.${field}`]), censor: "[redacted]" },
    timestamp: pino.stdTimeFunctions.isoTime,
    base: { pid: process.pid },
  };
  const isPretty =
    settings.format === "pretty" || (settings.format === "auto" && process.stderr.isTTY);
  if (!isPretty) return pino(options, pino.destination({ dest: 2, sync: true }));
  return pino(
    options,
    pretty({ destination: 2, sync: true, ignore: "pid", translateTime: "SYS:HH:MM:ss.l" }),
  );
}
